internal import CKernels
package import Parameters

/// The mean of each channel over all positions: [channels, h, w] becomes a row [channels].
package struct GlobalAveragePooling: Operation {
    package static let kind = "global-average-pooling"

    package init() {}
    package static let schema = Schema(Self())

    package var widthRole: WidthRole { .keeps }
    package var channelPassage: ChannelPassage? { .global }
    package var backwardReads: BackwardReads { [] }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        let allowed = "an image [channels, height, width]"
        let input = try onlyInput(inputs, node: node, allowed: allowed)
        guard input.count == 3 else {
            throw NetworkError.shapeMismatch(node: node, found: inputs, allowed: allowed)
        }
        return [input[0]]
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        let count = inputs[0].reduce(1, *)
        return OperationCost(forward: count, inputGradient: count, parameterGradient: 0)
    }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { GlobalAveragePoolingKernel(wiring) }
}

private final class GlobalAveragePoolingKernel: Kernel {
    private let input: Port
    private let output: Port

    init(_ wiring: Wiring) {
        input = wiring.inputs[0]
        output = wiring.output
    }

    // y [channels] = the means over the positions of x
    func forward(rows: Int, mode: ForwardMode) {
        pooling_global_forward(input.value, output.value, output.vectors(rows), input.layout.positions)
    }

    // dx = dy / positions
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients else { return }
        pooling_global_backward(
            output.gradient, input.gradient, output.vectors(rows), input.layout.positions)
    }
}
