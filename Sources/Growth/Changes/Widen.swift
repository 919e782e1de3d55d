internal import Correlations
internal import GrowthMath
internal import Networks
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
        var found = place.measured
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
        let (network, width) = (place.network, place.width)
        guard let amplitude = tried.amplitude else { return network }
        let placed = try bounded(
            extensions.map { $0.scaled(by: amplitude.amplitude, update: amplitude.update) })
        let isNormalized =
            placed[0].neurons.originals == nil && !network.architecture.normalizations(width.between).isEmpty
        if isNormalized { try samples.carry(to: width.input, of: network) }
        let grown = try network.grafting(placed, at: width)
        return isNormalized ? try grown.normalizing(neurons, at: width, over: samples) : grown
    }

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
