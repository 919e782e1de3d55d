package import Parameters

/// A graph that the pipeline lists node by node; the last node gives one value per class.
package struct GivenGraph: NetworkFamily {
    package static let kind = "graph"

    package var nodes: [Architecture.Node]

    package init(nodes: [Architecture.Node]) { self.nodes = nodes }

    package static let schema = Schema(
        Self(nodes: []),
        .maps(
            "nodes", \.nodes, count: 1...10_000,
            allowed: "a list of {name: …, operation: …, inputs: […], and the operation's own fields}",
            "the nodes in the order of computation; inputs are the node before by default, 'input' is the data",
            encode: \.tree
        ) { fields, before in
            try Architecture.Node(fields: &fields, previous: before.last?.name ?? Architecture.inputName)
        })

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
}
