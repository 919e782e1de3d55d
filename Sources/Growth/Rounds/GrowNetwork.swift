internal import Correlations
package import Datasets
internal import GrowthMath
package import Networks
internal import Tensors
internal import Training

/// What a growth round did.
package struct GrowthOutcome: Equatable, Sendable {
    /// The grown network; nil where no site got a neuron, so that the network passes on as it is.
    package var network: Network?
    /// One record for every site that was considered, in the order in which they grew.
    package var records: [GrowthRecord]
}

/// Adds neurons where the policies say so: the work of the stage grow.
///
/// Sites are grown one after the other, the last first; each one's amplitude is chosen with the others as they are then. Losses are
/// taken on samples of the validation split, or of the training split where there is none.
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
    private let dataset: Dataset
    /// The samples that amplitudes are tried on, as they are and on their way from site to site.
    private let trialSplit: Split
    private let trials: CarriedSamples
    /// The training samples that new channels are normalised over.
    private let normalized: CarriedSamples
    private let threads: Int
    private var records: [GrowthRecord] = []
    /// The loss of the network as it is on the samples of the trials, once it is known.
    private var trialLoss: Double?
    /// Floating-point operations for streams.
    private var streamFlops = 0

    init(
        _ parameters: GrowthParameters, dataset: Dataset, network: Network, bottlenecks: Bottlenecks,
        threads: Int
    ) {
        self.parameters = parameters
        self.bottlenecks = bottlenecks
        self.network = network
        self.threads = threads
        self.dataset = dataset
        let measured = Set(bottlenecks.sites.map(\.site))
        let sites = GrowthSite.all(in: network.architecture).filter { measured.contains($0.name) }
        func carried(_ split: Split) -> CarriedSamples {
            CarriedSamples(
                split, dataset.normalization, for: network.architecture, threads: threads,
                places: parameters.proposal.sites == .best ? [] : sites.map(\.producerInput))
        }
        trialSplit = (dataset.validation.count > 0 ? dataset.validation : dataset.train)
            .spread(parameters.placement.trialSamples)
        trials = carried(trialSplit)
        normalized = carried(dataset.train.spread(Network.normalizedSamples))
    }

    private var placement: PlacementParameters { parameters.placement }
    private var method: any GrowthMethod { parameters.proposal.method.method }

    func run() throws -> GrowthOutcome {
        if network.growth.contains(where: { $0.round == parameters.round }) {
            throw GrowthError.roundRepeated(parameters.round)
        }
        let measured = try matchingSites()
        try parameters.proposal.checkTargets(
            of: placement.streams ? GrowthStream.all(in: network.architecture) : [],
            after: GrowthSite.all(in: network.architecture))
        if let reason = stopReason() {
            records = measured.map { record(of: $0.bottleneck, note: reason) }
        } else {
            for position in try order(measured) {
                try grow(measured[position].bottleneck, position: measured[position].position)
            }
            if placement.streams { try growStreams() }
        }
        guard records.contains(where: { $0.neurons > 0 }) else {
            return GrowthOutcome(network: nil, records: records)
        }
        network.growth += records
        network.noteBirths(in: parameters.round)
        network.cost[.bottlenecks] += bottlenecks.flops
        network.cost[.grow] += trials.flops + normalized.flops + streamFlops
        return GrowthOutcome(network: network, records: records)
    }

    /// Widths that residual branches share, counted on after the sites; each is measured with the others as they are then.
    private func growStreams() throws {
        let growth = StreamGrowth(
            parameters: parameters, bottlenecks: bottlenecks, dataset: dataset, trialSplit: trialSplit,
            threads: threads)
        let sites = GrowthSite.all(in: network.architecture).count
        for index in GrowthStream.all(in: network.architecture).indices {
            let stream = GrowthStream.all(in: network.architecture)[index]
            let found = try growth.grow(
                stream, of: network, position: sites + index, room: parametersLeft)
            records.append(found.record)
            streamFlops += found.flops
            if let grown = found.network { network = grown }
        }
    }

    /// Parameters that the budget leaves room for.
    private var parametersLeft: Int {
        let most = placement.stop.parameters
        return most > 0 ? max(0, most - network.parameterCount) : .max
    }

    // MARK: Which sites

    private struct Measured {
        var bottleneck: SiteBottleneck
        /// Among all sites of the network.
        var position: Int
    }

    /// The measured sites, checked against the network's own.
    private func matchingSites() throws -> [Measured] {
        guard bottlenecks.method == parameters.proposal.method else {
            throw GrowthError.otherMethod(
                found: bottlenecks.method.rawValue, expected: parameters.proposal.method.rawValue)
        }
        guard bottlenecks.taps == parameters.proposal.taps else {
            throw GrowthError.otherTaps(
                found: bottlenecks.taps.rawValue, expected: parameters.proposal.taps.rawValue)
        }
        let sites = try parameters.proposal.sites(of: network.architecture)
        return try bottlenecks.sites.map { measured in
            let position = sites.firstIndex { $0.name == measured.site }
            let expected = position.map { sites[$0].shapeText(in: network) } ?? "no such site"
            guard let position, expected == measured.shapeText else {
                throw GrowthError.otherNetwork(
                    site: measured.site, found: measured.shapeText, expected: expected)
            }
            let taps = sites[position].geometry(bottlenecks.taps).taps
            guard measured.taps == taps else {
                throw GrowthError.otherNetwork(
                    site: measured.site, found: "\(measured.taps) taps", expected: "\(taps)")
            }
            let (inputs, candidates) = (
                sites[position].producerWeights(of: network).columns, measured.proposal.neurons
            )
            guard candidates.count == 0 || candidates.fanIn.columns == inputs else {
                throw GrowthError.otherNetwork(
                    site: measured.site, found: "a producer with \(candidates.fanIn.columns) inputs",
                    expected: "\(inputs)")
            }
            return Measured(bottleneck: measured, position: position)
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

    /// The sites in the order in which they grow: from the last to the first, so that what the producers and consumers of
    /// those to come read stays what was measured.
    private func order(_ measured: [Measured]) throws -> [Int] {
        guard parameters.proposal.sites == .best else { return measured.indices.reversed() }
        let values = try measured.map { one in
            // Methods that predict nothing grow where the bottleneck is largest for what a neuron costs.
            guard method.placement == .searched else {
                return site(named: one.bottleneck.site).map {
                    one.bottleneck.bottleneck / Double($0.costPerNeuron(placement.cost, in: network))
                } ?? 0
            }
            return try choice(one.bottleneck, position: one.position)?.decreasePerCost ?? 0
        }
        return values.indices.max { values[$0] < values[$1] }.map { [$0] } ?? []
    }

    // MARK: One site

    private func site(named name: String) -> GrowthSite? {
        GrowthSite.all(in: network.architecture).first { $0.name == name }
    }

    /// Neurons that a budget of parameters leaves room for.
    private func room(at site: GrowthSite) -> Int {
        parametersLeft == .max ? .max : parametersLeft / site.parametersPerNeuron(in: network)
    }

    private func choice(_ measured: SiteBottleneck, position: Int) throws -> NeuronChoice? {
        guard let site = site(named: measured.site), measured.relativeBottleneck >= placement.stop.bottleneck
        else {
            return nil
        }
        let requested = parameters.proposal.neurons.request(
            width: site.width, site: position, round: parameters.round, rounds: parameters.rounds)
        var bottleneck = measured
        if method.needs.isEmpty {
            bottleneck.proposal = try proposeWithoutData(site, measured, position: position, limit: requested)
        }
        do {
            return try NeuronChoice(
                bottleneck, at: site, of: network, parameters: parameters, requested: requested,
                room: room(at: site), rankThreshold: bottlenecks.rankThreshold)
        } catch let problem as LinearAlgebraError {
            throw GrowthError.unsolvable(site: site.name, problem: problem)
        }
    }

    /// Methods that only read weights propose for the network as it is now.
    private func proposeWithoutData(
        _ site: GrowthSite, _ measured: SiteBottleneck, position: Int, limit: Int
    ) throws -> Proposal {
        let update = try BestUpdate(
            covariance: measured.consumerCovariance, moment: measured.consumerMoment,
            threshold: bottlenecks.rankThreshold)
        let statistics = SiteStatistics(
            samples: bottlenecks.samples, geometry: site.geometry,
            consumerCovariance: measured.consumerCovariance, consumerMoment: measured.consumerMoment,
            gradientNorm: measured.gradientNorm, bestUpdate: update, bottleneck: measured.bottleneck)
        let problem = SiteProblem(
            site, of: network, statistics: statistics, proposal: parameters.proposal,
            thresholds: Thresholds(),
            seed: parameters.seed, round: parameters.round, position: position)
        return try method.propose(for: problem, limit: limit)
    }

    private func grow(_ measured: SiteBottleneck, position: Int) throws {
        guard let site = site(named: measured.site) else { return }
        guard let choice = try choice(measured, position: position) else {
            let part = placement.stop.bottleneck
            return records.append(
                record(of: measured, note: "the bottleneck is under \(part) of the gradient"))
        }
        guard choice.count > 0 else {
            return records.append(
                record(of: measured, note: "no candidate pays for itself, or no budget is left"))
        }
        let fitted = parameters.scaled(
            [choice.extensions[0].fitted(to: site, of: network)], producers: [site.producer],
            consumers: [site.consumer], of: network)[0]
        let bound = MoveBound(
            covariance: measured.consumerCovariance, consumer: site.consumer, inputs: site.width, of: network)
        let trial = try GrowthTrial(
            fitted, at: site, of: network, bound: bound, over: trials, loss: parameters.loss)
        let found = try parameters.amplitude(hasUpdate: trial.hasUpdate, before: trialLoss) {
            try trial.loss(at: $0, update: $1)
        }
        var done = record(of: measured, note: "")
        done.lossBefore = found.lossBefore
        trialLoss = found.lossBefore
        guard found.amplitude > 0, found.loss.isFinite else {
            done.note = "no amplitude lowers the loss"
            return records.append(done)
        }
        trialLoss = found.loss
        let update = found.hasUpdate ? found.amplitude : 0
        let wanted = fitted.scaled(by: found.amplitude, update: update)
        let placed = try trial.extended(by: found.amplitude, update: update)
        try graft(placed, at: site)
        done.note = found.note(isBounded: placed != wanted)
        done.neurons = fitted.neurons.count
        done.amplitude = found.amplitude
        done.predictedDecrease =
            parameters.predictsDecrease
            ? choice.decrease(at: found.amplitude, update: update)
                - wanted.decreaseLost(with: placed, moment: measured.consumerMoment) : nil
        done.realizedDecrease = found.lossBefore - found.loss
        records.append(done)
    }

    private func graft(_ extension: Extension, at site: GrowthSite) throws {
        let isNormalized =
            `extension`.neurons.originals == nil && !network.architecture.normalizations(site.between).isEmpty
        if isNormalized { try normalized.carry(to: site.producerInput, of: network) }
        network = try network.grafting(`extension`, at: site)
        if isNormalized {
            network = try network.normalizing(`extension`.neurons.count, at: site, over: normalized)
        }
    }

    private func record(of measured: SiteBottleneck, note: String) -> GrowthRecord {
        GrowthRecord(
            round: parameters.round, site: measured.site, method: parameters.proposal.method.rawValue,
            neurons: 0,
            amplitude: 0, predictedDecrease: 0, realizedDecrease: 0, lossBefore: bottlenecks.loss,
            bottleneck: measured.bottleneck, gradientNorm: measured.gradientNorm, note: note)
    }
}

extension SiteBottleneck {
    /// Width and outputs of the consumer, as measured.
    fileprivate var shapeText: String { "\(consumer) [\(bestUpdate.rows), \(bestUpdate.columns)]" }
}

extension GrowthSite {
    fileprivate func shapeText(in network: Network) -> String {
        let weights = consumerWeights(of: network)
        return "\(consumer) [\(weights.rows), \(weights.columns)]"
    }
}
