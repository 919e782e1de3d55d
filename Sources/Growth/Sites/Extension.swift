package import GrowthMath
package import Networks
internal import Tensors

extension Extension {
    /// The same for a network whose other sites have grown since: zero weights for inputs of the producer and outputs
    /// of the consumer that were not known. Biases stay the last column.
    package func fitted(to site: GrowthSite, of network: Network) -> Extension {
        let inputs = site.producerWeights(of: network).columns
        let consumer = site.consumerWeights(of: network)
        var fitted = neurons
        fitted.fanIn = neurons.fanIn.widened(to: inputs, before: site.producerHasBias ? 1 : 0)
        fitted.fanOut = neurons.fanOut.transposed.widened(to: consumer.rows, before: 0).transposed
        func widened(_ move: Matrix?) -> Matrix? {
            move?.transposed.widened(to: consumer.rows, before: 0).transposed
        }
        return Extension(neurons: fitted, update: widened(update), room: widened(room))
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
