internal import CKernels
package import Parameters
internal import Tensors

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

    package init(fields: inout Fields) throws {
        width = try fields.integer("width", in: 1...65_536, "the number of outputs")
        bias = try fields.boolean("bias", default: true, "whether a bias is added")
    }

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
            ? [weight, ParameterSpecification(name: "bias", shape: [width], initialization: .zero)] : [weight]
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
    }

    // y [rows, out] = x [rows, in] Wᵀ, then the bias to every row.
    func forward(rows: Int, mode: ForwardMode) {
        Products.multiply(
            rows: rows, columns: output.count, inner: input.count,
            Products.Operand(input.value, stride: input.count),
            Products.Operand(wiring.parameters[0].value, stride: input.count, transposed: true),
            into: output.value, stride: output.count)
        if wiring.parameters.count > 1 {
            rows_add_bias(output.value, wiring.parameters[1].value, rows, output.count)
        }
    }

    // dW [out, in] = dyᵀ x; db = the column sums of dy; dx [rows, in] = dy W.
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        if parameterGradients {
            Products.multiply(
                rows: output.count, columns: input.count, inner: rows,
                Products.Operand(output.gradient, stride: output.count, transposed: true),
                Products.Operand(input.value, stride: input.count),
                into: wiring.parameters[0].gradient, stride: input.count)
            if wiring.parameters.count > 1 {
                rows_sum(output.gradient, wiring.parameters[1].gradient, rows, output.count)
            }
        }
        if inputGradients {
            Products.multiply(
                rows: rows, columns: input.count, inner: output.count,
                Products.Operand(output.gradient, stride: output.count),
                Products.Operand(wiring.parameters[0].value, stride: input.count),
                into: input.gradient, stride: input.count)
        }
    }
}
