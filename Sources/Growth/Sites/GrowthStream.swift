package import Networks

/// A width that several layers make or several read: the channels of a residual network that its branches add to.
///
/// Every layer that writes into it gets rows, every layer that reads it gets columns, everything in between a channel.
/// Named after its first producer. It can grow if all that it ties together keeps channels apart and is read, and if
/// neither the data nor the network's output belong to it. Widths of one producer and one reader are ``GrowthSite``s.
package struct GrowthStream: Sendable, Equatable {
    /// Layers whose outputs are the width, in the order of the network.
    package let producers: [String]
    /// Layers that read it.
    package let consumers: [String]
    /// What else belongs to it: sums, activations, normalisations, pooling.
    package let between: [String]
    /// Channels now.
    package let width: Int

    package var name: String { producers[0] }

    /// Every width of a network that can grow and is no site, in the order of its first producer.
    package static func all(in architecture: Architecture) -> [GrowthStream] {
        let sites = Set(GrowthSite.all(in: architecture).map(\.name))
        var streams: [GrowthStream] = []
        for node in architecture.nodes where node.operation is any Layer {
            guard !streams.contains(where: { $0.producers.contains(node.name) }), !sites.contains(node.name),
                let stream = GrowthStream(with: node, in: architecture)
            else { continue }
            streams.append(stream)
        }
        return streams
    }

    /// The width that a layer makes, be it a site or not; nil where it cannot grow.
    init?(with node: Architecture.Node, in architecture: Architecture) {
        let members = WidthTies(architecture).members(with: node.name)
        guard let layer = node.operation as? any Layer, !members.contains(Architecture.inputName),
            !members.contains(architecture.outputName)
        else { return nil }
        let nodes = architecture.nodes.filter { members.contains($0.name) }
        let readers = architecture.nodes.filter { $0.inputs.contains(where: members.contains) }
        let mixes = (nodes + readers).contains { node in
            node.operation is LayerNormalization || node.operation is GroupNormalization
                || node.operation.widthRole == .joins
        }
        guard !mixes else { return nil }
        producers = nodes.filter { $0.operation is any Layer }.map(\.name)
        between = nodes.filter { !($0.operation is any Layer) }.map(\.name)
        consumers = readers.filter { $0.operation is any Layer }.map(\.name)
        width = layer.width
        // A row of features may be as long as a flattened image that it is added to: one more of each would not be.
        let isEven = nodes.allSatisfy { ($0.operation as? any Layer).map { $0.width == layer.width } ?? true }
        let isRead = nodes.allSatisfy { !architecture.consumers(of: $0.name).isEmpty }
        guard !consumers.isEmpty, isEven, isRead else { return nil }
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
