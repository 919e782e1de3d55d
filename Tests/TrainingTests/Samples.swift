import Datasets
import Foundation
import Networks
import Parameters
import Tensors
import TestSupport

@testable import Training

/// Images of `classes` random prototypes with noise: learnable in a few epochs.
///
/// - Parameter noise: the deviation added to values around 128 with a deviation of 40.
func prototypes(
    train: Int, test: Int = 20, validation: Int = 0, classes: Int = 4, side: Int = 3, noise: Double = 20
) -> Dataset {
    let shape = ImageShape(height: side, width: side, channels: 1)
    var random = Philox(seed: 99, purpose: .growth)
    let centres = (0..<classes).map { _ in random.normal(shape.count, deviation: 40).map { $0 + 128 } }
    func split(_ count: Int) -> Split {
        let labels = (0..<count).map { _ in Int32(random.integer(below: classes)) }
        let images = labels.flatMap { label in
            zip(centres[Int(label)], random.normal(shape.count, deviation: noise)).map {
                UInt8(max(0, min(255, $0 + $1)))
            }
        }
        return Split(shape: shape, images: images, labels: labels)
    }
    return Dataset(
        identity: .init(name: "prototypes", title: "Prototypes", licence: "none", citation: "nobody"),
        classes: (0..<classes).map { "class \($0)" }, train: split(train), validation: split(validation),
        test: split(test))
}

/// The optical digits that ship with the repository.
func digits(validation: Int = 0) throws -> Dataset {
    let file = Program.packageFolder.appending(path: "data/digits.yaml").path
    return try loadDataset(
        DatasetDescriptor(reading: file),
        parameters: DatasetParameters(dataset: "digits", validation: validation),
        environment: DataEnvironment(mirror: nil, offline: true))
}

/// Parameters of a small run.
func seedParameters(
    _ network: NetworkParameters = NetworkParameters(widths: [6, 5], activation: .tanh), epochs: Int = 2,
    batch: Int = 16, shards: Int = 2, optimizer: OptimizerParameters = OptimizerParameters(),
    loss: LossParameters = LossParameters()
) -> SeedParameters {
    var training = TrainingParameters(epochs: epochs, batch: batch, shards: shards)
    training.optimizer = optimizer
    return SeedParameters(network: network, training: training, loss: loss, seed: 7)
}

/// The losses a run may minimise.
let losses = LossParameters.functions.all.flatMap { function in
    [0, 0.1].map { LossParameters(function: function, labelSmoothing: $0) }
}

/// All parameters in the order of their names.
func flat(_ tensors: [String: Tensor]) -> [Float] {
    tensors.sorted { $0.key < $1.key }.flatMap(\.value.values)
}

/// max |a - b| over max |b|.
func relativeDistance(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count, "\(a.count) and \(b.count) values")
    let scale = b.reduce(0) { max($0, abs(Double($1))) }
    return zip(a, b).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) } / scale
}
