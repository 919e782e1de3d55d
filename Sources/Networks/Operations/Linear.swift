internal import CKernels
package import Parameters

/// y = x Wᵀ + b, with x [rows, in], W [out, in], b [out]: a fully connected layer.
package struct Linear: Layer {
    package static let kind = "linear"

    /// The number of outputs.
    package var width: Int
    package var bias: Bool

    package init(width: Int, bias: Bool = true) {
        self.width = width
        self.bias = bias
    }

    package static let schema = Schema(
        Self(width: 1),
        .field("width", \.width, .integer(in: 1...65_536), default: .required, "the number of outputs"),
        .field("bias", \.bias, .boolean, "whether a bias is added"))

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        let allowed = "a row of features"
        guard try onlyInput(inputs, node: node, allowed: allowed).count == 1 else {
            throw NetworkError.shapeMismatch(node: node, found: inputs, allowed: allowed)
        }
        return [width]
    }

    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] {
        let features = inputs[0][0]
        let weight = ParameterSpecification(
            name: "weight", shape: [width, features], initialization: .scaledNormal(inputs: features))
        return bias
            ? [weight, .bias(width)] : [weight]
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        let product = 2 * width * inputs[0][0]
        let added = bias ? width : 0
        return OperationCost(
            forward: product + added, inputGradient: product, parameterGradient: product + added)
    }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { LinearKernel(wiring) }
}

private final class LinearKernel: Kernel {
    private let wiring: Wiring
    private let input: Port
    private let output: Port

    init(_ wiring: Wiring) {
        self.wiring = wiring
        input = wiring.inputs[0]
        output = wiring.output
        _ = scratch(ValueLayout.blocks(wiring.capacity))
    }

    /// Working memory for a pass over so many blocks.
    private func scratch(_ blocks: Int) -> UnsafeMutablePointer<Float> {
        wiring.scratch.reserve(linear_scratch(input.count, output.count, blocks))
    }

    // y [rows, out] = x [rows, in] Wᵀ + b
    func forward(rows: Int, mode: ForwardMode) {
        let blocks = ValueLayout.blocks(rows)
        linear_forward(
            input.count, output.count, blocks, input.value, wiring.parameters[0].value, wiring.bias?.value,
            output.value, scratch(blocks))
    }

    // dW [out, in] = dyᵀ x; db = the column sums of dy; dx [rows, in] = dy W.
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        let blocks = ValueLayout.blocks(rows)
        if parameterGradients {
            linear_parameter_gradient(
                input.count, output.count, blocks, input.value, output.gradient,
                wiring.parameters[0].gradient, wiring.bias?.gradient, scratch(blocks))
        }
        if inputGradients {
            linear_input_gradient(
                input.count, output.count, blocks, output.gradient, wiring.parameters[0].value,
                input.gradient, scratch(blocks))
        }
    }
}
