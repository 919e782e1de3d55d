package import Parameters

extension Architecture {
    /// The graph as a parameter tree: `{"input": [784], "nodes": [{"name": …, "operation": …, "inputs": …, …}]}`.
    ///
    /// Nodes say their identities where one of these is not the node's place.
    package var tree: Tree {
        var nodes = nodes
        if identities.elementsEqual(nodes.indices) {
            for index in nodes.indices { nodes[index].identity = nil }
        }
        return Tree(
            .map([
                Tree.Entry(key: "input", value: Tree(.list(inputShape.map { Tree(.integer($0)) }))),
                Tree.Entry(key: "nodes", value: Tree(.list(nodes.map(\.tree)))),
            ]))
    }

    /// Reads a graph as strictly as a pipeline's YAML.
    ///
    /// - Parameter file: where the tree comes from, for messages.
    package init(tree: Tree, file: String) throws {
        let (input, nodes) = try Fields.reading(tree, file: file, path: "architecture") { fields in
            (
                try fields.read("input", .integers(in: 1...1 << 20, count: 1...4), "the shape of one sample"),
                try fields.maps("nodes", count: 1...10_000, allowed: "a list of nodes", "in order") {
                    fields in
                    try Node(fields: &fields, previous: nil)
                }
            )
        }
        try self.init(inputShape: input, nodes: nodes)
    }
}

extension Architecture.Node {
    package var tree: Tree {
        var entries = [
            Tree.Entry(key: "name", value: Tree(.text(name))),
            Tree.Entry(key: "operation", value: Tree(.text(type(of: operation).kind))),
            Tree.Entry(key: "inputs", value: Tree(.list(inputs.map { Tree(.text($0)) }))),
        ]
        if let identity { entries.append(Tree.Entry(key: "identity", value: Tree(.integer(identity)))) }
        if case .map(let own) = operation.tree.content { entries += own }
        return Tree(.map(entries))
    }

    /// Reads one node.
    ///
    /// - Parameter previous: what it reads if it does not say so; nil if it must.
    init(fields: inout Fields, previous: String?) throws {
        name = try fields.read("name", .text, "the node's name")
        inputs = Self.inputs(&fields, previous: previous)
        if fields.contains("identity") {
            identity = try fields.read(
                "identity", .integer(in: 0...Architecture.lastIdentity), default: 0,
                "names the node's random numbers; without it, the next number that no node has")
        }
        operation = try Architecture.operations.read(
            "operation", &fields, default: nil, "what the node computes")
    }

    private static func inputs(_ fields: inout Fields, previous: String?) -> [String] {
        let given = fields.tree("inputs")
        if given == nil, let previous { return [previous] }
        let names = given?.list?.compactMap(\.text) ?? []
        guard let given, names.count == given.list?.count else {
            fields.refuse("inputs", found: given?.summary ?? "nothing", allowed: "a list of node names")
            return []
        }
        return names
    }
}
