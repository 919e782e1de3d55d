package import Parameters

/// The channels of two or more values one after the other; their other extents are the same.
package struct Concatenation: Operation {
    package static let kind = "concatenation"

    package init() {}
    package init(fields: inout Fields) throws {}

    package var widthRole: WidthRole { .joins }
    package var backwardReads: BackwardReads { [] }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        guard inputs.count >= 2, let first = inputs.first,
            inputs.allSatisfy({ $0.count == first.count && $0.dropFirst() == first.dropFirst() })
        else {
            throw NetworkError.shapeMismatch(
                node: node, found: inputs,
                allowed: "two or more inputs that differ in their number of channels only")
        }
        return [inputs.reduce(0) { $0 + $1[0] }] + first.dropFirst()
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        OperationCost(forward: 0, inputGradient: 0, parameterGradient: 0)
    }
}
