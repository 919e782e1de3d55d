internal import Correlations
package import Datasets
internal import GrowthMath
package import Networks
internal import Parameters
internal import Tensors
internal import Training

/// What a growth round did.
package struct GrowthOutcome: Equatable, Sendable {
    /// The grown network; nil where nothing was changed, so that the network passes on as it is.
    package var network: Network?
    /// One record for every width that was considered, in the order in which they grew.
    package var records: [GrowthRecord]
}

/// Changes a network where the policies say so: the work of the stage grow.
///
/// Widths grow one after the other, those between two layers first, each kind from the last to the first; each one's amplitude
/// is chosen with the others as they are then. Losses are taken on samples of the validation split, or of the training split
/// where there is none.
/// - Throws: `GrowthError`, `TrainingError`, `LinearAlgebraError`, `NetworkError`.
package func growNetwork(
    _ parameters: GrowthParameters, dataset: Dataset, network: Network, bottlenecks: Bottlenecks,
    threads: Int = 1
) throws -> GrowthOutcome {
    try checkFits(network, dataset)
    let round = GrowthRound(
        parameters, dataset: dataset, network: network, bottlenecks: bottlenecks, threads: threads)
    return try round.run()
}

/// One round: the network as it grows, and what was done so far.
private final class GrowthRound {
    private let parameters: GrowthParameters
    private let bottlenecks: Bottlenecks
    private var network: Network
    /// The samples that amplitudes are tried on, on their way from width to width.
    private let trials: CarriedSamples
    /// The training samples that new channels are normalised over.
    private let normalized: CarriedSamples
    private var records: [GrowthRecord] = []
    /// The loss of the network as it is on the samples of the trials, once it is known.
    private var trialLoss: Double?
    /// What is left of the outputs of layers that lost some.
    private var remaining: [String: [Int]] = [:]

    init(
        _ parameters: GrowthParameters, dataset: Dataset, network: Network, bottlenecks: Bottlenecks,
        threads: Int
    ) {
        self.parameters = parameters
        self.bottlenecks = bottlenecks
        self.network = network
        let measured = Set(bottlenecks.widths.map(\.width))
        let widths = Width.all(in: network.architecture).filter { measured.contains($0.name) }
        func carried(_ split: Split) -> CarriedSamples {
            CarriedSamples(
                split, dataset.normalization, for: network.architecture, threads: threads,
                places: parameters.proposal.widths == .best ? [] : widths.map(\.input))
        }
        trials = carried(
            (dataset.validation.count > 0 ? dataset.validation : dataset.train)
                .spread(parameters.placement.trialSamples))
        normalized = carried(dataset.train.spread(Network.normalizedSamples))
    }

    func run() throws -> GrowthOutcome {
        if network.growth.contains(where: { $0.round == parameters.round }) {
            throw GrowthError.roundRepeated(parameters.round)
        }
        let measured = try matchingWidths()
        if let reason = stopReason() {
            records = measured.map { record(of: $0.bottleneck, note: reason) }
        } else {
            for index in try order(measured) { try grow(measured[index]) }
        }
        guard records.contains(where: { $0.change != nil }) else {
            return GrowthOutcome(network: nil, records: records)
        }
        network.growth += records
        network.noteBirths(in: parameters.round)
        network.cost[.bottlenecks] += bottlenecks.flops
        network.cost[.grow] += trials.flops + normalized.flops
        return GrowthOutcome(network: network, records: records)
    }

    // MARK: Which widths

    private struct Measured {
        var bottleneck: WidthBottleneck
        /// Among all widths that grow.
        var position: Int
        var isResidual: Bool
    }

    /// The measured widths, checked against the network's own.
    private func matchingWidths() throws -> [Measured] {
        guard bottlenecks.method == parameters.proposal.method else {
            throw GrowthError.otherMethod(
                found: bottlenecks.method.tree.canonicalJSON,
                expected: parameters.proposal.method.tree.canonicalJSON)
        }
        guard bottlenecks.change == parameters.change else {
            throw GrowthError.otherChange(found: bottlenecks.change, expected: parameters.change)
        }
        let widths = try parameters.proposal.widths(of: network.architecture, for: parameters.change)
        return try bottlenecks.widths.map { measured in
            guard let position = widths.firstIndex(where: { $0.name == measured.width }) else {
                throw GrowthError.otherNetwork(
                    width: measured.width, found: measured.shapeText, expected: "no such width")
            }
            let (found, expected) = (measured.shapeText, widths[position].shapeText(in: network))
            guard found == expected else {
                throw GrowthError.otherNetwork(width: measured.width, found: found, expected: expected)
            }
            let taps = widths[position].firstRoutes.map {
                $0.reading(bottlenecks.method.method.taps).geometry.taps
            }
            guard measured.consumers.map(\.taps) == taps else {
                throw GrowthError.otherNetwork(
                    width: measured.width, found: "\(measured.consumers.map(\.taps)) taps",
                    expected: "\(taps)")
            }
            let inputs = network.inputRanges(of: widths[position].producers).map(\.count)
            guard measured.inputs == inputs else {
                throw GrowthError.otherNetwork(
                    width: measured.width, found: "producers with \(measured.inputs) inputs",
                    expected: "\(inputs)")
            }
            return Measured(
                bottleneck: measured, position: position, isResidual: widths[position].isResidual)
        }
    }

    /// Why nothing grows in this round; nil if something may.
    private func stopReason() -> String? {
        if let reason = parameters.placement.when.trigger.reasonToWait(network) { return reason }
        let stop = parameters.placement.stop
        if stop.flops > 0, network.cost.total >= stop.flops {
            return "the budget of \(stop.flops) training FLOPs is spent"
        }
        guard stop.gain > 0 else { return nil }
        // Rounds that added nothing have no epochs: the last two that have some count, and so a stop lasts.
        let rounds = Set(network.history.epochs.map(\.round)).sorted().suffix(2)
        let losses = rounds.map { round in network.history.epochs.last { $0.round == round }?.validationLoss }
        guard losses.count == 2, let before = losses[0], let after = losses[1],
            before - after < stop.gain * before
        else { return nil }
        return "the last round improved the validation loss by less than \(stop.gain) of it"
    }

    /// The widths in the order in which they grow: from the last to the first, so that what the producers and consumers of
    /// those to come read stays what was measured. The residual ones grow behind the others, whose layers read them.
    private func order(_ measured: [Measured]) throws -> [Int] {
        guard parameters.proposal.widths == .best else {
            let backwards = Array(measured.indices.reversed())
            return backwards.filter { !measured[$0].isResidual }
                + backwards.filter { measured[$0].isResidual }
        }
        let values: [Double] = try measured.map { one in
            guard case .change(let change) = try proposed(one) else { return -.infinity }
            return change.decreasePerCost
        }
        return values.indices.max { values[$0] < values[$1] }.map { [$0] } ?? []
    }

    // MARK: One width

    /// The change that the parameters ask for, at a width as it is now.
    private func proposed(_ measured: Measured) throws -> ProposedChange {
        let name = measured.bottleneck.width
        guard let width = Width.all(in: network.architecture).first(where: { $0.name == name }) else {
            throw GrowthError.otherNetwork(
                width: name, found: measured.bottleneck.shapeText, expected: "no such width")
        }
        return try parameters.change.proposed(
            at: ChangePlace(
                width: width, position: measured.position, network: network, measured: measured.bottleneck,
                rankThreshold: bottlenecks.rankThreshold, parameters: parameters, remaining: remaining))
    }

    private func grow(_ measured: Measured) throws {
        var done = record(of: measured.bottleneck, note: "")
        defer { records.append(done) }
        let change: any NetworkChange
        switch try proposed(measured) {
        case .nothing(let reason): return done.note = reason
        case .change(let proposed): change = proposed
        }
        let tried = try change.tried(over: trials, before: trialLoss)
        trialLoss = tried.loss
        done.lossBefore = tried.lossBefore
        done.note = tried.note
        guard let amplitude = tried.amplitude else { return }
        network = try change.applied(tried, over: normalized)
        remaining.merge(change.remaining) { $1 }
        done.change = parameters.change
        done.neurons = change.neurons
        done.amplitude = amplitude.amplitude
        done.predictedDecrease = tried.predictedDecrease
        done.realizedDecrease = tried.lossBefore - tried.loss
    }

    private func record(of measured: WidthBottleneck, note: String) -> GrowthRecord {
        GrowthRecord(
            round: parameters.round, width: measured.width, change: nil,
            method: parameters.proposal.method.kind, neurons: 0,
            amplitude: 0, predictedDecrease: 0, realizedDecrease: 0, lossBefore: bottlenecks.loss,
            bottleneck: measured.bottleneck, gradientNorm: measured.gradientNorm, note: note)
    }
}

extension WidthBottleneck {
    /// The consumers and their weights, as measured.
    fileprivate var shapeText: String {
        consumers.map { "\($0.consumer) [\($0.bestUpdate.rows), \($0.bestUpdate.columns)]" }
            .joined(separator: ", ")
    }
}

extension Width {
    fileprivate func shapeText(in network: Network) -> String {
        consumers.map {
            let weights = network.extendedWeights(of: $0)
            return "\($0) [\(weights.rows), \(weights.columns)]"
        }.joined(separator: ", ")
    }
}
