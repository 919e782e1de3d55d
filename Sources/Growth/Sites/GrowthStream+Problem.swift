internal import Networks
internal import Tensors

extension GrowthStream {
    /// The width as a site that methods which read weights alone can propose for.
    ///
    /// The inputs of all producers stand side by side, a neuron's fan-in into each of them together [k, Σ a_p]. Every output
    /// and tap of every consumer is a row: W [Σ c_q E_q, width], so that the fan-out of a neuron is one column. Statistics are
    /// empty.
    func problem(
        in network: Network, proposal: ProposalParameters, seed: Int, round: Int, position: Int
    ) throws -> SiteProblem {
        let producerWeights = producers.map(network.extendedWeights).reduce(Matrix(rows: width, columns: 0)) {
            $0.appending(columns: $1)
        }
        let consumerWeights = consumers.map { readings(of: network.inputWeights(of: $0)) }
            .reduce(Matrix(rows: 0, columns: width)) { $0.appending(rows: $1) }
        let empty = Matrix(rows: width, columns: width)
        let moment = Matrix(rows: width, columns: consumerWeights.rows)
        let statistics = SiteStatistics(
            samples: 1,
            geometry: SiteGeometry(
                inputs: producerWeights.columns, producerHasBias: false, width: width, consumerHasBias: false,
                outputs: consumerWeights.rows),
            consumerCovariance: empty, consumerMoment: moment, gradientNorm: 0,
            bestUpdate: try BestUpdate(covariance: empty, moment: moment, threshold: 1), bottleneck: 0)
        return SiteProblem(
            statistics: statistics, producerWeights: producerWeights, consumerWeights: consumerWeights,
            gain: network.architecture.initializationGain(after: name), fanOutScale: proposal.scale,
            random: Philox(seed: seed, purpose: .growth, epoch: round, index: position))
    }

    /// What every producer and consumer gets of a proposal for ``problem(in:proposal:seed:round:position:)``.
    func graft(_ proposal: Proposal, in network: Network) -> Graft {
        let neurons = proposal.neurons
        let update = proposal.consumerUpdate(with: neurons)
        var column = 0
        let fanIns = producers.map { node in
            let inputs = network.extendedWeights(of: node).columns
            defer { column += inputs }
            var fanIn = neurons.fanIn.selecting(columns: column..<column + inputs)
            // Biases of new channels begin at 0; those of copies are their originals'.
            if neurons.originals == nil, network.parameters["\(node)/bias"] != nil {
                for neuron in 0..<fanIn.rows { fanIn[neuron, inputs - 1] = 0 }
            }
            return (node: node, fanIn: fanIn)
        }
        var row = 0
        let fanOuts = consumers.map { node in
            let weights = network.inputWeights(of: node)
            let taps = weights.columns / max(width, 1)
            let rows = row..<row + weights.rows * taps
            row = rows.upperBound
            let fanOut = neurons.fanOut.selecting(rows: rows).tapsToColumns(taps)
            let moved = update.map { update in
                let move = update.selecting(rows: rows).tapsToColumns(taps)
                guard network.parameters["\(node)/bias"] != nil else { return move }
                return move.appending(columns: Matrix(rows: move.rows, columns: 1))
            }
            return (node: node, fanOut: fanOut, update: moved)
        }
        return Graft(
            name: name, width: width, count: neurons.count, producers: fanIns, consumers: fanOuts,
            between: between, originals: neurons.originals)
    }

    /// [c, width E] as [c E, width].
    private func readings(of weights: Matrix) -> Matrix {
        weights.tapsToRows(weights.columns / max(width, 1))
    }
}

extension Network {
    /// W of a layer, [out, everything else], without the bias.
    fileprivate func inputWeights(of node: String) -> Matrix {
        let weights = extendedWeights(of: node)
        return weights.selecting(columns: 0..<weights.columns - (parameters["\(node)/bias"] == nil ? 0 : 1))
    }
}
