internal import Correlations
internal import Foundation
internal import GrowthMath
internal import Networks
internal import Tensors

/// A stream as one site that methods can propose for, and what their proposals mean for its layers.
///
/// The inputs of all producers stand side by side, a neuron's fan-in into each of them together [k, Σ a_p]. Every output and
/// tap of every consumer is a row: W [Σ c_q E_q, width], so that the fan-out of a neuron is one column.
///
/// N has a block N_pq for every producer and consumer, zero where no way leads from p to q, and S a block Σ_q S_pq for every
/// producer. What inputs of different producers have in common is left out of S: a direction's length is judged as if they
/// were unrelated, which changes which descent directions are found but not that they descend: ⟨G⊥, activity⟩/n = Σ λ² whatever
/// S is. Each X_p is measured in units of its own size, so that thresholds and ridge treat producers alike.
struct StreamProblem {
    let stream: GrowthStream
    let site: SiteProblem
    private let statistics: StreamStatistics?
    private let network: Network
    private let blocks: StreamBlocks

    /// - Parameters:
    ///   - statistics: nil for methods that read weights alone.
    ///   - scheme: of the taps that methods which follow statistics propose for.
    init(
        _ stream: GrowthStream, of network: Network, statistics: StreamStatistics?,
        proposal: ProposalParameters, thresholds: Thresholds = Thresholds(), seed: Int, round: Int,
        position: Int
    ) throws {
        self.stream = stream
        self.statistics = statistics
        self.network = network
        let blocks = StreamBlocks(stream, of: network, statistics: statistics)
        self.blocks = blocks
        let producerWeights = stream.producers.map(network.extendedWeights)
            .reduce(Matrix(rows: stream.width, columns: 0)) { $0.appending(columns: $1) }
        let consumerWeights = zip(stream.consumers, stream.consumerTaps(in: network.architecture))
            .map { network.inputWeights(of: $0).tapsToRows($1) }
            .reduce(Matrix(rows: 0, columns: stream.width)) { $0.appending(rows: $1) }
        var site = SiteProblem(
            statistics: try blocks.siteStatistics(statistics, width: stream.width),
            producerWeights: producerWeights, consumerWeights: consumerWeights,
            gain: network.architecture.initializationGain(after: stream.name),
            slopes: statistics == nil
                ? .unit : .mean(stream.routes(in: network.architecture, proposal.taps).map(\.slopes)),
            fanOutScale: proposal.scale, thresholds: thresholds,
            random: Philox(seed: seed, purpose: .growth, epoch: round, index: position))
        site.biases = stream.producers.indices.filter { network.hasBias(stream.producers[$0]) }
            .map { blocks.inputs[$0].upperBound - 1 }
        site.idleBiases = site.biases.filter { bias in
            let pairs = statistics?.pairs.filter { blocks.inputs[$0.producer].contains(bias) } ?? []
            return !pairs.isEmpty && pairs.allSatisfy(\.statistics.geometry.sharesOnes)
        }
        self.site = site
    }

    /// A method's proposal as each consumer sees it: fan-ins into all producers side by side, and its own fan-outs and move.
    func propose(by method: any GrowthMethod, limit: Int) throws -> [Proposal] {
        let proposal = try method.propose(for: site, limit: limit)
        return try stream.consumers.indices.map { consumer in
            Proposal(
                neurons: share(of: proposal.neurons, consumer), singularValues: proposal.singularValues,
                update: try update(of: consumer, by: method))
        }
    }

    private func share(of neurons: NewNeurons, _ consumer: Int) -> NewNeurons {
        var fanIn = neurons.fanIn.scaling(columns: blocks.unscaling)
        if statistics == nil, neurons.originals == nil {
            // Biases of new channels begin at 0; those of copies are their originals'.
            for neuron in 0..<fanIn.rows { for bias in site.biases { fanIn[neuron, bias] = 0 } }
        }
        return NewNeurons(
            fanIn: fanIn,
            fanOut: blocks.share(of: neurons.fanOut, for: consumer),
            compensation: neurons.compensation.map {
                statistics == nil
                    ? $0.tapByTap(blocks.allTaps[consumer], bias: network.hasBias(stream.consumers[consumer]))
                    : blocks.room(in: $0, for: consumer)
            }, originals: neurons.originals)
    }

    /// How a method moves a consumer that gets no neurons.
    private func update(of consumer: Int, by method: any GrowthMethod) throws -> Matrix? {
        guard let statistics else { return nil }
        var problem = site
        problem.statistics = statistics.consumer(consumer).withoutInputs
        (problem.biases, problem.idleBiases) = ([], [])
        return try method.propose(for: problem, limit: 0).update
    }
}

extension GrowthStream {
    /// What every producer and consumer gets of extensions that fit the consumers, amplitude included.
    func graft(_ extensions: [Extension], in network: Network) -> Graft {
        let neurons = extensions[0].neurons
        let fanIns = zip(producers, network.fanIns(neurons.fanIn, into: producers)).map {
            (node: $0, fanIn: $1)
        }
        let fanOuts = zip(consumers, extensions).map { node, extended in
            (node: node, fanOut: extended.neurons.fanOut, update: extended.move)
        }
        return Graft(
            name: name, width: width, count: neurons.count, producers: fanIns, consumers: fanOuts,
            between: between, originals: neurons.originals)
    }
}

extension Network {
    /// Fan-ins into several layers side by side as those into each.
    func fanIns(_ fanIn: Matrix, into producers: [String]) -> [Matrix] {
        var column = 0
        return producers.map { node in
            let inputs = extendedWeights(of: node).columns
            defer { column += inputs }
            return fanIn.selecting(columns: column..<column + inputs)
        }
    }

    /// W of a layer, [out, everything else], without the bias.
    func inputWeights(of node: String) -> Matrix {
        let weights = extendedWeights(of: node)
        return weights.selecting(columns: 0..<weights.columns - (hasBias(node) ? 1 : 0))
    }

    func hasBias(_ node: String) -> Bool { parameters["\(node)/bias"] != nil }
}

extension SlopesAtZero {
    /// What ways that differ have on average.
    static func mean(_ slopes: [SlopesAtZero]) -> SlopesAtZero {
        let count = Double(max(slopes.count, 1))
        return SlopesAtZero(
            right: slopes.reduce(0) { $0 + $1.right } / count,
            left: slopes.reduce(0) { $0 + $1.left } / count)
    }
}

extension SiteStatistics {
    /// The same for a consumer of which new neurons learn nothing.
    fileprivate var withoutInputs: SiteStatistics {
        var result = self
        result.inputCovariance = .identity(1)
        result.inputMoment = Matrix(rows: 1, columns: geometry.outChannels * taps)
        result.crossCovariance = result.inputMoment
        result.overlap = .exact(
            Array(repeating: Matrix(rows: 1, columns: geometry.hiddenInputs), count: taps))
        return result
    }
}

extension Matrix {
    /// K [k, width] for every tap of a consumer, [k E, width E], and a zero for its bias.
    fileprivate func tapByTap(_ taps: Int, bias: Bool) -> Matrix {
        var result = Matrix(rows: rows * taps, columns: columns * taps + (bias ? 1 : 0))
        for row in 0..<rows {
            for column in 0..<columns {
                for tap in 0..<taps { result[row * taps + tap, column * taps + tap] = self[row, column] }
            }
        }
        return result
    }
}
