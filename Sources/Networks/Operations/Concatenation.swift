internal import CKernels
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

    package func makeKernel(_ wiring: Wiring) -> any Kernel { ConcatenationKernel(wiring) }
}

private final class ConcatenationKernel: Kernel {
    private let inputs: [Port]
    private let output: Port

    init(_ wiring: Wiring) {
        inputs = wiring.inputs
        output = wiring.output
    }

    /// Calls `body` with every input and the channel of the output where it begins.
    private func forEachInput(_ body: (Port, Int) -> Void) {
        var first = 0
        for input in inputs {
            body(input, first)
            first += input.layout.channels
        }
    }

    // y [Σ channels, …] = x0, then x1, …
    func forward(rows: Int, mode: ForwardMode) {
        let layout = output.layout
        // The last block's padding belongs to no input.
        if layout.channels < layout.blocks * layout.lanes {
            output.value.update(repeating: 0, count: rows * output.count)
        }
        forEachInput { input, first in
            layout_insert(
                input.value, output.value, rows, layout.positions, input.layout.channels, input.layout.lanes,
                first, layout.channels, layout.lanes)
        }
    }

    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients else { return }
        let layout = output.layout
        forEachInput { input, first in
            layout_extract(
                input.gradient, output.gradient, rows, layout.positions, input.layout.channels,
                input.layout.lanes, first, layout.channels, layout.lanes)
        }
    }
}
