internal import CKernels
internal import Parameters

/// The data in the order that nodes work in; an executor's own, in no registry.
struct LayoutConversion: Operation {
    package static let kind = "layout-conversion"

    init() {}
    package init(fields: inout Fields) throws {}

    package var backwardReads: BackwardReads { [] }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] { inputs[0] }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        OperationCost(forward: 0, inputGradient: 0, parameterGradient: 0)
    }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { LayoutConversionKernel(wiring) }
}

private final class LayoutConversionKernel: Kernel {
    private let input: Port
    private let output: Port

    init(_ wiring: Wiring) {
        input = wiring.inputs[0]
        output = wiring.output
    }

    func forward(rows: Int, mode: ForwardMode) {
        let layout = output.layout
        layout_from_planes(input.value, output.value, rows, layout.channels, layout.positions, layout.lanes)
    }

    /// The data need no gradient.
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {}
}
