internal import Correlations
package import Datasets
internal import GrowthMath
package import Networks
internal import Tensors
internal import Training

/// Measures the bottleneck of every width that may grow and proposes neurons: the work of the stage compute-bottlenecks.
///
/// The result depends on the arguments other than `threads` alone.
/// - Throws: `GrowthError`, `TrainingError`, `LinearAlgebraError`.
package func computeBottlenecks(
    _ parameters: BottleneckParameters, dataset: Dataset, network: Network, threads: Int = 1
) throws -> Bottlenecks {
    try checkFits(network, dataset)
    guard dataset.train.count > 0 else { throw TrainingError.emptySplit("training") }
    let all = try parameters.proposal.widths(of: network.architecture)
    let chosen = parameters.proposal.widths.positions(of: all.count, round: parameters.round)

    let available = dataset.train.count
    var count = parameters.measurement.samples.first(of: available)
    var flops = 0
    while true {
        let measurement = WidthMeasurement(
            chosen.map { all[$0] }, of: network, dataset: dataset,
            samples: parameters.statisticsSample(count, of: available), parameters: parameters,
            threads: threads)
        let found = try measurement.run(positions: chosen)
        guard measurement.meanLoss.isFinite else {
            throw GrowthError.lossNotFinite(what: "the training samples")
        }
        flops += measurement.flops(found)
        let isPrecise = found.compactMap(\.gains).allSatisfy {
            $0.relativeError <= parameters.measurement.tolerance
        }
        if parameters.measurement.samples != .auto || isPrecise || count == available {
            return Bottlenecks(
                method: parameters.proposal.method, taps: parameters.proposal.taps, round: parameters.round,
                samples: count, loss: measurement.meanLoss, flops: flops,
                rankThreshold: parameters.measurement.rankThreshold,
                singularThreshold: parameters.measurement.singularThreshold,
                ridge: parameters.measurement.ridge, shards: parameters.measurement.shards, widths: found)
        }
        count = min(2 * count, available)
    }
}

extension ProposalParameters {
    /// The widths of a network that grow by these parameters.
    ///
    /// - Throws: `GrowthError.noWidths`, `.noResidualWidths`, `.targetCount`, `.targetBelowWidth`.
    package func widths(of architecture: Architecture) throws(GrowthError) -> [Width] {
        let found = Width.all(in: architecture)
        let all = residualWidths ? found : found.filter { !$0.isResidual }
        guard !all.isEmpty else { throw .noWidths(nodes: architecture.nodes.map(\.name)) }
        guard !residualWidths || all.contains(where: \.isResidual) else {
            throw .noResidualWidths(widths: all.map(\.name))
        }
        guard case .target(let targets) = neurons else { return all }
        guard [1, all.count].contains(targets.count) else {
            throw .targetCount(found: targets.count, widths: all.map(\.name))
        }
        for (index, width) in all.enumerated() {
            let target = targets.count == 1 ? targets[0] : targets[index]
            guard target >= width.count else {
                throw .targetBelowWidth(width: width.name, target: target, count: width.count)
            }
        }
        return all
    }
}

extension RoundParameters {
    /// The samples that a round measures, as positions in a split: the first so many of one order.
    func statisticsSample(_ count: Int, of available: Int) -> [Int32] {
        guard count < available else { return (0..<available).map(Int32.init) }
        var random = Philox(seed: seed, purpose: .statisticsSample, epoch: round)
        return random.permutation(available)[..<count].sorted()
    }
}

extension SamplePolicy {
    /// Samples that `auto` begins with.
    private static let beginning = 4096

    /// The samples of the first measurement.
    func first(of available: Int) -> Int {
        switch self {
        case .count(let count): min(count, available)
        case .all: available
        case .auto: min(Self.beginning, available)
        }
    }
}

extension WidthPolicy {
    /// The widths that are measured in a round, as positions among all.
    func positions(of count: Int, round: Int) -> [Int] {
        switch self {
        case .all, .best: Array(0..<count)
        case .each: [(round - 1) % count]
        }
    }
}
