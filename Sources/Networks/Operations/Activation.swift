internal import CKernels
package import Parameters

/// y = σ(x), element by element, for any shape.
package struct Activation: Operation {
    package static let kind = "activation"

    /// The activation functions.
    package enum Function: String, CaseIterable, Sendable {
        case relu
        /// Self-normalising exponential linear unit (Klambauer et al., 2017).
        case selu
        /// x Φ(x), exact form (Hendrycks and Gimpel, 2016).
        case gelu
        case tanh
        case identity

        /// The gain that keeps the variance of activations near 1 at initialisation.
        package var initializationGain: Double {
            switch self {
            case .relu, .gelu: 2.0.squareRoot()
            case .tanh: 5.0 / 3.0
            case .selu, .identity: 1
            }
        }

        /// σ'(0) from the right and from the left: a small z becomes `right` z for z > 0, `left` z for z < 0.
        package var slopesAtZero: (right: Double, left: Double) {
            switch self {
            case .relu: (1, 0)
            case .selu: (1.0507009873554805, 1.0507009873554805 * 1.6732632423543772)
            case .gelu: (0.5, 0.5)
            case .tanh, .identity: (1, 1)
            }
        }
    }

    package var function: Function

    package init(_ function: Function) { self.function = function }

    package static let schema = Schema(
        Self(.relu), .field("function", \.function, .choice, default: .required, "the activation function"))

    package var backwardReads: BackwardReads {
        switch function {
        case .relu: .output
        case .identity: []
        case .selu, .gelu, .tanh: .inputs
        }
    }
    package var inPlace: InPlace { [.forward, .backward] }

    package var channelPassage: ChannelPassage? {
        let slopes = function.slopesAtZero
        return .slopes(right: slopes.right, left: slopes.left)
    }

    package var isHomogeneous: Bool { function == .relu || function == .identity }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        try onlyInput(inputs, node: node, allowed: "of any shape")
    }

    // The field counts one operation per element, whatever the function.
    package func cost(for inputs: [[Int]]) -> OperationCost {
        let count = inputs[0].reduce(1, *)
        return OperationCost(forward: count, inputGradient: count, parameterGradient: 0)
    }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { ActivationKernel(function, wiring) }
}

private final class ActivationKernel: Kernel {
    private typealias Forward = (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    private typealias Backward = (
        UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int
    ) -> Void

    private let input: Port
    private let output: Port
    private let apply: Forward
    private let differentiate: Backward
    /// What `differentiate` reads beside the output's gradient.
    private let argument: UnsafeMutablePointer<Float>

    init(_ function: Activation.Function, _ wiring: Wiring) {
        input = wiring.inputs[0]
        output = wiring.output
        argument = function == .relu ? output.value : input.value
        switch function {
        case .relu:
            apply = { activation_relu_forward($0, $1, $2) }
            differentiate = { activation_relu_backward($0, $1, $2, $3) }
        case .selu:
            apply = { activation_selu_forward($0, $1, $2) }
            differentiate = { activation_selu_backward($0, $1, $2, $3) }
        case .gelu:
            apply = { activation_gelu_forward($0, $1, $2) }
            differentiate = { activation_gelu_backward($0, $1, $2, $3) }
        case .tanh:
            apply = { activation_tanh_forward($0, $1, $2) }
            differentiate = { activation_tanh_backward($0, $1, $2, $3) }
        case .identity:
            apply = { $1.update(from: $0, count: $2 * ValueLayout.lanes) }
            differentiate = { _, from, into, count in
                into.update(from: from, count: count * ValueLayout.lanes)
            }
        }
    }

    // y = σ(x)
    func forward(rows: Int, mode: ForwardMode) {
        apply(input.value, output.value, input.vectors(rows))
    }

    // dx = dy σ'(x)
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients else { return }
        differentiate(argument, output.gradient, input.gradient, input.vectors(rows))
    }
}
