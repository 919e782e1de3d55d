package import Parameters

/// An image [channels, h, w] as a row, channel by channel, rows of a channel one after the other, as in PyTorch.
package struct Flatten: Operation {
    package static let kind = "flatten"

    package init() {}
    package static let schema = Schema(Self())

    package var widthRole: WidthRole { .flattens }
    package var channelPassage: ChannelPassage? { .flattened }
    package var backwardReads: BackwardReads { [] }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        [try onlyInput(inputs, node: node, allowed: "of any shape").reduce(1, *)]
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        OperationCost(forward: 0, inputGradient: 0, parameterGradient: 0)
    }

    package var inPlace: InPlace { [.forward, .backward] }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { FlattenKernel(wiring) }
}

private final class FlattenKernel: Kernel {
    private let input: Port
    private let output: Port

    init(_ wiring: Wiring) {
        input = wiring.inputs[0]
        output = wiring.output
    }

    // Every value stays where it stands, so there is nothing to do but where memory is not shared.
    func forward(rows: Int, mode: ForwardMode) {
        guard output.value != input.value else { return }
        output.value.update(from: input.value, count: input.elements(rows))
    }

    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients, input.gradient != output.gradient else { return }
        input.gradient.update(from: output.gradient, count: input.elements(rows))
    }
}
