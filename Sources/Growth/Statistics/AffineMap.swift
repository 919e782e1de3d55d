internal import Networks
internal import Tensors

/// x ↦ W x + w at every position of a window, in Float32: a layer with weights of its own.
///
/// Rows are as an executor gives them, [rows, height, width, channels] or [rows, features]. Used by one thread.
final class AffineMap {
    /// nil where there are no inputs, so that all outputs are w.
    private let executor: Executor?
    /// w, and how often it stands in the outputs of one sample.
    private let bias: [Float]
    private let positions: Int
    /// Executors do not own the parameters they read.
    private let arena: ParameterArena?

    private static let node = "map"

    /// - Parameters:
    ///   - matrix: [W | w], [outputs, inputs + 1], or W alone; columns as a layer over `shape` has them.
    ///   - layer: gives the window; its own width and bias do not matter.
    ///   - shape: of one sample.
    ///   - capacity: the most rows at a time.
    init(_ matrix: Matrix, hasBias: Bool, like layer: any Layer, over shape: [Int], capacity: Int) throws {
        let inputs = matrix.columns - (hasBias ? 1 : 0)
        bias = hasBias ? matrix.column(inputs).map(Float.init) : Array(repeating: 0, count: matrix.rows)
        positions = layer.window(over: shape).positions(over: shape.extent)?.count ?? 1
        guard inputs > 0 else {
            (executor, arena) = (nil, nil)
            return
        }
        var operation = layer
        operation.width = matrix.rows
        operation.bias = hasBias
        let architecture = try Architecture(
            inputShape: shape, nodes: [.init(Self.node, operation, inputs: [Architecture.inputName])])
        let layout = ParameterLayout(architecture)
        var tensors: [String: Tensor] = [:]
        for entry in layout.entries {
            let isBias = entry.specification.name == "bias"
            tensors[entry.name] = Tensor(
                shape: entry.specification.shape,
                values: isBias
                    ? matrix.column(inputs).map(Float.init)
                    : matrix.selecting(columns: 0..<inputs).narrowed)
        }
        let arena = ParameterArena(layout, tensors)
        self.arena = arena
        executor = Executor(architecture, parameters: arena, capacity: capacity, purpose: .inference)
    }

    /// Writes one sample's outputs after the other, positions before channels.
    func apply(
        to rows: UnsafePointer<Float>, rows count: Int, into result: UnsafeMutablePointer<Float>
    ) {
        guard let executor else {
            for index in 0..<count * positions {
                for (output, value) in bias.enumerated() { result[index * bias.count + output] = value }
            }
            return
        }
        executor.writeRows(of: Architecture.inputName, rows: count, from: rows)
        executor.forward(rows: count)
        executor.readRows(of: Self.node, .value, rows: count, into: result)
    }
}
