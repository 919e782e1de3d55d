package import Parameters

/// What a node computes: its description here, its arithmetic in the kernel it makes.
///
/// A new operation is one file in this folder and one line in `OperationRegistry`.
package protocol Operation: ParameterSet {
    /// The name in an architecture's JSON, e.g. "linear".
    static var kind: String { get }

    /// The shape of the output for one sample.
    ///
    /// - Throws: `NetworkError.shapeMismatch` for inputs the operation cannot take.
    func outputShape(of inputs: [[Int]], node: String) throws -> [Int]

    /// The trainable parameters for inputs of these shapes; none by default.
    func parameters(for inputs: [[Int]]) -> [ParameterSpecification]

    /// The floating-point operations for one sample; a multiply-add counts two.
    func cost(for inputs: [[Int]]) -> OperationCost

    /// The arithmetic, bound to its buffers.
    func makeKernel(_ wiring: Wiring) -> any Kernel
}

extension Operation {
    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] { [] }

    /// The single input an operation takes, or an error that says so.
    func onlyInput(_ inputs: [[Int]], node: String, allowed: String) throws -> [Int] {
        guard inputs.count == 1, let input = inputs.first else {
            throw NetworkError.shapeMismatch(node: node, found: inputs, allowed: "one input, \(allowed)")
        }
        return input
    }
}

/// Every operation an architecture may name.
package enum OperationRegistry {
    package static let types: [String: any Operation.Type] = [
        Linear.kind: Linear.self,
        Activation.kind: Activation.self,
        Dropout.kind: Dropout.self,
    ]
}

/// One trainable array of a node.
package struct ParameterSpecification: Equatable, Sendable {
    /// How the first values are drawn.
    package enum Initialization: Equatable, Sendable {
        case zero
        /// Normal numbers of mean 0 and variance gain² / `inputs` (He et al., 2015; LeCun et al., 1998).
        case scaledNormal(inputs: Int)
    }

    /// The name under its node, e.g. "weight".
    package var name: String
    package var shape: [Int]
    package var initialization: Initialization
}

/// Floating-point operations for one sample.
package struct OperationCost: Equatable, Sendable {
    package var forward: Int
    /// The gradient with respect to the inputs.
    package var inputGradient: Int
    /// The gradient with respect to the parameters.
    package var parameterGradient: Int
}

/// A node's value for all rows of a batch and the loss's gradient with respect to it, both [rows, count].
package struct Port {
    package let value: UnsafeMutablePointer<Float>
    package let gradient: UnsafeMutablePointer<Float>
    /// Elements of one row.
    package let count: Int
}

/// The memory a kernel works on.
package struct Wiring {
    package let inputs: [Port]
    package let inputShapes: [[Int]]
    package let output: Port
    /// The parameters' values and gradients, in the order of `Operation.parameters(for:)`.
    package let parameters: [(value: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>)]
    /// The largest number of rows.
    package let capacity: Int
    /// The node's position in the graph.
    package let nodeIndex: Int
}

/// Whether a forward pass learns or measures.
package enum ForwardMode: Equatable, Sendable {
    case evaluation
    /// `firstSample` is the position in the epoch of the batch's first row: dropout depends on it, not on sharding.
    case training(seed: Int, epoch: Int, firstSample: Int)
}

/// A node's arithmetic over bound buffers; used by one thread.
package protocol Kernel: AnyObject {
    /// Writes the output's values for the first `rows` rows.
    func forward(rows: Int, mode: ForwardMode)
    /// Reads the output's gradient and overwrites the inputs' gradients and the parameters' gradients, as asked.
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool)
}
