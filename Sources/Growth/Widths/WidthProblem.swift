internal import GrowthMath
internal import Correlations
internal import Networks
internal import Tensors

/// A width as one pair of layers that methods can propose for, and what their proposals mean for its layers.
///
/// A width of one producer and one consumer is that pair. Of a residual width the inputs of all producers stand side by side,
/// a neuron's fan-in into each of them together [k, Σ a_p]. Every output and tap of every consumer is a row: W [Σ c_q E_q,
/// width], so that the fan-out of a neuron is one column.
///
/// N has a block N_pq for every producer and consumer, zero where no way leads from p to q, and S a block Σ_q S_pq for every
/// producer. What inputs of different producers have in common is left out of S: a direction's length is judged as if they
/// were unrelated, which changes which descent directions are found but not that they descend: ⟨G⊥, activity⟩/n = Σ λ² whatever
/// S is. Each X_p is measured in units of its own size, so that thresholds and ridge treat producers alike.
struct WidthProblem {
    let width: Width
    let site: SiteProblem
    private let statistics: WidthStatistics?
    private let network: Network
    /// nil for one producer and one consumer.
    private let blocks: WidthBlocks?

    /// - Parameters:
    ///   - statistics: nil for methods that read weights alone.
    ///   - position: of the width among all of the network, which names its random numbers.
    init(
        _ width: Width, of network: Network, statistics: WidthStatistics?, proposal: ProposalParameters,
        thresholds: Thresholds = Thresholds(), seed: Int, round: Int, position: Int
    ) throws {
        self.width = width
        self.statistics = statistics
        self.network = network
        let random = Philox(
            seed: seed, purpose: .growth, epoch: round,
            index: network.architecture.drawNumber(ofWidth: width.name, at: position))
        guard width.isResidual else {
            blocks = nil
            let geometry = width.routes[0].geometry
            site = SiteProblem(
                statistics: try statistics?.consumer(0) ?? SiteStatistics(unmeasured: geometry),
                producerWeights: network.extendedWeights(of: width.producers),
                consumerWeights: network.extendedWeights(of: width.consumers[0]),
                consumerTaps: geometry.consumer.taps, gain: width.gain, slopes: width.slopes,
                thresholds: thresholds, random: random)
            return
        }
        let blocks = WidthBlocks(width, of: network, statistics: statistics)
        self.blocks = blocks
        let consumerWeights = zip(width.consumers, width.consumerTaps)
            .map { network.inputWeights(of: $0).tapsToRows($1) }
            .reduce(Matrix(rows: 0, columns: width.count)) { $0.appending(rows: $1) }
        var site = SiteProblem(
            statistics: try blocks.siteStatistics(statistics, width: width.count),
            producerWeights: network.extendedWeights(of: width.producers)
                .scaling(columns: blocks.unscaling.map { 1 / $0 }),
            consumerWeights: consumerWeights,
            gain: width.gain, slopes: statistics == nil ? .unit : width.slopes,
            thresholds: thresholds, random: random)
        site.biases = width.producers.indices.filter { network.hasBias(width.producers[$0]) }
            .map { blocks.inputs[$0].upperBound - 1 }
        site.idleBiases = site.biases.filter { bias in
            let pairs = statistics?.pairs.filter { blocks.inputs[$0.producer].contains(bias) } ?? []
            return !pairs.isEmpty && pairs.allSatisfy(\.statistics.geometry.sharesOnes)
        }
        self.site = site
    }

    /// A method's proposal as each consumer sees it: fan-ins into all producers side by side, and its own fan-outs and move.
    ///
    /// - Throws: `GrowthError`.
    func propose(by method: any GrowthMethod, limit: Int) throws -> [Proposal] {
        do {
            let proposal = try method.propose(for: site, limit: limit)
            guard let blocks else { return [proposal] }
            return try width.consumers.indices.map { consumer in
                Proposal(
                    neurons: share(of: proposal.neurons, consumer, blocks),
                    singularValues: proposal.singularValues, update: try update(of: consumer, by: method))
            }
        } catch let problem as LinearAlgebraError {
            throw GrowthError.unsolvable(width: width.name, problem: problem)
        }
    }

    private func share(of neurons: NewNeurons, _ consumer: Int, _ blocks: WidthBlocks) -> NewNeurons {
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
                    ? $0.tapByTap(blocks.allTaps[consumer], bias: network.hasBias(width.consumers[consumer]))
                    : blocks.compensation(in: $0, for: consumer)
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
