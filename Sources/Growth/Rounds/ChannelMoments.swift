internal import Datasets
internal import Networks
internal import Tensors
internal import Training

extension Network {
    /// This network with the new channels of batch normalisations at a site normalised: their running mean and variance are
    /// those of what comes in, weight √(v + ε) and bias m, so that they still pass unchanged, in training nearly too.
    ///
    /// Moments are over all positions of at most 2048 samples, evenly spread. Where several
    /// normalisations follow each other, what comes into one does not depend on the others, since all pass new channels.
    /// Where nothing but 0 comes in, as from `gradmax`, b is 1e-8: behind 0 itself a ReLU would never let the channel learn.
    /// - Parameters:
    ///   - count: channels that were appended last at the site.
    ///   - split: of samples to measure.
    func normalizing(
        _ count: Int, at site: GrowthSite, over split: Split, _ normalization: Normalization
    ) throws -> Network {
        try normalizing(
            count, after: site.producer, between: site.between, over: split, normalization)
    }

    /// Small enough to leave the function as it is.
    private static let silentBias = 1e-8

    /// The same for a width that several layers make; `producer` is one of them.
    func normalizing(
        _ count: Int, after producer: String, between: [String], over split: Split,
        _ normalization: Normalization
    ) throws -> Network {
        let nodes = architecture.nodes.filter {
            between.contains($0.name) && $0.operation is BatchNormalization
        }
        guard !nodes.isEmpty, count > 0, split.count > 0 else { return self }
        let moments = try ChannelMoments(
            self, nodes: nodes.map { $0.inputs[0] }, split: split, normalization: normalization)
        var result = self
        for (node, found) in zip(nodes, moments.byNode) {
            guard let operation = node.operation as? BatchNormalization else { continue }
            let added = found.means.count / architecture.layer(producer).width * count
            let means = found.means.suffix(added)
            let variances = found.variances.suffix(added)
            let scales = variances.map { ($0 + operation.epsilon).squareRoot() }
            result.parameters["\(node.name)/weight"]?.replaceLast(by: scales)
            let biases = zip(means, variances).map { $0 == 0 && $1 == 0 ? Self.silentBias : $0 }
            result.parameters["\(node.name)/bias"]?.replaceLast(by: biases)
            result.state["\(node.name)/running_mean"]?.replaceLast(by: Array(means))
            result.state["\(node.name)/running_var"]?.replaceLast(by: Array(variances))
        }
        try result.validate(source: "the network grown at \(producer)")
        return result
    }
}

extension Tensor {
    fileprivate mutating func replaceLast(by numbers: [Double]) {
        values.replaceSubrange(values.count - numbers.count..<values.count, with: numbers.map(Float.init))
    }
}

/// Mean and variance of the channels of nodes, over samples and positions; summed in Float64 in the samples' order.
private struct ChannelMoments {
    private(set) var byNode: [(means: [Double], variances: [Double])] = []

    /// The most samples measured.
    private static let samples = 2048
    private static let chunkBytes = 64 << 20
    private static let largestChunk = 512

    init(_ network: Network, nodes: [String], split: Split, normalization: Normalization) throws {
        let architecture = network.architecture
        let batches = Batches(split, normalization, order: architecture.sampleOrder)
        let used = min(Self.samples, split.count)
        let positions = (0..<used).map { Int32($0 * split.count / used) }
        let chunk = Executor.rows(
            of: architecture, purpose: .inference, keeping: Set(nodes), within: Self.chunkBytes,
            atMost: min(Self.largestChunk, used))
        let parameters = ParameterArena(ParameterLayout(architecture), network.parameters)
        let state = ParameterArena(ParameterLayout.state(architecture), network.state)
        let executor = Executor(
            architecture, parameters: parameters, state: state, capacity: chunk, purpose: .inference,
            keeping: Set(nodes))
        let shapes = nodes.map { architecture.shape(of: $0) ?? [] }
        let scratch = shapes.map { AlignedBuffer(count: chunk * $0.reduce(1, *)) }
        var sums = shapes.map { Array(repeating: (0.0, 0.0), count: $0[0]) }
        var labels = [Int32](repeating: 0, count: chunk)
        for first in stride(from: 0, to: used, by: chunk) {
            let rows = min(chunk, used - first)
            labels.withUnsafeMutableBufferPointer { labels in
                guard let labels = labels.baseAddress else { return }
                batches.gather(
                    positions[first..<first + rows], rows: executor.input.value, labels: labels)
            }
            executor.forward(rows: rows)
            for (index, node) in nodes.enumerated() {
                executor.readRows(of: node, .value, rows: rows, into: scratch[index].pointer)
                let channels = shapes[index][0]
                for value in 0..<rows * shapes[index].reduce(1, *) {
                    let number = Double(scratch[index].pointer[value])
                    sums[index][value % channels].0 += number
                    sums[index][value % channels].1 += number * number
                }
            }
        }
        withExtendedLifetime((parameters, state)) {}
        byNode = zip(shapes, sums).map { shape, sums in
            let count = Double(used * shape.dropFirst().reduce(1, *))
            let means = sums.map { $0.0 / count }
            return (means, zip(sums, means).map { max(0, $0.1 / count - $1 * $1) })
        }
    }
}
