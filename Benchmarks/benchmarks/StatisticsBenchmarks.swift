import Datasets
import Growth
import Networks
import Parameters
import Tensors
import Training

/// Seconds for the statistics of both sites of 784-32-32-10 over every training image, and the solve for 8 neurons each.
func secondsOfStatistics(method: String, threads: Int, dataset: Dataset) throws -> Double {
    let architecture = try NetworkParameters(widths: [32, 32], activation: .relu)
        .architecture(sample: [dataset.shape.count], outputs: dataset.classes.count)
    let network = try Network(initializing: architecture, seed: 0)
    let settings = try Tree(yaml: "{method: \(method), samples: all}", file: "benchmark")
    let parameters = try BottleneckParameters(tree: settings, file: "benchmark")
    return try secondsOf {
        _ = try computeBottlenecks(parameters, dataset: dataset, network: network, threads: threads)
    }
}
