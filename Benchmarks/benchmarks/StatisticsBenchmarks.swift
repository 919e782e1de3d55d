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

/// A growth round of a ResNet-18 with 16 channels and inner widths of a quarter, over 2,000 images of 32 x 32 x 3, which are
/// measured and, since there is no validation split, tried on.
struct ResidualRound {
    private let dataset = syntheticDataset(
        count: 2000, shape: ImageShape(height: 32, width: 32, channels: 3), classes: 10)
    private let network: Network
    private let plan: GrowthPlan
    private let loss = LossParameters()

    init(taps: SiteGeometry.Scheme) throws {
        let settings = try Tree(
            yaml: "{kind: resnet, depth: 18, width: 16, inner: 0.25}", file: "benchmark")
        let architecture = try NetworkParameters(tree: settings, file: "benchmark").architecture(
            sample: [3, 32, 32], outputs: 10)
        network = try Network(initializing: architecture, seed: 0)
        let growth = try Tree(yaml: "{samples: 2000, taps: \(taps.rawValue)}", file: "benchmark")
        plan = try GrowthPlan(tree: growth, file: "benchmark")
    }

    func bottlenecks(threads: Int) throws -> Bottlenecks {
        try computeBottlenecks(
            plan.bottleneckParameters(round: 1, loss: loss, seed: 0), dataset: dataset, network: network,
            threads: threads)
    }

    func secondsOfStatistics(threads: Int) throws -> Double {
        try secondsOf { _ = try bottlenecks(threads: threads) }
    }

    func secondsOfGrowth(_ bottlenecks: Bottlenecks, threads: Int) throws -> Double {
        try secondsOf {
            _ = try growNetwork(
                plan.growthParameters(round: 1, loss: loss, seed: 0), dataset: dataset, network: network,
                bottlenecks: bottlenecks, threads: threads)
        }
    }
}
