package import Parameters

/// The sum of two or more values of one shape: where residual branches meet.
package struct Add: Operation {
    package static let kind = "add"

    package init() {}
    package init(fields: inout Fields) throws {}

    package var widthRole: WidthRole { .keeps }
    package var backwardReads: BackwardReads { [] }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        guard inputs.count >= 2, let first = inputs.first, inputs.allSatisfy({ $0 == first }) else {
            throw NetworkError.shapeMismatch(
                node: node, found: inputs, allowed: "two or more inputs of one shape")
        }
        return first
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        OperationCost(
            forward: (inputs.count - 1) * inputs[0].reduce(1, *), inputGradient: 0, parameterGradient: 0)
    }
}
