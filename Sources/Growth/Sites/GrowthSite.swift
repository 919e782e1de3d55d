package import Correlations
package import GrowthMath
package import Networks
package import Tensors

/// One width of a network that can grow: the layer that makes it, what lies between, the layer that reads it.
///
/// Named after its producer. A width is growable if one layer makes it, one layer reads it, and between them stand only
/// nodes that keep channels apart and have σ(0) = 0: activations, dropout, pooling, batch normalisation, depthwise
/// convolutions, flattening. A group or layer normalisation mixes channels, so that no neuron can join without changing
/// the others; the network's own output is no width.
package struct GrowthSite: Sendable, Equatable {
    /// P: the layer whose outputs are the width.
    package let producer: String
    /// What stands between producer and consumer, in order.
    package let between: [String]
    /// Q: the layer that reads the width.
    package let consumer: String
    /// Channels, windows and positions, for all of Q's taps.
    package let geometry: SiteGeometry
    /// Whether Q is a linear layer that reads an image as a row of features.
    package let isFlattened: Bool
    /// What of `between` a new channel notices, in order.
    package let stages: [SiteStage]
    /// σ₀ of everything between.
    package let slopes: SlopesAtZero
    /// The gain that keeps variances through the activation.
    package let gain: Double
    /// The node that gives X, or the data.
    package let producerInput: String
    /// The node that gives H.
    package let consumerInput: String

    package var name: String { producer }
    /// Neurons now.
    package var width: Int { geometry.width }
    package var producerHasBias: Bool { geometry.producerHasBias }
    package var consumerHasBias: Bool { geometry.consumerHasBias }

    /// Whether a neuron and its negative do different things to first order.
    package var isKinked: Bool {
        slopes.isKinked
            || geometry.pools.contains { if case .max = $0 { true } else { false } }
    }

    /// Every growable width of a network, in the order of its nodes.
    package static func all(in architecture: Architecture) -> [GrowthSite] {
        architecture.nodes.compactMap { GrowthSite(producer: $0, in: architecture) }
    }

    private init?(producer node: Architecture.Node, in architecture: Architecture) {
        guard let layer = node.operation as? any Layer, let input = node.inputs.first,
            let inputShape = architecture.shape(of: input),
            let outputShape = architecture.shape(of: node.name)
        else { return nil }
        var chain = SiteChain(outputShape)
        var last = node
        while true {
            let readers = architecture.consumers(of: last.name)
            guard readers.count == 1, let reader = readers.first, reader.inputs.count == 1 else { return nil }
            last = reader
            if reader.operation is any Layer { break }
            guard chain.append(reader) else { return nil }
        }
        guard let consumer = last.operation as? any Layer, let read = last.inputs.first else { return nil }
        producer = node.name
        between = chain.nodes
        self.consumer = last.name
        geometry = SiteGeometry(
            inChannels: inputShape[0], image: inputShape.extent, producer: layer.window(over: inputShape),
            producerHasBias: layer.bias, width: layer.width, pools: chain.pools,
            consumer: consumer.window(over: chain.shape), consumerHasBias: consumer.bias,
            outChannels: consumer.width)
        isFlattened = chain.isFlattened
        stages = chain.stages
        slopes = chain.slopes
        gain = architecture.initializationGain(after: node.name)
        producerInput = input
        consumerInput = read
    }

    /// The geometry under which new neurons are measured. A linear layer has no centre that its taps could be kept to.
    package func geometry(_ scheme: SiteGeometry.Scheme) -> SiteGeometry {
        var result = geometry
        result.scheme = isFlattened ? .full : scheme
        return result
    }
}

/// What was met on the way from a producer to its consumer.
private struct SiteChain {
    var nodes: [String] = []
    /// Of what the next node reads; [channels, height, width] also once it is flattened.
    var shape: [Int]
    var stages: [SiteStage] = []
    var isFlattened = false

    init(_ shape: [Int]) { self.shape = shape }

    var pools: [SiteGeometry.Pool] {
        stages.compactMap { if case .pool(let pool) = $0 { pool } else { nil } }
    }

    var slopes: SlopesAtZero {
        stages.reduce(.unit) { slopes, stage in
            if case .slopes(let next) = stage { slopes.followed(by: next) } else { slopes }
        }
    }

    /// Adds a node; false where it does not keep channels apart.
    mutating func append(_ node: Architecture.Node) -> Bool {
        nodes.append(node.name)
        switch node.operation.channelStep {
        case .stage(let stage):
            stages.append(stage)
            shape = stage.shape(of: shape)
        case .passes: break
        case .flattens: isFlattened = shape.count == 3
        case nil: return false
        }
        return true
    }
}

extension [Int] {
    /// Rows and columns of an image's shape; one position for a row of features.
    var extent: Extent { count == 3 ? Extent(self[1], self[2]) : Extent(square: 1) }
}

extension Layer {
    /// The window through which it reads values of a shape.
    func window(over shape: [Int]) -> Window {
        (self as? Convolution)?.window ?? Window(kernel: shape.extent)
    }
}

extension SlopesAtZero {
    package init(_ function: Activation.Function) {
        let slopes = function.slopesAtZero
        self.init(right: slopes.right, left: slopes.left)
    }

    /// σ₀ of another activation after this one.
    func followed(by next: SlopesAtZero) -> SlopesAtZero {
        SlopesAtZero(
            right: right * (right >= 0 ? next.right : next.left),
            left: left * (left >= 0 ? next.left : next.right))
    }
}

extension GrowthSite {
    /// The producer's weights, [width, a], its bias as the last column if it has one.
    package func producerWeights(of network: Network) -> Matrix { network.extendedWeights(of: producer) }

    /// The consumer's weights, [c, b], its bias as the last column if it has one.
    package func consumerWeights(of network: Network) -> Matrix { network.extendedWeights(of: consumer) }

    /// Trainable values that one neuron adds: fan-in, fan-out, and what nodes between have for each channel.
    package func parametersPerNeuron(in network: Network) -> Int {
        guard let wider = try? network.architecture.widening(self, by: 1) else { return 1 }
        return ParameterLayout(wider).parameterCount - ParameterLayout(network.architecture).parameterCount
    }
}

extension Architecture {
    /// The same graph with so many more neurons at a site; all widths between follow.
    package func widening(_ site: GrowthSite, by count: Int) throws -> Architecture {
        try widening([site.producer], by: count)
    }

    /// The same graph with so many more outputs of some layers, all at once.
    func widening(_ layers: [String], by count: Int) throws -> Architecture {
        let widened = nodes.map { node in
            guard layers.contains(node.name), var layer = node.operation as? any Layer else { return node }
            layer.width += count
            var wider = node
            wider.operation = layer
            return wider
        }
        return try Architecture(inputShape: inputShape, nodes: widened)
    }
}

extension Network {
    /// W [out, everything else] of a layer, in the order of its values, with b as a last column.
    func extendedWeights(of node: String) -> Matrix {
        guard let weight = parameters["\(node)/weight"] else {
            preconditionFailure("no layer '\(node)'")
        }
        let rows = weight.shape[0]
        let matrix = Matrix(
            rows: rows, columns: weight.shape.dropFirst().reduce(1, *), widening: weight.values)
        guard let bias = parameters["\(node)/bias"] else { return matrix }
        return matrix.appending(columns: Matrix(rows: rows, columns: 1, widening: bias.values))
    }
}
