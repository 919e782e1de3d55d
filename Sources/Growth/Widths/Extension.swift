package import GrowthMath
package import Networks
internal import Tensors

extension [Extension] {
    /// The same for a network whose other widths have grown since: zero weights for inputs of the producers and outputs of
    /// the consumers that were not known. Biases stay the last column of each producer.
    ///
    /// - Parameter inputs: Σ a's parts, as they were when the extensions were found.
    package func fitted(to width: Width, of network: Network, inputs: [Int]) -> [Extension] {
        let now = network.inputRanges(of: width.producers)
        let parts = zip(width.producers, zip(inputs.ranges, now)).map { node, ranges in
            self[0].neurons.fanIn.selecting(columns: ranges.0)
                .widened(to: ranges.1.count, before: network.hasBias(node) ? 1 : 0)
        }
        let fanIn = parts.dropFirst().reduce(parts[0]) { $0.appending(columns: $1) }
        return zip(self, width.consumers).map { extended, consumer in
            let outputs = network.extendedWeights(of: consumer).rows
            func widened(_ move: Matrix) -> Matrix {
                move.transposed.widened(to: outputs, before: 0).transposed
            }
            var neurons = extended.neurons
            neurons.fanIn = fanIn
            neurons.fanOut = widened(neurons.fanOut)
            return Extension(
                neurons: neurons, update: extended.update.map(widened), room: extended.room.map(widened))
        }
    }
}

extension Matrix {
    /// Zero columns put in before the last `kept` ones.
    func widened(to width: Int, before kept: Int) -> Matrix {
        guard width > columns else { return self }
        let zeros = Matrix(rows: rows, columns: width - columns)
        return selecting(columns: 0..<columns - kept).appending(columns: zeros)
            .appending(columns: selecting(columns: columns - kept..<columns))
    }
}

extension MoveBound {
    /// For a layer of a network.
    ///
    /// - Parameter inputs: the consumer's, each of as many columns of its weights.
    init(covariance: Matrix, consumer: String, inputs: Int, of network: Network) {
        self.init(
            covariance: covariance, consumerWeights: network.extendedWeights(of: consumer),
            hasBias: network.hasBias(consumer), inputs: inputs)
    }
}
