import Datasets
import Foundation
import Networks
import Tensors
import Training

/// Images and labels without meaning, for timing.
func syntheticDataset(count: Int, height: Int, width: Int, channels: Int, classes: Int) -> Dataset {
    let shape = ImageShape(height: height, width: width, channels: channels)
    var random = Philox(seed: 1, purpose: .initialization)
    let split = Split(
        shape: shape,
        images: (0..<count * shape.count).map { _ in UInt8(truncatingIfNeeded: random.next()) },
        labels: (0..<count).map { _ in Int32(random.integer(below: classes)) })
    return Dataset(identity: Dataset.Identity(name: "synthetic", title: "", licence: "", citation: ""), classes: (0..<classes).map(String.init), train: split, validation: .empty(shape), test: split)
}

func timeSteps(widths: [Int], threads: Int, data: Dataset) throws -> Double {
    let parameters = SeedParameters(
        network: NetworkParameters(widths: widths, activation: .relu),
        training: TrainingParameters(epochs: 1), loss: LossParameters(), seed: 0)
    var best = Double.infinity
    for _ in 0..<5 {
        let clock = ContinuousClock.now
        _ = try trainSeed(parameters, dataset: data, environment: TrainingEnvironment(threads: threads))
        let seconds = (ContinuousClock.now - clock) / .seconds(1)
        best = min(best, seconds / Double((data.train.count + 127) / 128))
    }
    return best * 1e6
}
Platform.start()
print(Platform.identifier)
let data = syntheticDataset(count: 12800, height: 28, width: 28, channels: 1, classes: 10)
for threads in [1, 2] {
    print("128:", threads, try timeSteps(widths: [128], threads: threads, data: data))
    print("512-512:", threads, try timeSteps(widths: [512, 512], threads: threads, data: data))
    print("8-8:", threads, try timeSteps(widths: [8, 8], threads: threads, data: data))
}
