internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// Depth: a residual block x + V σ(U x) behind a node of a width, with V = 0, so that the function stays the same bits.
///
/// U and V are linear layers, or 3 x 3 convolutions where x is an image, with a normalisation behind U where the width has
/// one, and the width's own activation. U is drawn as in a fresh layer; V learns first. (A zero branch beside an identity:
/// Zhang, Dauphin and Ma, "Fixup", ICLR 2019.)
struct InsertBlock: NetworkChange {
    static let kind = ChangeKind.deepen

    /// With the block, not yet trained.
    private let network: Network
    private let place: ChangePlace
    /// The node that the block stands behind.
    private let node: String

    let neurons: Int
    /// Ψ of the width for what the block costs.
    let decreasePerCost: Double

    static func proposed(at place: ChangePlace) throws -> ProposedChange {
        let (width, parameters) = (place.width, place.parameters)
        guard let block = Block(behind: width, in: place.network.architecture) else {
            return .nothing("no block can stand there")
        }
        let part = parameters.placement.stop.bottleneck
        guard place.measured.relativeBottleneck >= part else {
            return .nothing("the bottleneck is under \(part) of the gradient")
        }
        let neurons = parameters.proposal.neurons.request(
            width: block.channels, round: parameters.round, rounds: parameters.rounds)
        let architecture = try place.network.architecture.inserting(block, width: neurons)
        let added =
            ParameterLayout(architecture).parameterCount
            - ParameterLayout(place.network.architecture).parameterCount
        guard place.affords(added) else { return .nothing("no budget is left for a block") }
        var random = Philox(
            seed: parameters.seed, purpose: .growth, epoch: parameters.round,
            index: place.network.architecture.drawNumber(ofWidth: width.name, at: place.position))
        let network = try place.network.inserting(block, architecture, &random)
        return .change(
            InsertBlock(
                network: network, place: place, node: block.node, neurons: neurons,
                decreasePerCost: place.measured.bottleneck / Double(max(1, place.cost(of: architecture)))))
    }

    func tried(over samples: CarriedSamples, before: Double?) throws -> TriedChange {
        let lossBefore =
            try before
            ?? samples.loss(of: place.network, changedBehind: place.width.input, as: place.parameters.loss)
        guard lossBefore.isFinite else {
            throw GrowthError.lossNotFinite(what: "the samples that changes are tried on")
        }
        let loss = try samples.loss(
            of: network, changedBehind: place.width.input, as: place.parameters.loss)
        return TriedChange(
            amplitude: try TriedAmplitude(fixed: 1, before: lossBefore) { _, _ in loss },
            lossBefore: lossBefore, loss: loss, predictedDecrease: nil, note: "a block behind \(node)")
    }

    func applied(_ tried: TriedChange, over samples: CarriedSamples) throws -> Network {
        try network.validate(source: "the network with a block behind \(node)")
        return network
    }
}

/// Where a residual block can stand, and what it is made of.
struct Block {
    /// The node that it reads and adds to.
    let node: String
    let channels: Int
    fileprivate let isImage: Bool
    fileprivate let activation: any Operation
    fileprivate let isNormalized: Bool

    /// Behind the last sum of a width, and the activation that alone reads it, or behind the width's last activation; nil
    /// where it has none, or no channels.
    init?(behind width: Width, in architecture: Architecture) {
        func activates(_ member: WidthGraph.Member) -> Bool {
            if case .slopes = member.role { true } else { false }
        }
        let members = width.graph.members.filter { !$0.isFlattened }
        let activations = members.filter(activates)
        let nodes = activations.compactMap { member in
            architecture.nodes.first { $0.name == member.name }
        }
        guard let activation = nodes.last?.operation, let last = activations.last, width.count > 0 else {
            return nil
        }
        var chosen = last
        if let sum = members.last(where: { $0.role == .sum }) {
            let readers = architecture.consumers(of: sum.name)
            chosen = activations.first { readers.count == 1 && $0.name == readers[0].name } ?? sum
        }
        node = chosen.name
        channels = width.count
        isImage = chosen.shape.count == 3
        self.activation = activation
        isNormalized = !architecture.normalizations(width.between).isEmpty
    }
}

extension Architecture {
    /// The graph with a block in it, `width` channels wide; whatever read the block's node reads the block.
    func inserting(_ block: Block, width: Int) throws -> Architecture {
        let number = (1...).first { number in !nodes.contains { $0.name.hasPrefix("block\(number)-") } } ?? 1
        func name(_ part: String) -> String { "block\(number)-\(part)" }
        func layer(_ width: Int, bias: Bool) -> any Operation {
            block.isImage
                ? Convolution(
                    width: width, window: Window(kernel: Extent(3, 3), padding: Extent(1, 1)), bias: bias)
                : Linear(width: width, bias: bias)
        }
        var added = [Node(name("layer1"), layer(width, bias: !block.isNormalized), inputs: [block.node])]
        if block.isNormalized {
            added.append(Node(name("norm"), BatchNormalization(), inputs: [name("layer1")]))
        }
        added.append(Node(name("activation"), block.activation, inputs: [added[added.count - 1].name]))
        added.append(Node(name("layer2"), layer(block.channels, bias: true), inputs: [name("activation")]))
        added.append(Node(name("add"), Add(), inputs: [block.node, name("layer2")]))
        var changed = nodes.map { node in
            var node = node
            node.inputs = node.inputs.map { $0 == block.node ? name("add") : $0 }
            return node
        }
        changed.insert(contentsOf: added, at: (index(of: block.node) ?? 0) + 1)
        return try Architecture(inputShape: inputShape, nodes: changed)
    }
}

extension Network {
    /// This network with the values of a block: what every parameter and state begins with, but for the second layer, which
    /// is 0.
    fileprivate func inserting(
        _ block: Block, _ architecture: Architecture, _ random: inout Philox
    ) throws -> Network {
        var result = self
        result.architecture = architecture
        func first(_ entry: ParameterLayout.Entry) -> Tensor {
            let shape = entry.specification.shape
            switch entry.specification.initialization {
            case .one: return Tensor(repeating: 1, shape: shape)
            case .scaledNormal(let inputs) where !entry.node.hasSuffix("-layer2"):
                let deviation =
                    architecture.initializationGain(after: entry.node) / Double(max(inputs, 1)).squareRoot()
                return Tensor(shape: shape, values: random.normal(entry.count, deviation: deviation))
            case .zero, .scaledNormal, .dirac: return Tensor(repeating: 0, shape: shape)
            }
        }
        for entry in ParameterLayout(architecture).entries where parameters[entry.name] == nil {
            result.parameters[entry.name] = first(entry)
        }
        for entry in ParameterLayout.state(architecture).entries where state[entry.name] == nil {
            result.state[entry.name] = first(entry)
        }
        return result
    }
}
