internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

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
    ///   - found: what was measured of the width.
    ///   - price: what one neuron adds, see ``GrowthCost``.
    ///   - requested: neurons to add; the policy says whether fewer are an error.
    ///   - most: the most neurons that budgets allow.
    ///   - rankThreshold: the one that the best update was solved with.
    /// - Throws: `GrowthError`.
    init(
        _ found: WidthBottleneck, at width: Width, price: Int, parameters: GrowthParameters, requested: Int,
        most: Int, rankThreshold: Double
    ) throws {
        self.price = price
        let (consumers, candidates) = (found.consumers, found.neurons)
        let geometries = width.firstRoutes.map(\.geometry)
        // A smooth activation has no better sign, and a pair of its neurons would be twins.
        let signs: SignRule = width.isKinked && found.gains != nil ? parameters.placement.signs : .best
        let perDirection = signs == .pair ? 2 : 1
        try Self.check(candidates.count, perDirection, requested, at: width, parameters.proposal)
        var kept = Array(0..<min(min(requested, most) / perDirection, candidates.count))
        guard let gains = found.gains else {
            extensions = consumers.enumerated().map { index, consumer in
                let chosen = consumer.proposal.neurons.selecting(kept)
                return Extension(
                    neurons: chosen.placed(at: geometries[index]), update: consumer.proposal.update,
                    room: chosen.room)
            }
            (neuronDecrease, updateDecrease) = (0, 0)
            return
        }
        if case .auto = parameters.proposal.neurons {
            kept = Self.paying(kept, found, gains, price: price, geometries, parameters.placement.cost)
        }
        let signed = Self.signed(consumers, gains, width.slopes, signs, kept)
        let fitted: (extensions: [Extension], decrease: Double)
        do {
            fitted = try Self.fit(
                signed, consumers, parameters.placement,
                allowsRefit: parameters.proposal.method.method.allowsRefit, rankThreshold: rankThreshold)
        } catch let problem as LinearAlgebraError {
            throw GrowthError.unsolvable(width: width.name, problem: problem)
        }
        extensions = zip(fitted.extensions, geometries).map { extended, geometry in
            Extension(
                neurons: extended.neurons.placed(at: geometry), update: extended.update, room: extended.room)
        }
        neuronDecrease = fitted.decrease
        updateDecrease = zip(extensions, consumers).reduce(0) { sum, pair in
            sum + (pair.0.update.map { $0.transposed.inner(pair.1.consumerMoment) } ?? 0)
        }
    }

    /// The first-order decrease with the neurons at amplitude γ and the consumers' own moves at another.
    func decrease(at amplitude: Double, update: Double) -> Double {
        amplitude * neuronDecrease + update * updateDecrease
    }

    /// The exact first-order decrease per unit of what the neurons cost.
    var decreasePerCost: Double { count > 0 ? decrease(at: 1, update: 1) / Double(count * price) : 0 }

    private static func check(
        _ candidates: Int, _ perDirection: Int, _ requested: Int, at width: Width,
        _ proposal: ProposalParameters
    ) throws {
        guard proposal.neurons.isStrict else { return }
        guard requested.isMultiple(of: perDirection) else {
            throw GrowthError.oddPairs(width: width.name, asked: requested)
        }
        guard candidates * perDirection >= requested else {
            throw GrowthError.notEnoughDirections(
                width: width.name, method: proposal.method.kind, asked: requested,
                available: candidates * perDirection)
        }
    }

    /// Neurons whose gain is above twice its standard error and, per unit of cost, above the best updates' own.
    private static func paying(
        _ candidates: [Int], _ found: WidthBottleneck, _ measured: MeasuredGains, price: Int,
        _ geometries: [SiteGeometry], _ cost: GrowthCost
    ) -> [Int] {
        // Three products of a training step read or write a consumer's weight, each with a multiply-add.
        let updateCost = zip(found.consumers, geometries).reduce(0) { sum, consumer in
            let weights = consumer.0.bestUpdate
            let perWeight = cost == .parameters ? 1 : 6 * consumer.1.output.count
            return sum + perWeight * weights.rows * weights.columns
        }
        let required = found.bestUpdateDecrease / Double(updateCost)
        return candidates.filter { neuron in
            let isPlus = measured.gains.plus[neuron] >= measured.gains.minus[neuron]
            let gain = isPlus ? measured.gains.plus[neuron] : measured.gains.minus[neuron]
            let error = isPlus ? measured.plusErrors[neuron] : measured.minusErrors[neuron]
            return gain > 2 * error && gain / Double(price) > required
        }
    }

    /// The candidates that are kept, with signs that are the best for all consumers together.
    private static func signed(
        _ consumers: [ConsumerBottleneck], _ measured: MeasuredGains, _ slopes: SlopesAtZero,
        _ signs: SignRule, _ kept: [Int]
    ) -> [SignedNeurons] {
        // Where consumers make room for the neurons, what they follow by themselves is no merit of the neurons.
        let judges = consumers.compactMap { consumer -> NeuronGains? in
            guard consumer.proposal.neurons.compensation != nil, let moments = consumer.effects?.moments
            else { return nil }
            return NeuronGains(
                moments.gradient - moments.overlap.timesTransposed(consumer.bestUpdate),
                neurons: consumer.proposal.neurons, slopes: slopes)
        }
        let judge = judges.count == consumers.count ? NeuronGains(sumOf: judges) : measured.gains
        return consumers.map { consumer in
            var signed = signs.choose(
                consumer.proposal.neurons, gains: consumer.effects?.gains ?? measured.gains, judge: judge
            ).selecting(candidates: kept)
            if signs == .pair {
                // A pair does (r + l) of what a linear neuron does, and the consumer makes room for that, by halves.
                let share = (slopes.right + slopes.left) / 2
                signed.neurons.compensation = signed.neurons.compensation.map { share * $0 }
            }
            return signed
        }
    }

    private static func fit(
        _ signed: [SignedNeurons], _ consumers: [ConsumerBottleneck], _ placement: PlacementParameters,
        allowsRefit: Bool, rankThreshold: Double
    ) throws -> (extensions: [Extension], decrease: Double) {
        guard signed[0].neurons.count > 0 else {
            return (signed.map { Extension(neurons: $0.neurons, update: nil) }, 0)
        }
        if allowsRefit && placement.update {
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
        _ signed: [SignedNeurons], _ consumers: [ConsumerBottleneck], rankThreshold: Double
    ) throws -> (extensions: [Extension], decrease: Double) {
        var decrease = 0.0
        let solutions = try zip(signed, consumers).compactMap { signed, consumer in
            try consumer.effects.map { effects in
                let best = try BestUpdate(
                    covariance: consumer.consumerCovariance, moment: consumer.consumerMoment,
                    threshold: rankThreshold)
                let solution = try Refit(
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
