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
    let all = try parameters.proposal.widths(of: network.architecture, for: parameters.change)
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
                change: parameters.change, method: parameters.proposal.method, round: parameters.round,
                samples: count, loss: measurement.meanLoss, flops: flops,
                rankThreshold: parameters.measurement.rankThreshold,
                singularThreshold: parameters.measurement.singularThreshold,
                shards: parameters.measurement.shards, widths: found)
        }
        count = min(2 * count, available)
    }
}

extension ProposalParameters {
    /// The widths of a network that a round may change.
    ///
    /// - Parameter rounds: to come with the same change, this one included.
    /// - Throws: `GrowthError` for what the change cannot do to the network.
    package func widths(
        of architecture: Architecture, for change: ChangeKind, rounds: Int = 1
    ) throws(GrowthError) -> [Width] {
        let all = candidates(in: architecture)
        guard !all.isEmpty else { throw .noWidths(nodes: architecture.nodes.map(\.name)) }
        guard !residualWidths || all.contains(where: \.isResidual) else {
            throw .noResidualWidths(widths: all.map(\.name))
        }
        try checkNeurons(for: change)
        try checkTargets(among: all, in: architecture)
        switch change {
        case .widen:
            for width in all {
                guard case .target(let targets) = neurons(of: width, in: architecture),
                    targets[0] < width.count
                else { continue }
                throw .targetBelowWidth(width: width.name, target: targets[0], count: width.count)
            }
        case .deepen:
            guard all.contains(where: { Block(behind: $0, in: architecture) != nil }) else {
                throw .noBlock(widths: all.map(\.name))
            }
        case .shrink:
            for width in all {
                if case .number(let number) = neurons, widths == .all, number * rounds >= width.count {
                    throw .noNeuronLeft(width: width.name, asked: number * rounds, count: width.count)
                }
                _ = try neurons(of: width, in: architecture).removal(from: width, round: 1, rounds: 1)
            }
        }
        return all
    }

    private func candidates(in architecture: Architecture) -> [Width] {
        Width.all(in: architecture).filter { residualWidths || !$0.isResidual }
    }

    /// The widths that a list of targets names: those of the graph as it was made, in its order.
    private func targeted(in architecture: Architecture) -> [String] {
        candidates(in: architecture.original ?? architecture).map(\.name)
    }

    /// What a width is to get, or to lose: of a list of targets, its own.
    ///
    /// A width that was put in with a block is in no list, and keeps its size.
    func neurons(of width: Width, in architecture: Architecture) -> NeuronPolicy {
        guard case .target(let targets) = neurons, targets.count > 1 else { return neurons }
        let place = targeted(in: architecture).firstIndex(of: width.name)
        return .target([place.map { targets[$0] } ?? width.count])
    }

    private func checkTargets(among widths: [Width], in architecture: Architecture) throws(GrowthError) {
        guard case .target(let targets) = neurons, targets.count > 1 else { return }
        let named = targeted(in: architecture)
        guard targets.count == named.count else { throw .targetCount(found: targets.count, widths: named) }
        for name in named where !widths.contains(where: { $0.name == name }) {
            throw .targetTied(width: name)
        }
    }

    /// Changes that no gain is measured for know no `auto`, and a block no width to reach.
    func checkNeurons(for change: ChangeKind) throws(GrowthError) {
        switch (neurons, change) {
        case (.auto, .deepen), (.auto, .shrink): throw .notForChange(neurons: "auto", change: change)
        case (.target, .deepen): throw .notForChange(neurons: "{target: …}", change: change)
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
