internal import Correlations
internal import GrowthMath
internal import Networks
internal import Parameters
internal import Tensors

/// More neurons at a width, and moves of the layers that read it.
struct Widen: NetworkChange {
    static let kind = ChangeKind.widen

    private let place: ChangePlace
    private let choice: NeuronChoice
    /// Fitted to the network as it is, at amplitude 1.
    private let extensions: [Extension]

    var neurons: Int { choice.count }
    let decreasePerCost: Double

    static func proposed(at place: ChangePlace) throws -> ProposedChange {
        let (parameters, width, network) = (place.parameters, place.width, place.network)
        let method = parameters.proposal.method.method
        let graft = parameters.placement.graft.rule
        var found = place.measured
        if let obstacle = graft.obstacle(at: width, of: network.architecture) {
            return .nothing("graft: \(type(of: graft).kind) cannot size neurons here: \(obstacle)")
        }
        let part = parameters.placement.stop.bottleneck
        guard found.relativeBottleneck >= part else {
            return .nothing("the bottleneck is under \(part) of the gradient")
        }
        let requested = place.neurons.request(
            width: width.count, round: parameters.round, rounds: parameters.rounds)
        if method.needs.isEmpty {
            // Methods that only read weights propose for the network as it is now.
            let proposals = try WidthProblem(
                width, of: network, statistics: nil, proposal: parameters.proposal, seed: parameters.seed,
                round: parameters.round, position: place.position
            ).propose(by: method, limit: requested)
            for index in proposals.indices { found.consumers[index].proposal = proposals[index] }
            found.inputs = network.inputRanges(of: width.producers).map(\.count)
        }
        let most = parameters.placement.stop.parameters
        let choice = try NeuronChoice(
            found, at: width, price: network.costPerNeuron(parameters.placement.cost, at: width),
            parameters: parameters, requested: requested,
            most: most == 0
                ? .max
                : max(0, most - network.parameterCount)
                    / max(1, network.costPerNeuron(.parameters, at: width)),
            rankThreshold: place.rankThreshold)
        // Methods that predict nothing grow where the bottleneck is largest for what a neuron costs.
        let decreasePerCost =
            method.placement == .searched
            ? choice.decreasePerCost
            : found.bottleneck / Double(network.costPerNeuron(parameters.placement.cost, at: width))
        guard choice.count > 0 else {
            return .nothing("no candidate pays for itself, or no budget is left")
        }
        let extensions = parameters.scaled(
            choice.extensions.fitted(to: width, of: network, inputs: found.inputs), at: width, of: network)
        return .change(
            Widen(place: place, choice: choice, extensions: extensions, decreasePerCost: decreasePerCost))
    }

    func tried(over samples: CarriedSamples, before: Double?) throws -> TriedChange {
        let (parameters, consumers) = (place.parameters, place.measured.consumers)
        guard graft.keepsFunction else { return try sizedTrial(over: samples, before: before) }
        let trial = try trial(over: samples)
        let found = try parameters.amplitude(hasUpdate: trial.hasUpdate, before: before) {
            try trial.loss(at: $0, update: $1)
        }
        guard found.amplitude > 0, found.loss.isFinite else {
            return TriedChange(
                lossBefore: found.lossBefore, loss: found.lossBefore, note: "no amplitude lowers the loss")
        }
        let wanted = extensions.map { $0.scaled(by: found.amplitude, update: found.update) }
        let placed = try bounded(wanted)
        let lost = wanted.indices.map {
            wanted[$0].decreaseLost(with: placed[$0], moment: consumers[$0].consumerMoment)
        }
        return TriedChange(
            amplitude: found, lossBefore: found.lossBefore, loss: found.loss,
            predictedDecrease: parameters.predictsDecrease
                ? lost.reduce(choice.decrease(at: found.amplitude, update: found.update), -) : nil,
            note: found.note(isBounded: placed != wanted))
    }

    func applied(_ tried: TriedChange, over samples: CarriedSamples) throws -> Network {
        guard let amplitude = tried.amplitude else { return place.network }
        return try grafted(
            bounded(extensions.map { $0.scaled(by: amplitude.amplitude, update: amplitude.update) }),
            over: samples)
    }

    /// The network with neurons as they are to stand in it, their channels normalised and their size as the graft says.
    private func grafted(_ extensions: [Extension], over samples: CarriedSamples) throws -> Network {
        let (network, width) = (place.network, place.width)
        var placed = extensions
        if !graft.keepsFunction {
            for index in placed.indices { (placed[index].update, placed[index].room) = (nil, nil) }
        }
        let isNormalized =
            placed[0].neurons.originals == nil && !network.architecture.normalizations(width.between).isEmpty
        if isNormalized || !graft.keepsFunction { try samples.carry(to: width.input, of: network) }
        var grown = try network.grafting(placed, at: width)
        if isNormalized { grown = try grown.normalizing(neurons, at: width, over: samples) }
        grown = graft.sized(grown, newborn: neurons, at: width)
        return graft.keepsFunction ? grown : try grown.remeasuring(from: width, over: samples)
    }

    /// The loss with neurons of a size that is not searched.
    private func sizedTrial(over samples: CarriedSamples, before: Double?) throws -> TriedChange {
        let (width, loss) = (place.width, place.parameters.loss)
        let found = try TriedAmplitude(fixed: 1, before: before) { amplitude, _ in
            let network = amplitude > 0 ? try grafted(extensions, over: samples) : place.network
            return try samples.loss(of: network, changedBehind: width.input, as: loss)
        }
        guard found.lossBefore.isFinite, found.loss.isFinite else {
            throw GrowthError.lossNotFinite(what: "the samples that amplitudes are tried on")
        }
        return TriedChange(amplitude: found, lossBefore: found.lossBefore, loss: found.loss)
    }

    private var graft: any GraftRule { place.parameters.placement.graft.rule }

    private func trial(over samples: CarriedSamples) throws -> GrowthTrial {
        try GrowthTrial(
            extensions, at: place.width, of: place.network, bounds: bounds, over: samples,
            loss: place.parameters.loss)
    }

    private var bounds: [MoveBound] {
        place.measured.consumers.map {
            MoveBound(
                covariance: $0.consumerCovariance, consumer: $0.consumer, inputs: place.width.count,
                of: place.network)
        }
    }

    private func bounded(_ extensions: [Extension]) throws -> [Extension] {
        try zip(bounds, extensions).map { try $0.bounding($1) }
    }
}
