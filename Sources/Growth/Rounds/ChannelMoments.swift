internal import CKernels
internal import Correlations
internal import Datasets
internal import GrowthMath
internal import Networks
internal import Tensors
internal import Training

extension Network {
    /// This network with the new channels of batch normalisations at a site normalised: their running mean and variance are
    /// those of what comes in, weight √(v + ε) and bias m, so that they still pass unchanged, in training nearly too.
    ///
    /// Moments are over all positions. Where several normalisations follow each other, what comes into one does not depend on
    /// the others, since all pass new channels.
    /// Where nothing but 0 comes in, as from `gradmax`, the bias is ``NewNeurons/silentBias``.
    /// - Parameters:
    ///   - count: channels that were appended last at the site.
    ///   - samples: to measure, not carried beyond the producer's input.
    func normalizing(_ count: Int, at site: GrowthSite, over samples: CarriedSamples) throws -> Network {
        try normalizing(count, after: site.producer, between: site.between, over: samples)
    }

    /// The same for a width that several layers make, over the samples of a split; `producer` is one of them.
    func normalizing(
        _ count: Int, after producer: String, between: [String], over split: Split,
        _ normalization: Normalization, threads: Int
    ) throws -> Network {
        try normalizing(
            count, after: producer, between: between,
            over: CarriedSamples(
                split.spread(Self.normalizedSamples), normalization, for: architecture, threads: threads))
    }

    /// The most samples that moments are taken over.
    static var normalizedSamples: Int { 2048 }

    private func normalizing(
        _ count: Int, after producer: String, between: [String], over samples: CarriedSamples
    ) throws -> Network {
        let nodes = architecture.normalizations(between)
        guard !nodes.isEmpty, count > 0, samples.count > 0 else { return self }
        let moments = try ChannelMoments(self, nodes: nodes.map { $0.inputs[0] }, over: samples)
        var result = self
        for (node, found) in zip(nodes, moments.byNode) {
            guard let operation = node.operation as? BatchNormalization else { continue }
            let added = found.means.count / architecture.layer(producer).width * count
            let means = found.means.suffix(added)
            let variances = found.variances.suffix(added)
            let scales = variances.map { ($0 + operation.epsilon).squareRoot() }
            result.parameters["\(node.name)/weight"]?.replaceLast(by: scales)
            let biases = zip(means, variances).map { $0 == 0 && $1 == 0 ? NewNeurons.silentBias : $0 }
            result.parameters["\(node.name)/bias"]?.replaceLast(by: biases)
            result.state["\(node.name)/running_mean"]?.replaceLast(by: Array(means))
            result.state["\(node.name)/running_var"]?.replaceLast(by: Array(variances))
        }
        try result.validate(source: "the network grown at \(producer)")
        return result
    }
}

extension Architecture {
    /// Those of the named nodes that are batch normalisations.
    func normalizations(_ names: [String]) -> [Node] {
        nodes.filter { names.contains($0.name) && $0.operation is BatchNormalization }
    }
}

extension Tensor {
    fileprivate mutating func replaceLast(by numbers: [Double]) {
        values.replaceSubrange(values.count - numbers.count..<values.count, with: numbers.map(Float.init))
    }
}

/// Mean and variance of the channels of nodes, over samples and positions.
///
/// Each chunk's are found in Float64, about a mean known to single precision first, and joined in the chunks' order.
private struct ChannelMoments {
    private(set) var byNode: [(means: [Double], variances: [Double])] = []

    init(_ network: Network, nodes: [String], over samples: CarriedSamples) throws {
        let indices = nodes.compactMap { network.architecture.index(of: $0) }
        guard let last = indices.max() else { return }
        let part = try network.architecture.upTo(network.architecture.nodes[last].name)
        let team = samples.team(
            part, ParameterArena(ParameterLayout(part), network.parameters),
            ParameterArena(.state(part), network.state), keeping: Set(nodes))
        let found = ResultSlots<[PartMoments]>(count: samples.chunks)
        try samples.run(team) { worker, chunk, rows in
            found.set(chunk, nodes.map { PartMoments(worker.executor.port($0), rows: rows) })
        }
        byNode = nodes.indices.map { node in
            let parts = found.values.map { $0[node] }
            let whole = parts.dropFirst().reduce(parts[0]) { $0.joined(with: $1) }
            return (whole.means, whole.squares.map { $0 / whole.count })
        }
    }
}

/// Count, means and sums of squared deviations of some rows' channels.
private struct PartMoments: Sendable {
    private(set) var count: Double
    private(set) var means: [Double]
    private(set) var squares: [Double]

    init(_ port: Port, rows: Int) {
        let layout = port.layout
        count = Double(rows * layout.positions)
        means = Array(repeating: 0, count: layout.channels)
        squares = means
        channels_moments(port.value, rows, layout.channels, layout.positions, &means, &squares)
    }

    /// The moments of both together, by Chan's rule.
    func joined(with other: PartMoments) -> PartMoments {
        var result = self
        result.count += other.count
        for channel in means.indices {
            let delta = other.means[channel] - means[channel]
            result.means[channel] += delta * other.count / result.count
            result.squares[channel] +=
                other.squares[channel] + delta * delta * count * other.count / result.count
        }
        return result
    }
}
