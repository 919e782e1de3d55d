internal import CKernels
package import Parameters

/// The sum of two or more values of one shape: where residual branches meet.
package struct Add: Operation {
    package static let kind = "add"

    package init() {}
    package static let schema = Schema(Self())

    package var widthRole: WidthRole { .keeps }
    package var channelPassage: ChannelPassage? { .summed }
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

    package var inPlace: InPlace { [.forward, .backward] }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { AddKernel(wiring) }
}

private final class AddKernel: Kernel {
    private let inputs: [Port]
    private let output: Port

    init(_ wiring: Wiring) {
        inputs = wiring.inputs
        output = wiring.output
    }

    // y = x0 + x1 + …
    func forward(rows: Int, mode: ForwardMode) {
        let count = output.elements(rows)
        vector_sum(inputs[0].value, inputs[1].value, output.value, count)
        for input in inputs[2...] { vector_add(output.value, input.value, count) }
    }

    // dx = dy for every input; one of them may stand where dy stands.
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients else { return }
        for input in inputs where input.gradient != output.gradient {
            input.gradient.update(from: output.gradient, count: output.elements(rows))
        }
    }
}
