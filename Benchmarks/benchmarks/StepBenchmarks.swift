import Datasets
import Networks
import Parameters
import Tensors
import Training

/// Images and labels without meaning, for timing.
func syntheticDataset(count: Int, shape: ImageShape, classes: Int) -> Dataset {
    var random = Philox(seed: 1, purpose: .initialization)
    var images = [UInt8](repeating: 0, count: count * shape.count)
    for index in images.indices { images[index] = UInt8(truncatingIfNeeded: random.next()) }
    let labels = (0..<count).map { _ in Int32(random.integer(below: classes)) }
    let split = Split(shape: shape, images: images, labels: labels)
    return Dataset(
        identity: Dataset.Identity(name: "synthetic", title: "noise", licence: "none", citation: "none"),
        classes: (0..<classes).map(String.init), train: split, validation: .empty(shape), test: split)
}

/// Seconds of one training step, batch 128, SGD with momentum, gathering the batch included.
///
/// What is done once (drawing the network, buffers, threads) cancels between a run of one and a run of three epochs.
func secondsPerStep(_ network: NetworkParameters, threads: Int, dataset: Dataset) throws -> Double {
    func seconds(epochs: Int) throws -> Double {
        var parameters = SeedParameters()
        parameters.network = network
        parameters.training.epochs = epochs
        return try secondsOf {
            _ = try trainSeed(
                parameters, dataset: dataset, environment: TrainingEnvironment(threads: threads))
        }
    }
    let steps = (dataset.train.count + 127) / 128
    return try (seconds(epochs: 3) - seconds(epochs: 1)) / Double(2 * steps)
}
