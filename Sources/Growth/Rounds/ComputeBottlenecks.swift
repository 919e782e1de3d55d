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
                change: parameters.proposal.change, method: parameters.proposal.method,
                round: parameters.round,
                samples: count, loss: measurement.meanLoss, flops: flops,
                rankThreshold: parameters.measurement.rankThreshold,
                singularThreshold: parameters.measurement.singularThreshold,
                shards: parameters.measurement.shards, widths: found)
        }
        count = min(2 * count, available)
    }
}

extension ProposalParameters {
    /// The widths of a network that grow by these parameters.
    ///
    /// - Parameter rounds: to come, this one included.
    /// - Throws: `GrowthError` for what the change cannot do to the network.
    package func widths(of architecture: Architecture, rounds: Int = 1) throws(GrowthError) -> [Width] {
        let found = Width.all(in: architecture)
        let all = residualWidths ? found : found.filter { !$0.isResidual }
        guard !all.isEmpty else { throw .noWidths(nodes: architecture.nodes.map(\.name)) }
        guard !residualWidths || all.contains(where: \.isResidual) else {
            throw .noResidualWidths(widths: all.map(\.name))
        }
        if case .target(let targets) = neurons, ![1, all.count].contains(targets.count) {
            throw .targetCount(found: targets.count, widths: all.map(\.name))
        }
        switch change {
        case .widen: try checkTargets(all)
        case .deepen:
            try checkNumbers(allowsTarget: false)
            guard all.contains(where: { Block(behind: $0, in: architecture) != nil }) else {
                throw .noBlock(widths: all.map(\.name))
            }
        case .shrink:
            try checkNumbers(allowsTarget: true)
            for (index, width) in all.enumerated() {
                if case .number(let number) = neurons, widths == .all, number * rounds >= width.count {
                    throw .noNeuronLeft(width: width.name, asked: number * rounds, count: width.count)
                }
                _ = try neurons.removal(from: width, position: index, round: 1, rounds: 1)
            }
        }
        return all
    }

    private func checkTargets(_ widths: [Width]) throws(GrowthError) {
        guard case .target(let targets) = neurons else { return }
        for (index, width) in widths.enumerated() {
            let target = targets.count == 1 ? targets[0] : targets[index]
            guard target >= width.count else {
                throw .targetBelowWidth(width: width.name, target: target, count: width.count)
            }
        }
    }

    /// Changes that no gain is measured for know no `auto`, and a block no width to reach.
    private func checkNumbers(allowsTarget: Bool) throws(GrowthError) {
        switch neurons {
        case .auto: throw .notForChange(neurons: "auto", change: change)
        case .target where !allowsTarget: throw .notForChange(neurons: "{target: …}", change: change)
        default: return
        }
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
