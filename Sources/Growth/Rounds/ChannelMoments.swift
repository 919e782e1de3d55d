internal import CKernels
internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors
internal import Training

extension Network {
    /// The most samples that moments are taken over.
    static var normalizedSamples: Int { 2048 }

    /// This network with the new channels of normalisations at a width normalised: they pass channels of the mean and the
    /// variance that come in unchanged, in training nearly too.
    ///
    /// Moments are over all positions. Where several normalisations follow each other, what comes into one does not depend on
    /// the others, since all pass new channels.
    /// Where nothing but 0 comes in, as from `gradmax`, parameters let ``NewNeurons/silentBias`` in.
    /// - Parameters:
    ///   - count: channels that were appended last at the width.
    ///   - samples: to measure, not carried beyond the width's input.
    func normalizing(_ count: Int, at width: Width, over samples: CarriedSamples) throws -> Network {
        let nodes = architecture.normalizations(width.between)
        guard !nodes.isEmpty, count > 0, samples.count > 0 else { return self }
        let moments = try ChannelMoments(self, nodes: nodes.map { $0.inputs[0] }, over: samples)
        var result = self
        for (node, found) in zip(nodes, moments.byNode) {
            let added = found.means.count / (width.count + count) * count
            let new = zip(found.means.suffix(added), found.variances.suffix(added))
            for (name, tensor) in result.parameters where name.hasPrefix("\(node.name)/") {
                let values = new.flatMap { mean, variance in
                    let isSilent = mean == 0 && variance == 0
                    return node.operation.passing(
                        String(name.dropFirst(node.name.count + 1)), count: 1,
                        mean: isSilent ? NewNeurons.silentBias : mean, variance: variance)
                }
                result.parameters[name] = tensor.replacingLast(by: values)
            }
            for (name, tensor) in result.state where name.hasPrefix("\(node.name)/") {
                let values = new.flatMap { mean, variance in
                    node.operation.passing(
                        String(name.dropFirst(node.name.count + 1)), count: 1, mean: mean, variance: variance)
                }
                result.state[name] = tensor.replacingLast(by: values)
            }
        }
        try result.validate(source: "the network grown at \(width.name)")
        return result
    }
}

extension Network {
    /// This network with the running averages of all normalisations behind a width's first producer measured anew, one after
    /// the other.
    ///
    /// - Parameter samples: to measure, not carried beyond the width's input.
    func remeasuring(from width: Width, over samples: CarriedSamples) throws -> Network {
        let behind = architecture.nodes.drop { $0.name != width.name }.map(\.name)
        var result = self
        for node in architecture.normalizations(behind) where samples.count > 0 {
            let moments = try ChannelMoments(result, nodes: [node.inputs[0]], over: samples)
            for (mean, variance) in moments.byNode {
                result.state["\(node.name)/running_mean"]?.values = mean.map(Float.init)
                result.state["\(node.name)/running_var"]?.values = variance.map(Float.init)
            }
        }
        try result.validate(source: "the network grown at \(width.name)")
        return result
    }
}

extension Architecture {
    /// Those of the named nodes that keep statistics of what comes in.
    func normalizations(_ names: [String]) -> [Node] {
        nodes.filter { names.contains($0.name) && !$0.operation.state(for: inputShapes(of: $0)).isEmpty }
    }
}

extension Tensor {
    fileprivate func replacingLast(by numbers: [Float]) -> Tensor {
        Tensor(shape: shape, values: values.dropLast(numbers.count) + numbers)
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
        let found = try samples.map(team) { chunk in
            nodes.map { PartMoments(chunk.executor.port($0), rows: chunk.rows) }
        }
        byNode = nodes.indices.map { node in
            let parts = found.map { $0[node] }
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
