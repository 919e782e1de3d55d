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

/// Seconds of a growth round of a ResNet-18 with 16 channels and inner widths of a quarter, over 2,000 images of
/// 32 x 32 x 3: the statistics of its eight sites, then choosing, trying and grafting at each over the same.
func secondsOfRound(
    taps: SiteGeometry.Scheme, threads: Int, dataset: Dataset
) throws -> (statistics: Double, growth: Double) {
    let settings = try Tree(
        yaml: "{kind: resnet, depth: 18, width: 16, inner: 0.25}", file: "benchmark")
    let shape = dataset.shape
    let architecture = try NetworkParameters(tree: settings, file: "benchmark").architecture(
        sample: [shape.channels, shape.height, shape.width], outputs: dataset.classes.count)
    let network = try Network(initializing: architecture, seed: 0)
    let plan = try GrowthPlan(
        tree: Tree(yaml: "{samples: 2000, taps: \(taps.rawValue)}", file: "benchmark"), file: "benchmark")
    let loss = LossParameters()
    var found: Bottlenecks?
    let statistics = try secondsOf {
        found = try computeBottlenecks(
            plan.bottleneckParameters(round: 1, loss: loss, seed: 0), dataset: dataset, network: network,
            threads: threads)
    }
    let growth = try secondsOf {
        guard let found else { return }
        _ = try growNetwork(
            plan.growthParameters(round: 1, loss: loss, seed: 0), dataset: dataset, network: network,
            bottlenecks: found, threads: threads)
    }
    return (statistics, growth)
}
