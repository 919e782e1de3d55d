internal import Correlations
package import GrowthMath
package import Networks
package import Tensors

/// One width of a network that can grow: the layers that make it, what has the same channels, the layers that read it.
///
/// Named after its first producer. Every producer gets rows, every consumer columns, every node between a channel. A width
/// can grow if all that it ties together keeps channels apart, is read, and has σ(0) = 0, and if neither the data nor the
/// network's output belong to it. Between a producer P and a consumer Q there may be sums, so that several layers make and
/// read the width: the channels of a residual network that its branches add to.
package struct Width: Sendable, Equatable {
    /// Layers whose outputs are the width, in the order of the network.
    package let producers: [String]
    /// Layers that read it.
    package let consumers: [String]
    /// What else has its channels, in order.
    package let between: [String]
    /// Neurons now.
    package let count: Int
    /// What the first producer reads; nothing up to it changes when the width grows.
    package let input: String
    /// Every way from a producer to a consumer, consumer by consumer, for all of the consumers' taps.
    package let routes: [Route]
    /// The gain that keeps variances through the first activation.
    package let gain: Double
    let graph: WidthGraph

    package var name: String { producers[0] }

    /// Whether sums tie several layers together: the residual widths. Others lie between one producer and one consumer.
    package var isResidual: Bool { producers.count > 1 || consumers.count > 1 || graph.hasSums }

    /// Whether a neuron and its negative do different things to first order.
    package var isKinked: Bool { routes.contains(where: \.isKinked) }

    /// σ₀ between the layers: of ways that differ, what they have on average.
    package var slopes: SlopesAtZero {
        let count = Double(max(routes.count, 1))
        return SlopesAtZero(
            right: routes.reduce(0) { $0 + $1.slopes.right } / count,
            left: routes.reduce(0) { $0 + $1.slopes.left } / count)
    }

    /// The first way to each consumer.
    var firstRoutes: [Route] {
        consumers.indices.compactMap { consumer in routes.first { $0.consumer == consumer } }
    }

    /// E of each consumer, all of its taps.
    var consumerTaps: [Int] { firstRoutes.map(\.geometry.consumer.taps) }

    /// Every width of a network that can grow: those between two layers, then the residual ones, each in the order of the
    /// network.
    package static func all(in architecture: Architecture) -> [Width] {
        let ties = WidthTies(architecture)
        var known: Set<String> = []
        let widths = architecture.nodes.compactMap { node -> Width? in
            guard node.layer != nil, !known.contains(node.name),
                let width = Width(ties.members(with: node.name), in: architecture)
            else { return nil }
            known.formUnion(width.producers)
            return width
        }
        return widths.filter { !$0.isResidual } + widths.filter(\.isResidual)
    }

    /// - Parameter members: all nodes with the same channels.
    private init?(_ members: Set<String>, in architecture: Architecture) {
        let nodes = architecture.nodes.filter { members.contains($0.name) }
        let readers = architecture.nodes.filter { $0.inputs.contains(where: members.contains) }
        let producers = nodes.filter { $0.layer != nil }
        let consumers = readers.filter { $0.layer != nil }
        guard let first = producers.first, let count = first.layer?.width, let input = first.inputs.first,
            !consumers.isEmpty, !members.contains(Architecture.inputName),
            !members.contains(architecture.outputName)
        else { return nil }
        let keepsApart = (nodes + readers).allSatisfy {
            $0.layer != nil || $0.operation.channelPassage != nil
        }
        // A row of features may be as long as a flattened image that it is added to: one more of each would not be.
        let isEven = producers.allSatisfy { $0.layer?.width == count }
        let isRead = nodes.allSatisfy { !architecture.consumers(of: $0.name).isEmpty }
        guard keepsApart, isEven, isRead else { return nil }
        self.producers = producers.map(\.name)
        self.consumers = consumers.map(\.name)
        self.count = count
        self.input = input
        between = nodes.filter { $0.layer == nil }.map(\.name)
        gain = architecture.initializationGain(after: first.name)
        graph = WidthGraph(nodes, consumers: consumers, in: architecture)
        routes = graph.routes(in: architecture, producers: producers, consumers: consumers)
    }
}

/// Which nodes have the same channels.
private struct WidthTies {
    /// For each node and the data, one of those that it is tied to; itself for one of each kind.
    private var parents: [String: String] = [:]

    init(_ architecture: Architecture) {
        for node in architecture.nodes {
            switch node.operation.widthRole {
            case .keeps, .flattens: for input in node.inputs { tie(node.name, input) }
            case .mixes, .joins: break
            }
        }
    }

    private func root(of name: String) -> String {
        var name = name
        while let parent = parents[name] { name = parent }
        return name
    }

    private mutating func tie(_ one: String, _ other: String) {
        let (one, other) = (root(of: one), root(of: other))
        if one != other { parents[one] = other }
    }

    /// All nodes of the width that a node belongs to.
    func members(with name: String) -> Set<String> {
        let root = root(of: name)
        return Set(parents.keys.filter { self.root(of: $0) == root } + [root])
    }
}

extension Architecture {
    /// The same graph with so many more neurons at a width.
    package func widening(_ width: Width, by count: Int) throws -> Architecture {
        let widened = nodes.map { node in
            guard width.producers.contains(node.name), var layer = node.layer else { return node }
            layer.width += count
            var wider = node
            wider.operation = layer
            return wider
        }
        return try Architecture(inputShape: inputShape, nodes: widened)
    }
}

extension Network {
    /// What one more neuron adds: parameters, or floating-point operations of a training step per sample.
    func costPerNeuron(_ cost: GrowthCost, at width: Width) -> Int {
        guard let wider = try? architecture.widening(width, by: 1) else { return 1 }
        switch cost {
        case .parameters:
            return ParameterLayout(wider).parameterCount - ParameterLayout(architecture).parameterCount
        case .flops:
            return max(1, wider.flopsPerSample.training - architecture.flopsPerSample.training)
        }
    }

    /// [W | b] of layers side by side: those of a width's producers have its neurons as rows.
    package func extendedWeights(of nodes: [String]) -> Matrix {
        nodes.dropFirst().reduce(extendedWeights(of: nodes[0])) {
            $0.appending(columns: extendedWeights(of: $1))
        }
    }

    /// W [out, everything else] of a layer, in the order of its values, with b as a last column.
    package func extendedWeights(of node: String) -> Matrix {
        guard let weight = parameters["\(node)/weight"] else {
            preconditionFailure("no layer '\(node)'")
        }
        let rows = weight.shape[0]
        let matrix = Matrix(
            rows: rows, columns: weight.shape.dropFirst().reduce(1, *), widening: weight.values)
        guard let bias = parameters["\(node)/bias"] else { return matrix }
        return matrix.appending(columns: Matrix(rows: rows, columns: 1, widening: bias.values))
    }

    /// W of a layer, [out, everything else], without the bias.
    func inputWeights(of node: String) -> Matrix { withoutBias(extendedWeights(of: node), of: node) }

    /// [W | b] of a layer without b.
    func withoutBias(_ weights: Matrix, of node: String) -> Matrix {
        weights.selecting(columns: 0..<weights.columns - (hasBias(node) ? 1 : 0))
    }

    func hasBias(_ node: String) -> Bool { parameters["\(node)/bias"] != nil }

    /// Columns of each layer's [W | b], side by side.
    func inputRanges(of nodes: [String]) -> [Range<Int>] {
        nodes.map { extendedWeights(of: $0).columns }.ranges
    }
}

extension [Int] {
    /// So many each, one after the other.
    var ranges: [Range<Int>] {
        var first = 0
        return map { count in
            defer { first += count }
            return first..<first + count
        }
    }
}

extension Architecture {
    /// What names the random numbers of a width in a round: its place among all widths.
    ///
    /// Where nodes were put in, that is the place in the graph without them, so that they change the numbers
    /// of no other width. Widths that the graph did not have then get numbers that no place has.
    ///
    /// - Parameters:
    ///   - name: of the width's first producer.
    ///   - place: among all widths of this graph.
    func drawNumber(ofWidth name: String, at place: Int) -> Int {
        guard let original, original.nodes.count < nodes.count, let producer = index(of: name) else {
            return place
        }
        return Width.all(in: original).firstIndex { $0.name == name }
            ?? original.nodes.count + identities[producer]
    }
}
