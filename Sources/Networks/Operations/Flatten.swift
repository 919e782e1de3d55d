package import Parameters

/// An image [channels, h, w] as a row, channel by channel, rows of a channel one after the other, as in PyTorch.
package struct Flatten: Operation {
    package static let kind = "flatten"

    package init() {}
    package init(fields: inout Fields) throws {}

    package var widthRole: WidthRole { .flattens }
    package var backwardReads: BackwardReads { [] }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        [try onlyInput(inputs, node: node, allowed: "of any shape").reduce(1, *)]
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        OperationCost(forward: 0, inputGradient: 0, parameterGradient: 0)
    }
}
