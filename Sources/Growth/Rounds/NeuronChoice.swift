internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// The width that neurons are chosen for: what one more costs, and how it is read.
struct NeuronPlace {
    let name: String
    /// Whether a neuron and its negative do different things to first order.
    let isKinked: Bool
    /// σ₀ on the way to the consumers.
    let slopes: SlopesAtZero
    /// What one neuron adds, see ``GrowthCost``.
    let price: Int
    /// Of each consumer, for all of its taps.
    let geometries: [SiteGeometry]
}

/// Which candidates of a width are added, with which signs, and how its consumers move with them.
struct NeuronChoice {
    /// For each consumer, at amplitude 1; fan-ins are the same.
    let extensions: [Extension]
    /// The exact first-order decreases per unit of γ, by the neurons with what makes room for them and by the consumers' own
    /// moves; 0 where the function is kept.
    private let neuronDecrease: Double
    private let updateDecrease: Double

    private let price: Int

    var count: Int { extensions[0].neurons.count }

    /// - Parameters:
    ///   - consumers: what was measured of each, with the same candidates.
    ///   - gains: of the candidates over all consumers; nil where they were not measured.
    ///   - requested: neurons to add; the policy says whether fewer are an error.
    ///   - room: the most neurons that budgets leave room for.
    ///   - rankThreshold: the one that the best update was solved with.
    init(
        _ consumers: [SiteBottleneck], gains: MeasuredGains?, at place: NeuronPlace,
        parameters: GrowthParameters, requested: Int, room: Int, rankThreshold: Double
    ) throws {
        price = place.price
        let candidates = consumers[0].proposal.neurons
        // A smooth activation has no better sign, and a pair of its neurons would be twins.
        let signs: SignRule = place.isKinked && gains != nil ? parameters.placement.signs : .best
        let perDirection = signs == .pair ? 2 : 1
        try Self.check(candidates.count, perDirection, requested, at: place, parameters.proposal)
        let most = min(requested, room) / perDirection
        var kept = Array(0..<min(most, candidates.count))
        guard let gains else {
            extensions = consumers.enumerated().map { index, consumer in
                let chosen = consumer.proposal.neurons.selecting(kept)
                return Extension(
                    neurons: chosen.placed(at: place.geometries[index]), update: consumer.proposal.update,
                    room: chosen.room)
            }
            (neuronDecrease, updateDecrease) = (0, 0)
            return
        }
        if case .auto = parameters.proposal.neurons {
            kept = Self.paying(kept, consumers, gains, place, parameters.placement.cost)
        }
        let signed = Self.signed(consumers, gains, place, signs, kept)
        let fitted = try Self.fit(
            signed, consumers, parameters.placement,
            allowsRefit: parameters.proposal.method.method.allowsRefit, rankThreshold: rankThreshold)
        extensions = zip(fitted.extensions, place.geometries).map { extended, geometry in
            Extension(
                neurons: extended.neurons.placed(at: geometry), update: extended.update, room: extended.room)
        }
        neuronDecrease = fitted.decrease
        updateDecrease = zip(extensions, consumers).reduce(0) { sum, pair in
            sum + (pair.0.update.map { $0.transposed.inner(pair.1.consumerMoment) } ?? 0)
        }
    }

    /// The same for a site.
    init(
        _ bottleneck: SiteBottleneck, at site: GrowthSite, of network: Network,
        parameters: GrowthParameters, requested: Int, room: Int, rankThreshold: Double
    ) throws {
        try self.init(
            [bottleneck], gains: bottleneck.effects?.measuredGains,
            at: NeuronPlace(
                name: site.name, isKinked: site.isKinked, slopes: site.slopes,
                price: site.costPerNeuron(parameters.placement.cost, in: network),
                geometries: [site.geometry]),
            parameters: parameters, requested: requested, room: room, rankThreshold: rankThreshold)
    }

    /// The first-order decrease with the neurons at amplitude γ and the consumers' own moves at another.
    func decrease(at amplitude: Double, update: Double) -> Double {
        amplitude * neuronDecrease + update * updateDecrease
    }

    /// The exact first-order decrease per unit of what the neurons cost.
    var decreasePerCost: Double { count > 0 ? decrease(at: 1, update: 1) / Double(count * price) : 0 }

    private static func check(
        _ candidates: Int, _ perDirection: Int, _ requested: Int, at place: NeuronPlace,
        _ proposal: ProposalParameters
    ) throws {
        guard proposal.neurons.isStrict else { return }
        guard requested.isMultiple(of: perDirection) else {
            throw GrowthError.oddPairs(site: place.name, asked: requested)
        }
        guard candidates * perDirection >= requested else {
            throw GrowthError.notEnoughDirections(
                site: place.name, method: proposal.method.rawValue, asked: requested,
                available: candidates * perDirection)
        }
    }

    /// Neurons whose gain is above twice its standard error and, per unit of cost, above the best updates' own.
    private static func paying(
        _ candidates: [Int], _ consumers: [SiteBottleneck], _ measured: MeasuredGains, _ place: NeuronPlace,
        _ cost: GrowthCost
    ) -> [Int] {
        // Three products of a training step read or write a consumer's weight, each with a multiply-add.
        let updateCost = zip(consumers, place.geometries).reduce(0) { sum, consumer in
            let weights = consumer.0.bestUpdate
            let perWeight = cost == .parameters ? 1 : 6 * consumer.1.output.count
            return sum + perWeight * weights.rows * weights.columns
        }
        let required = consumers.reduce(0) { $0 + $1.bestUpdateDecrease } / Double(updateCost)
        return candidates.filter { neuron in
            let isPlus = measured.gains.plus[neuron] >= measured.gains.minus[neuron]
            let gain = isPlus ? measured.gains.plus[neuron] : measured.gains.minus[neuron]
            let error = isPlus ? measured.plusErrors[neuron] : measured.minusErrors[neuron]
            return gain > 2 * error && gain / Double(place.price) > required
        }
    }

    /// The candidates that are kept, with signs that are the best for all consumers together.
    private static func signed(
        _ consumers: [SiteBottleneck], _ measured: MeasuredGains, _ place: NeuronPlace, _ signs: SignRule,
        _ kept: [Int]
    ) -> [SignedNeurons] {
        // Where consumers make room for the neurons, what they follow by themselves is no merit of the neurons.
        let judges = consumers.compactMap { consumer -> NeuronGains? in
            guard consumer.proposal.neurons.compensation != nil, let moments = consumer.effects?.moments
            else { return nil }
            return NeuronGains(
                moments.gradient - moments.overlap.timesTransposed(consumer.bestUpdate),
                neurons: consumer.proposal.neurons, slopes: place.slopes)
        }
        let judge = judges.count == consumers.count ? NeuronGains(sumOf: judges) : measured.gains
        return consumers.map { consumer in
            var signed = signs.choose(
                consumer.proposal.neurons, gains: consumer.effects?.gains ?? measured.gains, judge: judge
            ).selecting(candidates: kept)
            if signs == .pair {
                // A pair does (r + l) of what a linear neuron does, and the consumer makes room for that, by halves.
                let share = (place.slopes.right + place.slopes.left) / 2
                signed.neurons.compensation = signed.neurons.compensation.map { share * $0 }
            }
            return signed
        }
    }

    private static func fit(
        _ signed: [SignedNeurons], _ consumers: [SiteBottleneck], _ placement: PlacementParameters,
        allowsRefit: Bool, rankThreshold: Double
    ) throws -> (extensions: [Extension], decrease: Double) {
        guard signed[0].neurons.count > 0 else {
            return (signed.map { Extension(neurons: $0.neurons, update: nil) }, 0)
        }
        if allowsRefit && placement.refit && placement.update {
            return try refitted(signed, consumers, rankThreshold: rankThreshold)
        }
        let extensions = zip(signed, consumers).map { signed, consumer in
            Extension(
                neurons: signed.neurons, update: placement.update ? consumer.proposal.update : nil,
                room: signed.neurons.room)
        }
        let decrease = extensions.indices.reduce(0) { sum, index in
            sum
                + FirstOrderDecrease(
                    update: extensions[index].room, moment: consumers[index].consumerMoment,
                    gains: signed[index].gains
                ).total
        }
        return (extensions, decrease)
    }

    private static func refitted(
        _ signed: [SignedNeurons], _ consumers: [SiteBottleneck], rankThreshold: Double
    ) throws -> (extensions: [Extension], decrease: Double) {
        var decrease = 0.0
        let solutions = try zip(signed, consumers).compactMap { signed, consumer in
            try consumer.effects.map { effects in
                let best = try BestUpdate(
                    covariance: consumer.consumerCovariance, moment: consumer.consumerMoment,
                    threshold: rankThreshold)
                let solution = try Refit.Solution(
                    signed, moments: effects.moments, bestUpdate: best, threshold: Refit.threshold)
                decrease += solution.decrease - best.decrease
                return solution
            }
        }
        let extensions = zip(solutions.balanced, consumers).map { neurons, consumer in
            Extension(neurons: neurons, update: consumer.bestUpdate, room: neurons.room)
        }
        return (extensions, decrease)
    }
}

extension NewNeurons {
    /// The same for all taps of a consumer, where they were proposed for its centre alone.
    fileprivate func placed(at geometry: SiteGeometry) -> NewNeurons {
        guard count > 0, taps != geometry.consumer.taps else { return self }
        var restricted = geometry
        restricted.scheme = .restricted
        return placed(at: restricted.consumerTap(0), of: geometry.consumer.taps)
    }
}

extension SignedNeurons {
    /// Those that come from the given candidates.
    fileprivate func selecting(candidates chosen: [Int]) -> SignedNeurons {
        let indices = candidates.indices.filter { chosen.contains(candidates[$0]) }
        return SignedNeurons(
            neurons: neurons.selecting(indices), candidates: indices.map { candidates[$0] },
            signs: indices.map { signs[$0] }, gains: indices.map { gains[$0] })
    }
}

extension GrowthSite {
    /// What one neuron adds: parameters, or floating-point operations of a training step per sample.
    func costPerNeuron(_ cost: GrowthCost, in network: Network) -> Int {
        network.costPerNeuron(cost, of: [producer])
    }
}

extension Network {
    /// What one more output of some layers adds: parameters, or floating-point operations of a training step per sample.
    func costPerNeuron(_ cost: GrowthCost, of layers: [String]) -> Int {
        guard let wider = try? architecture.widening(layers, by: 1) else { return 1 }
        switch cost {
        case .parameters:
            return ParameterLayout(wider).parameterCount - ParameterLayout(architecture).parameterCount
        case .flops:
            return max(1, wider.flopsPerSample.training - architecture.flopsPerSample.training)
        }
    }
}
