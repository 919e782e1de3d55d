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
    /// Nodes between get the channels they need: copies have those of their originals; for others a depthwise kernel is
    /// the identity, and a batch normalisation passes them unchanged in evaluation, with a mean of 0 and a variance of 1
    /// until they are measured (`normalizing`). The optimiser's state goes along; what is new starts at
    /// zero there.
    /// - Parameter extension: as it is to stand in the network, amplitude included.
    /// - Throws: `NetworkError` where a weight is not finite or the widened architecture is not allowed.
    package func grafting(_ extension: Extension, at site: GrowthSite) throws -> Network {
        let neurons = `extension`.neurons
        guard neurons.count > 0 else { return self }
        let taps = site.geometry.consumer.taps
        precondition(neurons.taps == taps, "neurons of \(neurons.taps) taps at \(site.name), which has \(taps)")
        var result = self
        result.architecture = try architecture.widening(site, by: neurons.count)
        let layout = ParameterLayout(result.architecture)

        var consumer = site.consumerWeights(of: self)
        if let update = `extension`.update { consumer = consumer + update }
        let inputs = site.width * taps
        let widened = consumer.selecting(columns: 0..<inputs).appending(columns: neurons.fanOut)
            .appending(columns: consumer.selecting(columns: inputs..<consumer.columns))
        result.set(site.consumer, widened, layout)
        result.set(site.producer, site.producerWeights(of: self).appending(rows: neurons.fanIn), layout)
        for name in site.between {
            guard let operation = architecture.nodes.first(where: { $0.name == name })?.operation else { continue }
            for entry in layout.entries where entry.node == name {
                result.parameters[entry.name] = parameters[entry.name]?.growing(
                    to: entry, copying: neurons.originals, at: site.width, operation)
            }
            for entry in ParameterLayout.state(result.architecture).entries where entry.node == name {
                result.state[entry.name] = state[entry.name]?.growing(
                    to: entry, copying: neurons.originals, at: site.width, operation)
            }
        }
        for entry in layout.entries {
            for slot in OptimizerSlot.allCases {
                let name = "\(entry.name)/\(slot.rawValue)"
                result.optimizerState[name] = optimizerState[name]?.padded(to: entry.specification.shape)
            }
        }
        try result.validate(source: "the network grown at \(site.name)")
        return result
    }

    /// Sets W and b of a layer from [W | b]. Values that were Float32 before stay the same bits.
    private mutating func set(_ node: String, _ extended: Matrix, _ layout: ParameterLayout) {
        for entry in layout.entries where entry.node == node {
            let isBias = entry.specification.name == "bias"
            let inputs = entry.count / max(extended.rows, 1)
            parameters[entry.name] = Tensor(
                shape: entry.specification.shape,
                values: isBias
                    ? extended.column(extended.columns - 1).map(Float.init)
                    : extended.selecting(columns: 0..<inputs).narrowed)
        }
    }
}

extension Tensor {
    /// What a node between has for each channel, with entries for new channels last.
    ///
    /// - Parameters:
    ///   - originals: the channels that the new ones are copies of; nil for channels that pass unchanged.
    ///   - width: channels before. Where a flattened image comes in, each has several entries.
    fileprivate func growing(
        to entry: ParameterLayout.Entry, copying originals: [Int]?, at width: Int,
        _ operation: any Operation
    ) -> Tensor {
        let shape = entry.specification.shape
        let added = entry.count - count
        var values = values
        if let originals {
            let each = count / max(width, 1)
            for original in originals { values += self.values[original * each..<(original + 1) * each] }
        } else {
            values += operation.passing(entry.specification, count: added)
        }
        return Tensor(shape: shape, values: values)
    }

    /// The same values at the same places of a larger tensor of the same rank, zeros elsewhere.
    func padded(to larger: [Int]) -> Tensor {
        guard larger != shape else { return self }
        var result = Tensor(repeating: 0, shape: larger)
        for (index, value) in values.enumerated() {
            var (rest, place, stride) = (index, 0, 1)
            for axis in shape.indices.reversed() {
                place += rest % shape[axis] * stride
                rest /= shape[axis]
                stride *= larger[axis]
            }
            result.values[place] = value
        }
        return result
    }
}

extension Operation {
    /// Values of a parameter or a state for channels that are to pass unchanged.
    fileprivate func passing(_ specification: ParameterSpecification, count: Int) -> [Float] {
        switch (self, specification.name) {
        case (let normalization as BatchNormalization, "weight"):
            return Array(repeating: Float((1 + normalization.epsilon).squareRoot()), count: count)
        case (let depthwise as DepthwiseConvolution, "weight"):
            let (taps, kernel) = (depthwise.window.taps, depthwise.window.kernel)
            let middle = kernel.height / 2 * kernel.width + kernel.width / 2
            return (0..<count).map { $0 % taps == middle ? 1 : 0 }
        case (_, "running_var"): return Array(repeating: 1, count: count)
        default: return Array(repeating: 0, count: count)
        }
    }
}
