internal import Datasets
internal import Networks
internal import Tensors
internal import Training

/// Growth of the widths that residual branches share, by methods that read weights alone.
///
/// Neurons are put in as proposed; there is nothing to search.
struct StreamGrowth {
    let parameters: GrowthParameters
    let dataset: Dataset
    let threads: Int

    /// A network with new channels in one stream, and the record of it; the network is nil where none were added.
    ///
    /// - Parameters:
    ///   - position: of the stream, counted on after the sites.
    ///   - room: the most parameters that may be added.
    func grow(
        _ stream: GrowthStream, of network: Network, position: Int, room: Int
    ) throws -> (network: Network?, record: GrowthRecord) {
        let perNeuron =
            try ParameterLayout(network.architecture.widening(stream.producers, by: 1))
            .parameterCount - ParameterLayout(network.architecture).parameterCount
        let asked = parameters.proposal.neurons.request(
            width: stream.width, site: position, round: parameters.round, rounds: parameters.rounds)
        var record = GrowthRecord(
            round: parameters.round, site: stream.name, method: parameters.proposal.method.rawValue,
            neurons: 0, amplitude: 0, predictedDecrease: nil, realizedDecrease: 0,
            lossBefore: try loss(of: network), bottleneck: 0, gradientNorm: 0)
        let problem = try stream.problem(
            in: network, proposal: parameters.proposal, seed: parameters.seed, round: parameters.round,
            position: position)
        let proposal = try parameters.proposal.method.method.propose(
            for: problem, limit: min(asked, room / max(perNeuron, 1)))
        guard proposal.neurons.count > 0 else {
            record.note = "no candidate, or no budget is left"
            return (nil, record)
        }
        var grown = try network.grafting(stream.graft(proposal, in: network))
        if proposal.neurons.originals == nil {
            grown = try grown.normalizing(
                proposal.neurons.count, after: stream.name, between: stream.between, over: dataset.train,
                dataset.normalization)
        }
        record.neurons = proposal.neurons.count
        record.amplitude = 1
        record.realizedDecrease = record.lossBefore - (try loss(of: grown))
        guard record.realizedDecrease.isFinite else {
            throw GrowthError.lossNotFinite(what: "the samples that growth is measured on")
        }
        return (grown, record)
    }

    /// The mean loss over the validation split, or the training split where there is none.
    private func loss(of network: Network) throws -> Double {
        let architecture = network.architecture
        let split = dataset.validation.count > 0 ? dataset.validation : dataset.train
        let evaluator = Evaluator(
            architecture, ParameterArena(ParameterLayout(architecture), network.parameters),
            state: ParameterArena(ParameterLayout.state(architecture), network.state),
            Batches(split, dataset.normalization, order: architecture.sampleOrder))
        return try evaluator.sums(parameters.loss, threads: threads).loss / Double(max(split.count, 1))
    }
}
