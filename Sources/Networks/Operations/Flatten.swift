internal import CKernels
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

    package func readsPlanes(of shape: [Int]) -> Bool { true }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { FlattenKernel(wiring) }
}

private final class FlattenKernel: Kernel {
    private let input: Port
    private let output: Port

    init(_ wiring: Wiring) {
        input = wiring.inputs[0]
        output = wiring.output
    }

    // y [rows, c h w] = x
    func forward(rows: Int, mode: ForwardMode) {
        let layout = input.layout
        layout_to_planes(
            input.value, output.value, rows, layout.channels, layout.positions, layout.lanes)
    }

    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients else { return }
        let layout = input.layout
        layout_from_planes(
            output.gradient, input.gradient, rows, layout.channels, layout.positions, layout.lanes)
    }
}
