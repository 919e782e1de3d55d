internal import Correlations
internal import Datasets
internal import GrowthMath
internal import Networks
internal import Tensors
internal import Training

/// Growth of the widths that residual branches share.
///
/// A stream is measured on the network as it is, over as many samples as the sites were, and grown like a site.
struct StreamGrowth {
    let parameters: GrowthParameters
    let bottlenecks: Bottlenecks
    let dataset: Dataset
    /// The samples that amplitudes are tried on.
    let trialSplit: Split
    let threads: Int

    /// What became of one stream.
    struct Outcome {
        /// nil where nothing was added.
        var network: Network?
        var record: GrowthRecord
        /// Floating-point operations of measurement and trials.
        var flops = 0
    }

    private var method: any GrowthMethod { parameters.proposal.method.method }

    /// A network with new channels in one stream, and the record of it.
    ///
    /// - Parameters:
    ///   - position: of the stream, counted on after the sites.
    ///   - room: the most parameters that may be added.
    func grow(_ stream: GrowthStream, of network: Network, position: Int, room: Int) throws -> Outcome {
        let requested = parameters.proposal.neurons.request(
            width: stream.width, site: position, round: parameters.round, rounds: parameters.rounds)
        let (found, flops) = try measured(stream, of: network, position: position, limit: requested)
        var outcome = Outcome(record: record(of: stream, found), flops: flops)
        let part = parameters.placement.stop.bottleneck
        guard found.relativeBottleneck >= part else {
            outcome.record.note = "the bottleneck is under \(part) of the gradient"
            return outcome
        }
        let choice = try choice(found, of: stream, in: network, requested: requested, room: room)
        guard choice.count > 0 else {
            outcome.record.note = "no candidate pays for itself, or no budget is left"
            return outcome
        }
        try place(choice, found, in: stream, of: network, &outcome)
        return outcome
    }

    // MARK: Measuring

    /// The stream's bottleneck and candidates. Methods that look at no data propose without a measurement, unless a
    /// threshold asks for the bottleneck.
    private func measured(
        _ stream: GrowthStream, of network: Network, position: Int, limit: Int
    ) throws -> (found: StreamBottleneck, flops: Int) {
        if method.needs.isEmpty, parameters.placement.stop.bottleneck == 0 {
            return (try unmeasured(stream, of: network, position: position, limit: limit), 0)
        }
        let routes = stream.routes(in: network.architecture, parameters.proposal.taps)
        let count = min(bottlenecks.samples, dataset.train.count)
        let activities = SiteActivities(
            network, readings: routes.map(\.reading), split: dataset.train,
            normalization: dataset.normalization,
            positions: parameters.statisticsSample(count, of: dataset.train.count), loss: parameters.loss,
            shards: bottlenecks.shards)
        let measurement = StreamMeasurement(
            stream: stream, network: network, routes: routes, activities: activities, method: method,
            proposal: parameters.proposal, thresholds: bottlenecks.thresholds, seed: parameters.seed,
            round: parameters.round, threads: threads)
        let found = try measurement.run(position: position, limit: limit)
        guard activities.meanLoss.isFinite else {
            throw GrowthError.lossNotFinite(what: "the training samples")
        }
        return (found, measurement.flops(found))
    }

    private func unmeasured(
        _ stream: GrowthStream, of network: Network, position: Int, limit: Int
    ) throws -> StreamBottleneck {
        let proposals = try StreamProblem(
            stream, of: network, statistics: nil, proposal: parameters.proposal, seed: parameters.seed,
            round: parameters.round, position: position
        ).propose(by: method, limit: limit)
        let consumers = zip(stream.consumers, proposals).map { name, proposal in
            let weights = network.extendedWeights(of: name)
            let (b, c) = (weights.columns, weights.rows)
            return SiteBottleneck(
                site: stream.name, consumer: name, taps: proposal.neurons.taps, gradientNorm: 0,
                bottleneck: 0, bottleneckError: 0, consumerCovariance: Matrix(rows: b, columns: b),
                consumerMoment: Matrix(rows: b, columns: c), bestUpdate: Matrix(rows: c, columns: b),
                bestUpdateDecrease: 0, proposal: proposal)
        }
        return StreamBottleneck(consumers: consumers)
    }

    // MARK: Placing

    private func choice(
        _ found: StreamBottleneck, of stream: GrowthStream, in network: Network, requested: Int, room: Int
    ) throws -> NeuronChoice {
        let routes = stream.routes(in: network.architecture, .full)
        let geometries = stream.consumers.indices.compactMap { consumer in
            routes.first { $0.consumer == consumer }?.geometry
        }
        let perNeuron = network.costPerNeuron(.parameters, of: stream.producers)
        do {
            return try NeuronChoice(
                found.consumers, gains: found.gains,
                at: NeuronPlace(
                    name: stream.name, isKinked: routes.contains(where: \.isKinked),
                    slopes: .mean(routes.map(\.slopes)),
                    price: network.costPerNeuron(parameters.placement.cost, of: stream.producers),
                    geometries: geometries),
                parameters: parameters, requested: requested,
                room: room == .max ? .max : room / max(perNeuron, 1),
                rankThreshold: bottlenecks.rankThreshold)
        } catch let problem as LinearAlgebraError {
            throw GrowthError.unsolvable(site: stream.name, problem: problem)
        }
    }

    /// Searches the amplitude, and grafts where it lowers the loss.
    private func place(
        _ choice: NeuronChoice, _ measured: StreamBottleneck, in stream: GrowthStream, of network: Network,
        _ outcome: inout Outcome
    ) throws {
        let extensions = parameters.scaled(
            choice.extensions, producers: stream.producers, consumers: stream.consumers, of: network)
        let bounds = measured.consumers.map {
            MoveBound(
                covariance: $0.consumerCovariance, consumer: $0.consumer, inputs: stream.width, of: network)
        }
        func extended(_ amplitude: Double, _ update: Double) throws -> [Extension] {
            try zip(bounds, extensions).map {
                try $0.bounding($1.scaled(by: amplitude, update: update))
            }
        }
        func grown(_ amplitude: Double, _ update: Double) throws -> Network {
            try network.grafting(stream.graft(extended(amplitude, update), in: network))
        }
        var evaluations = 0
        let found = try parameters.amplitude(
            hasUpdate: extensions.contains { $0.update != nil }, before: nil
        ) { amplitude, update in
            evaluations += 1
            // Weights beyond Float32 are no network: too far.
            guard amplitude > 0 else { return try loss(of: network) }
            guard let grown = try? grown(amplitude, update) else { return .infinity }
            return try loss(of: grown)
        }
        outcome.record.lossBefore = found.lossBefore
        let wider = try network.architecture.widening(stream.producers, by: choice.count)
        outcome.flops +=
            trialSplit.count
            * (network.architecture.flopsPerSample.inference
                + (evaluations - 1) * wider.flopsPerSample.inference)
        guard found.amplitude > 0, found.loss.isFinite else {
            outcome.record.note = "no amplitude lowers the loss"
            return
        }
        let update = found.hasUpdate ? found.amplitude : 0
        let wanted = extensions.map { $0.scaled(by: found.amplitude, update: update) }
        let placed = try extended(found.amplitude, update)
        outcome.record.note = found.note(isBounded: placed != wanted)
        var result = try grown(found.amplitude, update)
        if extensions[0].neurons.originals == nil {
            result = try result.normalizing(
                choice.count, after: stream.name, between: stream.between, over: dataset.train,
                dataset.normalization, threads: threads)
        }
        outcome.network = result
        outcome.record.neurons = choice.count
        outcome.record.amplitude = found.amplitude
        outcome.record.predictedDecrease =
            parameters.predictsDecrease
            ? choice.decrease(at: found.amplitude, update: update)
                - wanted.indices.reduce(0) {
                    $0
                        + wanted[$1].decreaseLost(
                            with: placed[$1], moment: measured.consumers[$1].consumerMoment)
                } : nil
        outcome.record.realizedDecrease = found.lossBefore - found.loss
    }

    /// The mean loss over the trial samples.
    private func loss(of network: Network) throws -> Double {
        let architecture = network.architecture
        let evaluator = Evaluator(
            architecture, ParameterArena(ParameterLayout(architecture), network.parameters),
            state: ParameterArena(ParameterLayout.state(architecture), network.state),
            Batches(trialSplit, dataset.normalization, shape: architecture.inputShape))
        return try evaluator.sums(parameters.loss, threads: threads).loss / Double(max(trialSplit.count, 1))
    }

    private func record(of stream: GrowthStream, _ found: StreamBottleneck) -> GrowthRecord {
        GrowthRecord(
            round: parameters.round, site: stream.name, method: parameters.proposal.method.rawValue,
            neurons: 0, amplitude: 0, predictedDecrease: 0, realizedDecrease: 0, lossBefore: bottlenecks.loss,
            bottleneck: found.bottleneck, gradientNorm: found.gradientNorm)
    }
}
