import Tensors

@testable import Networks

/// An operation behind layers that draw its inputs from data, with random parameters, and a random projection of its output.
struct OperationSetting {
    let executor: Executor
    let parameters: ParameterArena
    let gradients: ParameterArena
    let updates: ParameterArena
    let fronts: [String]
    let rows: Int
    private let projection: [Float]

    init(_ given: OperationCase, rows: Int) throws {
        self.rows = rows
        fronts = given.shapes.indices.map { "front\($0)" }
        let image = given.shapes[0].count == 3 ? [3] + given.shapes[0][1...] : [3]
        var nodes = zip(fronts, given.shapes).map { name, shape in
            let layer: any Networks.Operation =
                shape.count == 3
                ? Convolution(width: shape[0], window: Window(kernel: Extent(square: 1)))
                : Linear(width: shape[0])
            return Architecture.Node(name, layer, inputs: ["input"])
        }
        nodes.append(.init("tested", given.operation, inputs: fronts))
        let architecture = try Architecture(inputShape: image, nodes: nodes)
        let layout = ParameterLayout(architecture)
        parameters = ParameterArena(layout)
        gradients = ParameterArena(layout)
        updates = ParameterArena(ParameterLayout.state(architecture))
        for (index, entry) in layout.entries.enumerated() {
            let values = randomValues(entry.count, index: 100 + index, deviation: 0.5)
            for (place, value) in values.enumerated() {
                parameters.buffer.pointer[entry.offset + place] = value
            }
        }
        executor = Executor(
            architecture, parameters: parameters, gradients: gradients,
            state: ParameterArena(ParameterLayout.state(architecture)), stateUpdates: updates, capacity: rows)
        projection = randomValues(rows * architecture.outputCount, index: 7)
        executor.writeRows(
            of: "input", rows: rows, from: randomValues(rows * image.reduce(1, *), index: 8))
    }

    func read(_ node: String, _ quantity: Executor.Quantity) -> [Float] {
        let count = executor.architecture.shape(of: node)?.reduce(rows, *) ?? 0
        // One more than there is, so that even nothing has an address.
        var values = [Float](repeating: 0, count: count + 1)
        executor.readRows(of: node, quantity, rows: rows, into: &values)
        return Array(values[..<count])
    }

    var loss: Double {
        zip(projection, read("tested", .value)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    func run(_ mode: ForwardMode) {
        executor.forward(rows: rows, mode: mode)
        executor.writeRows(of: "tested", .gradient, rows: rows, from: projection + [0])
        executor.backward(rows: rows)
    }

    /// Everything that a pass leaves, bit by bit.
    var bits: [UInt32] {
        let nodes = fronts + ["tested"]
        let values = nodes.flatMap { read($0, .value) } + nodes.flatMap { read($0, .gradient) }
        return (values + gradients.buffer.values + updates.buffer.values).map(\.bitPattern)
    }
}
