import Parameters

@testable import Networks

/// y = |x|, element by element.
struct AbsoluteValue: Operation {
    static let kind = "absolute-value"
    static let schema = Schema(Self())

    func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        try onlyInput(inputs, node: node, allowed: "of any shape")
    }
    func cost(for inputs: [[Int]]) -> OperationCost {
        let count = inputs[0].reduce(1, *)
        return OperationCost(forward: count, inputGradient: count, parameterGradient: 0)
    }
    func makeKernel(_ wiring: Wiring) -> any Kernel { AbsoluteValueKernel(wiring) }
}

private final class AbsoluteValueKernel: Kernel {
    private let input: Port
    private let output: Port

    init(_ wiring: Wiring) { (input, output) = (wiring.inputs[0], wiring.output) }

    func forward(rows: Int, mode: ForwardMode) {
        for index in 0..<input.elements(rows) { output.value[index] = abs(input.value[index]) }
    }
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        for index in 0..<input.elements(rows) where inputGradients {
            input.gradient[index] = (input.value[index] < 0 ? -1 : 1) * output.gradient[index]
        }
    }
}
