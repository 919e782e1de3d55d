package import Networks
package import Tensors

/// Neurons and a consumer update that fit a site as it stands, amplitude not yet included.
package struct Extension: Equatable, Sendable {
    /// α [k, a], ω [c, k E] for all of the consumer's taps.
    package var neurons: NewNeurons
    /// What is added to the consumer's weights, [c, b]; nil for nothing.
    package var update: Matrix?

    package init(neurons: NewNeurons, update: Matrix?) {
        self.neurons = neurons
        self.update = update
    }

    /// The same at amplitude γ: √γ on either side of the neurons, γ on the update.
    package func scaled(by amplitude: Double) -> Extension {
        Extension(neurons: neurons.scaled(by: amplitude), update: update.map { amplitude * $0 })
    }

    /// The same for a network whose other sites have grown since: zero weights for inputs of the producer and outputs
    /// of the consumer that were not known. Biases stay the last column.
    package func fitted(to site: GrowthSite, of network: Network) -> Extension {
        let inputs = site.producerWeights(of: network).columns
        let consumer = site.consumerWeights(of: network)
        var fitted = neurons
        fitted.fanIn = neurons.fanIn.widened(to: inputs, before: site.producerHasBias ? 1 : 0)
        fitted.fanOut = neurons.fanOut.transposed.widened(to: consumer.rows, before: 0).transposed
        return Extension(
            neurons: fitted,
            update: update?.transposed.widened(to: consumer.rows, before: 0).transposed)
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
