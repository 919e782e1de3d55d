internal import Networks
internal import Tensors

/// Which candidates of a site are added, with which signs, and how the consumer moves with them.
struct NeuronChoice {
    /// At amplitude 1.
    let `extension`: Extension
    /// The exact first-order decreases per unit of γ, by the neurons with what makes room for them and by the consumer's own
    /// move; 0 where the function is kept.
    private let neuronDecrease: Double
    private let updateDecrease: Double

    private let bottleneck: SiteBottleneck
    private let site: GrowthSite
    private let network: Network

    /// - Parameters:
    ///   - requested: neurons to add; the policy says whether fewer are an error.
    ///   - room: the most neurons that budgets leave room for.
    ///   - rankThreshold: the one that the best update was solved with.
    init(
        _ bottleneck: SiteBottleneck, at site: GrowthSite, of network: Network, parameters: GrowthParameters,
        requested: Int, room: Int, rankThreshold: Double
    ) throws {
        self.bottleneck = bottleneck
        self.site = site
        self.network = network
        let method = parameters.proposal.method
        let candidates = bottleneck.proposal.neurons
        // A smooth activation has no better sign, and a pair of its neurons would be twins.
        let signs: SignRule =
            site.isKinked && bottleneck.effects != nil ? parameters.placement.signs : .best
        let perDirection = signs == .pair ? 2 : 1
        if parameters.proposal.neurons.isStrict, !requested.isMultiple(of: perDirection) {
            throw GrowthError.oddPairs(site: site.name, asked: requested)
        }
        if parameters.proposal.neurons.isStrict, candidates.count * perDirection < requested {
            throw GrowthError.notEnoughDirections(
                site: site.name, method: method.rawValue, asked: requested,
                available: candidates.count * perDirection)
        }
        let most = min(requested, room) / perDirection
        guard let effects = bottleneck.effects else {
            let chosen = candidates.selecting(0..<min(most, candidates.count))
            `extension` = Extension(
                neurons: chosen.placed(at: site), update: bottleneck.proposal.update, room: chosen.room)
            (neuronDecrease, updateDecrease) = (0, 0)
            return
        }
        var kept = Array(0..<min(most, candidates.count))
        if case .auto = parameters.proposal.neurons {
            kept = Self.paying(kept, bottleneck, effects, site, network, parameters.placement.cost)
        }
        // Where the consumer makes room for the neurons, what it follows by itself is no merit of theirs.
        let judge = candidates.compensation.map { _ in
            NeuronGains(
                effects.moments.gradient - effects.moments.overlap.timesTransposed(bottleneck.bestUpdate),
                neurons: candidates, slopes: site.slopes)
        }
        var signed = signs.choose(candidates, gains: effects.gains, judge: judge).selecting(candidates: kept)
        if signs == .pair {
            // A pair does (r + l) of what a linear neuron does, and the consumer makes room for that, by halves.
            let share = (site.slopes.right + site.slopes.left) / 2
            signed.neurons.compensation = signed.neurons.compensation.map { share * $0 }
        }
        let fitted = try Self.fit(
            signed, bottleneck, effects, site, parameters.placement, allowsRefit: method.method.allowsRefit,
            rankThreshold: rankThreshold)
        `extension` = Extension(
            neurons: fitted.extension.neurons.placed(at: site), update: fitted.extension.update,
            room: fitted.extension.room)
        neuronDecrease = fitted.decrease
        updateDecrease = fitted.extension.update.map { $0.transposed.inner(bottleneck.consumerMoment) } ?? 0
    }

    /// The first-order decrease with the neurons at amplitude γ and the consumer's own move at another.
    func decrease(at amplitude: Double, update: Double) -> Double {
        amplitude * neuronDecrease + update * updateDecrease
    }

    /// The exact first-order decrease per unit of what the neurons cost.
    func decreasePerCost(_ cost: GrowthCost) -> Double {
        let count = `extension`.neurons.count
        return count > 0
            ? decrease(at: 1, update: 1) / Double(count * site.costPerNeuron(cost, in: network)) : 0
    }

    /// Neurons whose gain is above twice its standard error and, per unit of cost, above the best update's own.
    private static func paying(
        _ candidates: [Int], _ bottleneck: SiteBottleneck, _ effects: CandidateEffects, _ site: GrowthSite,
        _ network: Network, _ cost: GrowthCost
    ) -> [Int] {
        let weights = bottleneck.bestUpdate
        // Three products of a training step read or write a consumer's weight, each with a multiply-add.
        let updateCost =
            (cost == .parameters ? 1 : 6 * site.geometry.output.count) * weights.rows * weights.columns
        let required = bottleneck.bestUpdateDecrease / Double(updateCost)
        let price = Double(site.costPerNeuron(cost, in: network))
        return candidates.filter { neuron in
            let isPlus = effects.gains.plus[neuron] >= effects.gains.minus[neuron]
            let gain = isPlus ? effects.gains.plus[neuron] : effects.gains.minus[neuron]
            let error = isPlus ? effects.plusErrors[neuron] : effects.minusErrors[neuron]
            return gain > 2 * error && gain / price > required
        }
    }

    private static func fit(
        _ signed: SignedNeurons, _ bottleneck: SiteBottleneck, _ effects: CandidateEffects,
        _ site: GrowthSite,
        _ placement: PlacementParameters, allowsRefit: Bool, rankThreshold: Double
    ) throws -> (extension: Extension, decrease: Double) {
        guard signed.neurons.count > 0 else { return (Extension(neurons: signed.neurons, update: nil), 0) }
        let update = placement.update ? bottleneck.proposal.update : nil
        if allowsRefit && placement.refit && placement.update {
            let best = try BestUpdate(
                covariance: bottleneck.consumerCovariance, moment: bottleneck.consumerMoment,
                threshold: rankThreshold)
            let refit = try Refit(
                signed, moments: effects.moments, bestUpdate: best, threshold: Refit.threshold)
            return (
                Extension(
                    neurons: refit.neurons, update: bottleneck.bestUpdate, room: refit.neurons.room),
                refit.decrease - best.decrease
            )
        }
        let extended = Extension(neurons: signed.neurons, update: update, room: signed.neurons.room)
        let decrease = FirstOrderDecrease(
            update: extended.room, moment: bottleneck.consumerMoment, gains: signed.gains)
        return (extended, decrease.total)
    }
}

extension NewNeurons {
    /// The same for all taps of a site's consumer, where they were proposed for its centre alone.
    fileprivate func placed(at site: GrowthSite) -> NewNeurons {
        guard count > 0, taps != site.geometry.consumer.taps else { return self }
        return placed(
            at: site.geometry(.restricted).consumerTap(0), of: site.geometry.consumer.taps)
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
        guard cost == .flops else { return parametersPerNeuron(in: network) }
        let architecture = network.architecture
        let wider = try? architecture.widening(self, by: 1)
        return max(1, (wider ?? architecture).flopsPerSample.training - architecture.flopsPerSample.training)
    }
}
