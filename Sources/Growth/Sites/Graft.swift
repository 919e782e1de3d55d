package import Networks
package import Tensors

/// Neurons and a consumer update that fit a site as it stands, amplitude not yet included.
package struct Extension: Equatable, Sendable {
    /// α [k, a], ω [c, k].
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
        return Extension(
            neurons: NewNeurons(
                fanIn: neurons.fanIn.widened(to: inputs, before: site.producerHasBias ? 1 : 0),
                fanOut: neurons.fanOut.transposed.widened(to: consumer.rows, before: 0).transposed,
                compensation: neurons.compensation),
            update: update?.transposed.widened(to: consumer.rows, before: 0).transposed)
    }
}

extension Matrix {
    /// Zero columns put in before the last `kept` ones.
    fileprivate func widened(to width: Int, before kept: Int) -> Matrix {
        guard width > columns else { return self }
        let zeros = Matrix(rows: rows, columns: width - columns)
        return selecting(columns: 0..<columns - kept).appending(columns: zeros)
            .appending(columns: selecting(columns: columns - kept..<columns))
    }
}

extension Network {
    /// This network with neurons put in at a site, appended last, and the consumer's weights moved.
    ///
    /// The optimiser's state goes along; what is new starts at zero there.
    /// - Parameter extension: as it is to stand in the network, amplitude included.
    /// - Throws: `NetworkError` where a weight is not finite or the widened architecture is not allowed.
    package func grafting(_ extension: Extension, at site: GrowthSite) throws -> Network {
        let neurons = `extension`.neurons
        guard neurons.count > 0 else { return self }
        var result = self
        var consumer = site.consumerWeights(of: self)
        if let update = `extension`.update { consumer = consumer + update }
        result.set(
            site.producer, site.producerWeights(of: self).appending(rows: neurons.fanIn),
            hasBias: site.producerHasBias)
        let inputs = site.width
        let widened = consumer.selecting(columns: 0..<inputs).appending(columns: neurons.fanOut)
            .appending(columns: consumer.selecting(columns: inputs..<consumer.columns))
        result.set(site.consumer, widened, hasBias: site.consumerHasBias)
        for (name, state) in optimizerState {
            let parameter = name.split(separator: "/").dropLast().joined(separator: "/")
            if let shape = result.parameters[parameter]?.shape {
                result.optimizerState[name] = state.padded(to: shape)
            }
        }
        result.architecture = try architecture.replacing(
            site.producer, by: Linear(width: site.width + neurons.count, bias: site.producerHasBias))
        try result.validate(source: "the network grown at \(site.name)")
        return result
    }

    /// Sets W and b of a linear node from [W | b]. Values that were Float32 before stay the same bits.
    private mutating func set(_ node: String, _ extended: Matrix, hasBias: Bool) {
        let inputs = extended.columns - (hasBias ? 1 : 0)
        parameters["\(node)/weight"] = Tensor(
            shape: [extended.rows, inputs], values: extended.selecting(columns: 0..<inputs).narrowed)
        guard hasBias else { return }
        parameters["\(node)/bias"] = Tensor(
            shape: [extended.rows], values: extended.column(inputs).map(Float.init))
    }
}

extension Tensor {
    /// The same values at the same places of a larger tensor of rank 1 or 2, zeros elsewhere.
    fileprivate func padded(to larger: [Int]) -> Tensor {
        guard larger != shape else { return self }
        var result = Tensor(repeating: 0, shape: larger)
        let (from, into) = (shape.last ?? 1, larger.last ?? 1)
        for row in 0..<(shape.count == 2 ? shape[0] : 1) {
            for column in 0..<from { result.values[row * into + column] = values[row * from + column] }
        }
        return result
    }
}
