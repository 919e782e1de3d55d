internal import Correlations
package import GrowthMath
package import Networks
internal import Tensors

/// New channels of one width: what every layer that makes it and every layer that reads it gets.
struct Graft {
    let name: String
    /// Channels before, and new ones.
    let width: Int
    let count: Int
    /// α for each layer that makes the width, [k, a], biases last; inputs as they are before.
    let producers: [(node: String, fanIn: Matrix)]
    /// ω and the update for each layer that reads it: [c, k E], [c, b].
    let consumers: [(node: String, fanOut: Matrix, update: Matrix?)]
    /// Nodes with the same channels.
    let between: [String]
    /// The channels that the new ones are copies of; nil for channels that pass unchanged.
    let originals: [Int]?
}

extension Network {
    /// This network with neurons put in at a site, appended last, and the consumer's weights moved.
    ///
    /// Nodes between get the channels they need: copies have those of their originals; for others a depthwise kernel is
    /// the identity, and a batch normalisation passes them unchanged in evaluation, with a mean of 0 and a variance of 1
    /// until they are measured (`normalizing`). The optimiser's state goes along; what is new starts at zero there.
    /// - Parameter extension: as it is to stand in the network, amplitude included.
    /// - Throws: `NetworkError` where a weight is not finite or the widened architecture is not allowed.
    package func grafting(_ extension: Extension, at site: GrowthSite) throws -> Network {
        let result = try joining(`extension`, at: site)
        try result.validate(source: "the network grown at \(site.name)")
        return result
    }

    /// The same where weights need not be finite.
    func joining(_ extension: Extension, at site: GrowthSite) throws -> Network {
        let neurons = `extension`.neurons
        let taps = site.geometry.consumer.taps
        precondition(
            neurons.count == 0 || neurons.taps == taps,
            "neurons of \(neurons.taps) taps at \(site.name), which has \(taps)")
        return try joining(
            Graft(
                name: site.name, width: site.width, count: neurons.count,
                producers: [(site.producer, neurons.fanIn)],
                consumers: [(site.consumer, neurons.fanOut, `extension`.move)], between: site.between,
                originals: neurons.originals))
    }

    /// The same for a width that several layers make or read.
    func grafting(_ graft: Graft) throws -> Network {
        let result = try joining(graft)
        try result.validate(source: "the network grown at \(graft.name)")
        return result
    }

    private func joining(_ graft: Graft) throws -> Network {
        guard graft.count > 0 else { return self }
        var result = self
        result.architecture = try architecture.widening(graft.producers.map(\.node), by: graft.count)
        let layout = ParameterLayout(result.architecture)
        for (node, weights) in weights(with: graft) { result.set(node, weights, layout) }
        for name in graft.between {
            guard let operation = architecture.nodes.first(where: { $0.name == name })?.operation else {
                continue
            }
            for entry in layout.entries where entry.node == name {
                result.parameters[entry.name] = parameters[entry.name]?.growing(
                    to: entry, copying: graft.originals, at: graft.width, operation)
            }
            for entry in ParameterLayout.state(result.architecture).entries where entry.node == name {
                result.state[entry.name] = state[entry.name]?.growing(
                    to: entry, copying: graft.originals, at: graft.width, operation)
            }
        }
        for entry in layout.entries {
            for slot in OptimizerSlot.allCases {
                let name = "\(entry.name)/\(slot.rawValue)"
                result.optimizerState[name] = optimizerState[name]?.padded(to: entry.specification.shape)
            }
        }
        return result
    }

    /// [W | b] of the layers that change. A layer may both make and read the width: first it gets columns, then rows.
    private func weights(with graft: Graft) -> [String: Matrix] {
        var result: [String: Matrix] = [:]
        for (node, fanOut, update) in graft.consumers {
            let own = extendedWeights(of: node)
            let weights = update.map { own + $0 } ?? own
            let inputs = weights.columns - (hasBias(node) ? 1 : 0)
            result[node] = weights.selecting(columns: 0..<inputs).appending(columns: fanOut)
                .appending(columns: weights.selecting(columns: inputs..<weights.columns))
        }
        for (node, fanIn) in graft.producers {
            let weights = result[node] ?? extendedWeights(of: node)
            result[node] = weights.appending(
                rows: fanIn.widened(to: weights.columns, before: hasBias(node) ? 1 : 0))
        }
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
