internal import Correlations
package import GrowthMath
package import Networks
internal import Tensors

extension Network {
    /// This network with neurons put in at a width, appended last, and the consumers' weights moved.
    ///
    /// Nodes between get the channels they need: copies have those of their originals; others pass unchanged in evaluation,
    /// normalisations as if a mean of 0 and a variance of 1 came in until they are measured (`normalizing`). The optimiser's
    /// state goes along; what is new starts at zero there. Running averages move as the values do; those of what is new begin
    /// at its value.
    /// - Parameter extensions: one for each consumer, as they are to stand in the network, amplitude included.
    /// - Throws: `NetworkError` where a weight is not finite or the widened architecture is not allowed.
    package func grafting(_ extensions: [Extension], at width: Width) throws -> Network {
        let result = try joining(extensions, at: width)
        try result.validate(source: "the network grown at \(width.name)")
        return result
    }

    /// The same where weights need not be finite.
    func joining(_ extensions: [Extension], at width: Width) throws -> Network {
        let neurons = extensions[0].neurons
        guard neurons.count > 0 else { return self }
        for (extended, taps) in zip(extensions, width.consumerTaps) {
            precondition(
                extended.neurons.taps == taps,
                "neurons of \(extended.neurons.taps) taps at \(width.name), which has \(taps)")
        }
        var result = self
        result.architecture = try architecture.widening(width, by: neurons.count)
        let layout = ParameterLayout(result.architecture)
        for (node, weights) in weights(with: extensions, at: width) { result.set(node, weights, layout) }
        for name in width.between {
            guard let operation = architecture.nodes.first(where: { $0.name == name })?.operation else {
                continue
            }
            func grown(_ tensor: Tensor?, _ entry: ParameterLayout.Entry) -> Tensor? {
                tensor?.growing(to: entry, copying: neurons.originals, at: width.count) {
                    operation.passing(entry.specification.name, count: $0, mean: 0, variance: 1)
                }
            }
            for entry in layout.entries where entry.node == name {
                result.parameters[entry.name] = grown(parameters[entry.name], entry)
            }
            for entry in ParameterLayout.state(result.architecture).entries where entry.node == name {
                result.state[entry.name] = grown(state[entry.name], entry)
            }
        }
        for entry in layout.entries {
            for slot in optimizerSlots {
                let name = "\(entry.name)/\(slot)"
                result.optimizerState[name] = optimizerState[name]?.padded(to: entry.specification.shape)
            }
        }
        guard !lags.isEmpty else { return result }
        for entry in layout.entries + ParameterLayout.state(result.architecture).entries {
            result.lags[entry.name] = lags[entry.name]?.padded(to: entry.specification.shape)
        }
        return result
    }

    /// [W | b] of the layers that change. A layer may both make and read the width: first it gets columns, then rows.
    private func weights(with extensions: [Extension], at width: Width) -> [String: Matrix] {
        var result: [String: Matrix] = [:]
        for (node, extended) in zip(width.consumers, extensions) {
            let own = extendedWeights(of: node)
            let weights = extended.move.map { own + $0 } ?? own
            let inputs = weights.columns - (hasBias(node) ? 1 : 0)
            result[node] = weights.selecting(columns: 0..<inputs).appending(columns: extended.neurons.fanOut)
                .appending(columns: weights.selecting(columns: inputs..<weights.columns))
        }
        for (node, columns) in zip(width.producers, inputRanges(of: width.producers)) {
            let weights = result[node] ?? extendedWeights(of: node)
            result[node] = weights.appending(
                rows: extensions[0].neurons.fanIn.selecting(columns: columns)
                    .widened(to: weights.columns, before: hasBias(node) ? 1 : 0))
        }
        return result
    }

    /// Sets W and b of a layer from [W | b]. Values that were Float32 before stay the same bits.
    mutating func set(_ node: String, _ extended: Matrix, _ layout: ParameterLayout) {
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
    ///   - passing: so many values of a channel that passes.
    fileprivate func growing(
        to entry: ParameterLayout.Entry, copying originals: [Int]?, at width: Int,
        passing: (Int) -> [Float]
    ) -> Tensor {
        let shape = entry.specification.shape
        var values = values
        if let originals {
            let each = count / max(width, 1)
            for original in originals { values += self.values[original * each..<(original + 1) * each] }
        } else {
            let each = shape.dropFirst().reduce(1, *)
            for _ in 0..<(entry.count - count) / max(each, 1) { values += passing(each) }
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
