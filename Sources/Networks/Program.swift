/// A network's kernels in order, and the values they read and write, by number: 0 is the input.
struct Program {
    /// A value and who reads it.
    struct Value {
        var name: String
        var layout: ValueLayout
        /// Whether it can be read after a whole pass.
        var isKept: Bool
        /// Instruction and place among its inputs, in order.
        var readers: [Reader] = []
        /// Whether a parameter stands before it, so that a gradient flows through it.
        var needsGradient = false
    }

    struct Reader: Equatable {
        var instruction: Int
        var place: Int
    }

    /// One kernel.
    struct Instruction {
        var operation: any Operation
        var node: String
        var identity: Int
        var inputs: [Int]
        var output: Int
        var hasParameters: Bool
        var needsInputGradient: Bool
    }

    private(set) var values: [Value]
    private(set) var instructions: [Instruction] = []
    private(set) var numbers: [String: Int]

    /// - Parameter keeping: the nodes whose values stay; nil: all.
    init(_ architecture: Architecture, keeping: Set<String>?) {
        values = [
            Value(
                name: Architecture.inputName, layout: ValueLayout(architecture.inputShape), isKept: true)
        ]
        numbers = [Architecture.inputName: 0]
        let identities = architecture.identities
        for (index, node) in architecture.nodes.enumerated() {
            let inputs = node.inputs.compactMap { numbers[$0] }
            let isRead =
                node.name != architecture.outputName && !architecture.consumers(of: node.name).isEmpty
            let isKept = keeping?.contains(node.name) ?? true || !isRead
            if join(node, inputs: inputs, isKept: isKept, in: architecture) { continue }
            add(
                node.operation, node.name, identity: identities[index], inputs: inputs,
                layout: ValueLayout(architecture.shapes[index]),
                hasParameters: !node.operation.parameters(for: architecture.inputShapes(of: node)).isEmpty,
                isKept: isKept)
            numbers[node.name] = values.count - 1
        }
    }

    /// Lets the kernel of the node before compute this one too, if nobody looks at what lies between.
    private mutating func join(
        _ node: Architecture.Node, inputs: [Int], isKept: Bool, in architecture: Architecture
    ) -> Bool {
        guard inputs.count == 1, let before = instructions.last, before.output == inputs[0],
            !values[inputs[0]].isKept, architecture.consumers(of: before.node).count == 1,
            let both = before.operation.joined(with: node.operation)
        else { return false }
        numbers[before.node] = nil
        numbers[node.name] = before.output
        instructions[instructions.count - 1].operation = both
        values[before.output].name = node.name
        values[before.output].isKept = isKept
        return true
    }

    private mutating func add(
        _ operation: any Operation, _ node: String, identity: Int, inputs: [Int], layout: ValueLayout,
        hasParameters: Bool, isKept: Bool
    ) {
        let needsInputGradient = inputs.contains { values[$0].needsGradient }
        for (place, input) in inputs.enumerated() {
            values[input].readers.append(Reader(instruction: instructions.count, place: place))
        }
        instructions.append(
            Instruction(
                operation: operation, node: node, identity: identity, inputs: inputs, output: values.count,
                hasParameters: hasParameters, needsInputGradient: needsInputGradient))
        values.append(
            Value(
                name: node, layout: layout, isKept: isKept,
                needsGradient: hasParameters || needsInputGradient))
    }

    /// The first instruction after a node's; 0 for the input.
    func instruction(after name: String) -> Int? {
        guard let number = numbers[name] else { return nil }
        return instructions.firstIndex { $0.output == number }.map { $0 + 1 } ?? 0
    }
}
