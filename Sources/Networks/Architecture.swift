internal import Parameters

/// A network's graph: what is computed from what, without the values of its parameters.
///
/// Nodes stand in the order of computation: a node's inputs are earlier nodes or `Architecture.inputName`,
/// and the last node is the network's output.
package struct Architecture: Sendable {
    /// One operation and where it gets its inputs.
    package struct Node: Sendable {
        package var name: String
        package var operation: any Operation
        package var inputs: [String]
        /// What names the node's random numbers, whatever is put in beside it. Nil until it is part of an
        /// architecture, which gives it the next free number: its place, in a graph that is made in one
        /// piece.
        package var identity: Int?

        package init(_ name: String, _ operation: any Operation, inputs: [String]) {
            self.name = name
            self.operation = operation
            self.inputs = inputs
        }

        /// The operation, if it mixes channels by weights of its own.
        package var layer: (any Layer)? { operation as? any Layer }
    }

    /// The name under which nodes refer to the data.
    package static let inputName = "input"

    /// The shape of one sample, without the batch.
    package private(set) var inputShape: [Int]
    package private(set) var nodes: [Node]
    /// The shape of each node's output for one sample, in the order of `nodes`.
    package private(set) var shapes: [[Int]]
    /// Where each node stands in `nodes`.
    private var positions: [String: Int] = [:]

    /// - Throws: `NetworkError` where names or identities repeat, names point forward, or shapes do not fit.
    package init(inputShape: [Int], nodes: [Node]) throws {
        self.inputShape = inputShape
        self.nodes = try Self.identified(nodes)
        shapes = []
        guard !nodes.isEmpty else {
            throw NetworkError.invalidGraph(
                node: Self.inputName, problem: "a network needs at least one node")
        }
        guard !inputShape.isEmpty, inputShape.allSatisfy({ (1...1 << 20).contains($0) }) else {
            throw NetworkError.invalidGraph(
                node: Self.inputName,
                problem: "the input's extents must be in 1...\(1 << 20), not \(inputShape)")
        }
        guard Self.elements(inputShape, atMost: Self.largestSample) != nil else {
            throw NetworkError.invalidGraph(
                node: Self.inputName,
                problem: "a sample of \(inputShape) has more than \(Self.largestSample) values")
        }
        var known = [Self.inputName: inputShape]
        var room = Room()
        for node in nodes {
            try Self.checkName(node.name, taken: known.keys.contains(node.name))
            let inputs = try node.inputs.map { name in
                guard let shape = known[name] else {
                    throw NetworkError.invalidGraph(
                        node: node.name, problem: "its input '\(name)' is not an earlier node")
                }
                return shape
            }
            let shape = try node.operation.outputShape(of: inputs, node: node.name)
            known[node.name] = shape
            positions[node.name] = shapes.count
            shapes.append(shape)
            try count(node, reading: inputs, giving: shape, room: &room)
        }
    }

    /// The largest identity.
    static let lastIdentity = 1 << 24

    /// The nodes with an identity each: those without one get the numbers after the largest, in order.
    private static func identified(_ nodes: [Node]) throws -> [Node] {
        var taken: Set<Int> = []
        var next = (nodes.compactMap(\.identity).max() ?? -1) + 1
        return try nodes.map { node in
            var node = node
            let identity = node.identity ?? next
            if node.identity == nil { next += 1 }
            guard (0...lastIdentity).contains(identity), taken.insert(identity).inserted else {
                throw NetworkError.invalidGraph(
                    node: node.name,
                    problem: "its identity \(identity) is another node's or not in 0...\(lastIdentity)")
            }
            node.identity = identity
            return node
        }
    }

    /// The most values one sample may have: far more than any image, far less than what could overflow a product.
    private static let largestSample = 1 << 24

    /// What the nodes together may take: their values for one sample (a GiB), and their parameters, as many as a file holds.
    private struct Room {
        var values = 1 << 28
        var parameters = 1 << 32
    }

    /// Takes what a node needs from the room that there is: a graph of a few bytes must not ask for all memory.
    private func count(
        _ node: Node, reading inputs: [[Int]], giving shape: [Int], room: inout Room
    ) throws {
        // Values of images stand in blocks of channels.
        let padded = shape.count == 3 ? [(shape[0] + 15) / 16 * 16] + shape.dropFirst() : shape
        guard let values = Self.elements(padded, atMost: room.values) else {
            throw NetworkError.invalidGraph(
                node: node.name,
                problem:
                    "with its output \(shape) the nodes have more than \(Room().values) values for one sample"
            )
        }
        room.values -= values
        for parameter in node.operation.parameters(for: inputs) {
            guard let values = Self.elements(parameter.shape, atMost: room.parameters) else {
                throw NetworkError.invalidGraph(
                    node: node.name,
                    problem: "with its \(parameter.name) \(parameter.shape) the network has more than "
                        + "\(Room().parameters) parameters")
            }
            room.parameters -= values
        }
    }

    /// The number of values of a shape, an extent of 0 counted as 1; nil where there are more than `limit`.
    private static func elements(_ shape: [Int], atMost limit: Int) -> Int? {
        var count = 1
        for extent in shape {
            let (product, overflows) = count.multipliedReportingOverflow(by: max(1, extent))
            guard !overflows, product <= limit else { return nil }
            count = product
        }
        return count
    }

    private static func checkName(_ name: String, taken: Bool) throws {
        let allowed =
            !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        guard allowed else {
            throw NetworkError.invalidGraph(
                node: name, problem: "a name is 1 to 64 letters, digits, '-' or '_'")
        }
        guard !taken else { throw NetworkError.invalidGraph(node: name, problem: "the name is used twice") }
    }

    /// Whether a sample [channels, height, width] or [features] can be the input: as it is, or as one row.
    package func reads(sample: [Int]) -> Bool {
        inputShape == sample || inputShape == [sample.reduce(1, *)]
    }

    /// The number of values one sample has as it comes in.
    package var inputCount: Int { inputShape.reduce(1, *) }
    /// The number of values the network gives for one sample.
    package var outputCount: Int { (shapes.last ?? []).reduce(1, *) }
    /// The name of the last node.
    package var outputName: String { nodes.last?.name ?? Self.inputName }

    /// What names each node's random numbers, in the order of `nodes`.
    package var identities: [Int] { nodes.compactMap(\.identity) }

    /// The graph as it was made: without the nodes that were put in later. Who reads one of these reads its first
    /// input instead, which it passes on in the beginning.
    ///
    /// - Returns: nil where widths that stood side by side have grown apart since.
    package var original: Architecture? {
        var earliest = Int.max
        var kept: [Node] = []
        // A node that was put in stands before one of a smaller identity.
        for node in nodes.reversed() {
            let identity = node.identity ?? 0
            if identity < earliest {
                kept.append(node)
                earliest = identity
            }
        }
        guard kept.count < nodes.count else { return self }
        let names = Set(kept.map(\.name)).union([Self.inputName])
        func source(_ name: String) -> String {
            guard !names.contains(name), let place = index(of: name) else { return name }
            return source(nodes[place].inputs.first ?? Self.inputName)
        }
        let remaining = kept.reversed().map { node in
            var node = node
            node.inputs = node.inputs.map(source)
            return node
        }
        return try? Architecture(inputShape: inputShape, nodes: remaining)
    }

    /// The position of a node in `nodes`; nil for the data and for unknown names.
    package func index(of name: String) -> Int? { positions[name] }

    /// The shape of a node's output, or of the data.
    package func shape(of name: String) -> [Int]? {
        name == Self.inputName ? inputShape : index(of: name).map { shapes[$0] }
    }

    /// The shapes of a node's inputs.
    package func inputShapes(of node: Node) -> [[Int]] { node.inputs.compactMap(shape(of:)) }

    /// The nodes that read `name`, in order.
    package func consumers(of name: String) -> [Node] { nodes.filter { $0.inputs.contains(name) } }

    /// Checks that there is a way from the data to the output on which no width is 0.
    ///
    /// - Throws: `NetworkError.invalidGraph`
    func checkThatInputReachesOutput() throws {
        var reached: Set<String> = [Self.inputName]
        var ends: [String] = []
        for (node, shape) in zip(nodes, shapes) where node.inputs.contains(where: reached.contains) {
            if shape.contains(0) { ends.append(node.name) } else { reached.insert(node.name) }
        }
        guard reached.contains(outputName) else {
            throw NetworkError.invalidGraph(
                node: outputName,
                problem: ends.isEmpty
                    ? "it does not depend on the data"
                    : "it does not depend on the data, since \(ends.joined(separator: ", ")) of width 0 "
                        + "let nothing through; give a width of at least 1, or a way around")
        }
    }

    /// The same graph with the operation of one node exchanged.
    package func replacing(_ name: String, by operation: any Operation) throws -> Architecture {
        var changed = nodes
        guard let position = index(of: name) else {
            throw NetworkError.invalidGraph(node: name, problem: "there is no such node")
        }
        changed[position].operation = operation
        return try Architecture(inputShape: inputShape, nodes: changed)
    }
}

extension Architecture: Equatable {
    package static func == (left: Architecture, right: Architecture) -> Bool { left.tree == right.tree }
}
