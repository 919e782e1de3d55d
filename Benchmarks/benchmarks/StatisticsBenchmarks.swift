import Correlations
import Datasets
import Growth
import Networks
import Parameters
import Tensors
import Training

/// Seconds for the statistics of both widths of 784-32-32-10 over every training image, and the solve for 8 neurons each.
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

/// Seconds for the statistics of the width between two 3 x 3 convolutions of 64 channels over images of 32 x 32 x 64, and
/// the solve for 8 neurons.
func secondsOfConvolutionStatistics(
    taps: SiteGeometry.Scheme, threads: Int, dataset: Dataset
) throws -> Double {
    let settings = try Tree(
        yaml: """
            kind: graph
            nodes:
            - {name: first, operation: convolution, width: 64, kernel: 3, padding: 1, bias: false}
            - {name: relu, operation: activation, function: relu}
            - {name: second, operation: convolution, width: 64, kernel: 3, padding: 1, bias: false}
            - {name: pool, operation: global-average-pooling}
            - {name: output, operation: linear, width: 10}
            """, file: "benchmark")
    let architecture = try NetworkParameters(tree: settings, file: "benchmark").architecture(
        sample: [64, 32, 32], outputs: 10)
    let network = try Network(initializing: architecture, seed: 0)
    let measured = try Tree(
        yaml: "{method: {kind: tiny, taps: \(taps.rawValue)}, samples: all, widths: each}", file: "benchmark")
    let parameters = try BottleneckParameters(tree: measured, file: "benchmark")
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
