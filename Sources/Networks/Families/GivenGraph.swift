package import Parameters

/// A graph that the pipeline lists node by node; the last node gives one value per class.
package struct GivenGraph: NetworkFamily {
    package static let kind = "graph"

    package var nodes: [Architecture.Node]

    package init(nodes: [Architecture.Node]) { self.nodes = nodes }

    package init(fields: inout Fields) throws {
        var previous = Architecture.inputName
        nodes = try fields.maps(
            "nodes", count: 1...10_000,
            allowed: "a list of {name: …, operation: …, inputs: […], and the operation's own fields}",
            "the nodes in the order of computation; inputs are the node before by default, 'input' is the data"
        ) { fields in
            let node = try Architecture.Node(fields: &fields, previous: previous)
            previous = node.name
            return node
        }
    }

    private enum CodingKeys: CodingKey { case nodes }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(nodes, forKey: .nodes)
    }

    package func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        let architecture = try Architecture(inputShape: sample, nodes: nodes)
        guard architecture.shapes.last == [outputs] else {
            throw NetworkError.invalidGraph(
                node: architecture.outputName,
                problem: "the last node gives values of shape \(architecture.shapes.last ?? []); for "
                    + "\(outputs) classes it must be [\(outputs)]")
        }
        return architecture
    }

    package static func == (left: GivenGraph, right: GivenGraph) -> Bool { left.tree == right.tree }
}

extension Architecture.Node: Encodable {
    private enum CodingKeys: CodingKey { case name, operation, inputs, identity }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(type(of: operation).kind, forKey: .operation)
        try container.encode(inputs, forKey: .inputs)
        try container.encodeIfPresent(identity, forKey: .identity)
        try operation.encode(to: encoder)
    }
}
