internal import Correlations
package import Datasets
internal import GrowthMath
package import Networks
internal import Tensors
internal import Training

/// What a growth round did.
package struct GrowthOutcome: Equatable, Sendable {
    /// The grown network; nil where no width got a neuron, so that the network passes on as it is.
    package var network: Network?
    /// One record for every width that was considered, in the order in which they grew.
    package var records: [GrowthRecord]
}

/// Adds neurons where the policies say so: the work of the stage grow.
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

    private var placement: PlacementParameters { parameters.placement }
    private var method: any GrowthMethod { parameters.proposal.method.method }

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
        guard records.contains(where: { $0.neurons > 0 }) else {
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
                found: bottlenecks.method.rawValue, expected: parameters.proposal.method.rawValue)
        }
        guard bottlenecks.taps == parameters.proposal.taps else {
            throw GrowthError.otherTaps(
                found: bottlenecks.taps.rawValue, expected: parameters.proposal.taps.rawValue)
        }
        let widths = try parameters.proposal.widths(of: network.architecture)
        return try bottlenecks.widths.map { measured in
            guard let position = widths.firstIndex(where: { $0.name == measured.width }) else {
                throw GrowthError.otherNetwork(
                    width: measured.width, found: measured.shapeText, expected: "no such width")
            }
            let (found, expected) = (measured.shapeText, widths[position].shapeText(in: network))
            guard found == expected else {
                throw GrowthError.otherNetwork(width: measured.width, found: found, expected: expected)
            }
            let taps = widths[position].firstRoutes.map { $0.reading(bottlenecks.taps).geometry.taps }
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
        let stop = placement.stop
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
        let values = try measured.map { one in
            // Methods that predict nothing grow where the bottleneck is largest for what a neuron costs.
            guard method.placement == .searched else {
                let price = network.costPerNeuron(placement.cost, at: try width(of: one))
                return one.bottleneck.bottleneck / Double(price)
            }
            return try choice(one, at: try width(of: one))?.decreasePerCost ?? 0
        }
        return values.indices.max { values[$0] < values[$1] }.map { [$0] } ?? []
    }

    // MARK: One width

    /// The width as it is now.
    private func width(of measured: Measured) throws -> Width {
        let name = measured.bottleneck.width
        guard let width = Width.all(in: network.architecture).first(where: { $0.name == name }) else {
            throw GrowthError.otherNetwork(
                width: name, found: measured.bottleneck.shapeText, expected: "no such width")
        }
        return width
    }

    /// Neurons that a budget of parameters allows.
    private func affordable(at width: Width) -> Int {
        let most = placement.stop.parameters
        guard most > 0 else { return .max }
        return max(0, most - network.parameterCount) / max(1, network.costPerNeuron(.parameters, at: width))
    }

    /// nil where the bottleneck is too small.
    private func choice(_ measured: Measured, at width: Width) throws -> NeuronChoice? {
        var found = measured.bottleneck
        guard found.relativeBottleneck >= placement.stop.bottleneck else { return nil }
        let requested = parameters.proposal.neurons.request(
            width: width.count, position: measured.position, round: parameters.round,
            rounds: parameters.rounds)
        if method.needs.isEmpty {
            // Methods that only read weights propose for the network as it is now.
            let proposals = try WidthProblem(
                width, of: network, statistics: nil, proposal: parameters.proposal, seed: parameters.seed,
                round: parameters.round, position: measured.position
            ).propose(by: method, limit: requested)
            for index in proposals.indices { found.consumers[index].proposal = proposals[index] }
        }
        return try NeuronChoice(
            found, at: width, price: network.costPerNeuron(placement.cost, at: width),
            parameters: parameters, requested: requested, most: affordable(at: width),
            rankThreshold: bottlenecks.rankThreshold)
    }

    private func grow(_ measured: Measured) throws {
        let width = try width(of: measured)
        let found = measured.bottleneck
        guard let choice = try choice(measured, at: width) else {
            let part = placement.stop.bottleneck
            return records.append(record(of: found, note: "the bottleneck is under \(part) of the gradient"))
        }
        guard choice.count > 0 else {
            return records.append(
                record(of: found, note: "no candidate pays for itself, or no budget is left"))
        }
        let inputs =
            method.needs.isEmpty ? network.inputRanges(of: width.producers).map(\.count) : found.inputs
        let fitted = parameters.scaled(
            choice.extensions.fitted(to: width, of: network, inputs: inputs), at: width, of: network)
        let bounds = found.consumers.map {
            MoveBound(
                covariance: $0.consumerCovariance, consumer: $0.consumer, inputs: width.count, of: network)
        }
        let trial = try GrowthTrial(
            fitted, at: width, of: network, bounds: bounds, over: trials, loss: parameters.loss)
        let tried = try parameters.amplitude(hasUpdate: trial.hasUpdate, before: trialLoss) {
            try trial.loss(at: $0, update: $1)
        }
        var done = record(of: found, note: "")
        done.lossBefore = tried.lossBefore
        trialLoss = tried.lossBefore
        guard tried.amplitude > 0, tried.loss.isFinite else {
            done.note = "no amplitude lowers the loss"
            return records.append(done)
        }
        trialLoss = tried.loss
        let update = tried.hasUpdate ? tried.amplitude : 0
        let wanted = fitted.map { $0.scaled(by: tried.amplitude, update: update) }
        let placed = try trial.extended(by: tried.amplitude, update: update)
        try graft(placed, at: width)
        done.note = tried.note(isBounded: placed != wanted)
        done.neurons = choice.count
        done.amplitude = tried.amplitude
        done.predictedDecrease =
            parameters.predictsDecrease
            ? wanted.indices.reduce(choice.decrease(at: tried.amplitude, update: update)) {
                $0
                    - wanted[$1].decreaseLost(
                        with: placed[$1], moment: found.consumers[$1].consumerMoment)
            } : nil
        done.realizedDecrease = tried.lossBefore - tried.loss
        records.append(done)
    }

    private func graft(_ extensions: [Extension], at width: Width) throws {
        let neurons = extensions[0].neurons
        let isNormalized =
            neurons.originals == nil && !network.architecture.normalizations(width.between).isEmpty
        if isNormalized { try normalized.carry(to: width.input, of: network) }
        network = try network.grafting(extensions, at: width)
        if isNormalized { network = try network.normalizing(neurons.count, at: width, over: normalized) }
    }

    private func record(of measured: WidthBottleneck, note: String) -> GrowthRecord {
        GrowthRecord(
            round: parameters.round, width: measured.width, method: parameters.proposal.method.rawValue,
            neurons: 0,
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
