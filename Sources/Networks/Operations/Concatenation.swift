package import Parameters

/// The channels of two or more values one after the other; their other extents are the same.
package struct Concatenation: Operation {
    package static let kind = "concatenation"

    package init() {}
    package static let schema = Schema(Self())

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

    /// Calls `body` with where every input begins and where it stands in the output, block by block, and its elements.
    private func forEachPart(
        rows: Int, _ body: (_ input: Port, _ from: Int, _ into: Int, _ count: Int) -> Void
    ) {
        for block in 0..<ValueLayout.blocks(rows) {
            var into = block * output.count * ValueLayout.lanes
            for input in inputs {
                let count = input.count * ValueLayout.lanes
                body(input, block * count, into, count)
                into += count
            }
        }
    }

    // y [Σ channels, …] = x0, then x1, …
    func forward(rows: Int, mode: ForwardMode) {
        forEachPart(rows: rows) { input, from, into, count in
            (output.value + into).update(from: input.value + from, count: count)
        }
    }

    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients else { return }
        forEachPart(rows: rows) { input, from, into, count in
            (input.gradient + from).update(from: output.gradient + into, count: count)
        }
    }
}
