internal import CKernels
package import Parameters
package import Tensors

/// The largest or the mean value of each window, channel by channel.
///
/// Padding never is the largest; in a mean it counts as zeros, as in PyTorch.
package struct Pooling: Operation {
    package static let kind = "pooling"

    package enum Function: String, CaseIterable, Sendable {
        case max
        case average
    }

    package var function: Function
    package var window: Window

    package init(_ function: Function, window: Window) {
        self.function = function
        self.window = window
    }

    package static let schema = Schema(
        Self(.max, window: Window(kernel: Extent(square: 1))),
        .field("function", \.function, .choice, default: .required, "max or average"),
        .kernel(\.window.kernel), .stride(\.window.stride), .padding(\.window.padding))

    package var widthRole: WidthRole { .keeps }
    package var channelPassage: ChannelPassage? { function == .max ? .max(window) : .average(window) }
    // The kernel keeps what it needs of the largest values' places.
    package var backwardReads: BackwardReads { [] }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        let input = try onlyInput(inputs, node: node, allowed: "an image [channels, height, width]")
        let positions = try window.positions(over: input, node: node)
        guard 2 * window.padding.height <= window.kernel.height,
            2 * window.padding.width <= window.kernel.width
        else {
            throw NetworkError.invalidGraph(
                node: node, problem: "a pooling window's padding is at most half of its kernel")
        }
        return [input[0], positions.height, positions.width]
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        let outputs = inputs[0][0] * (window.positions(over: Extent(inputs[0][1], inputs[0][2]))?.count ?? 0)
        return OperationCost(
            forward: outputs * window.taps, inputGradient: outputs * (function == .max ? 1 : window.taps),
            parameterGradient: 0)
    }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { PoolingKernel(self, wiring) }
}

private final class PoolingKernel: Kernel {
    private let function: Pooling.Function
    private let input: Port
    private let output: Port
    private var window: PoolingWindow
    /// Where in its image each largest value stood, laid out as the output.
    private let places: AlignedBuffer

    init(_ pooling: Pooling, _ wiring: Wiring) {
        function = pooling.function
        input = wiring.inputs[0]
        output = wiring.output
        let (image, positions, given) = (input.layout.shape, output.layout.shape, pooling.window)
        window = PoolingWindow(
            height: image[1], width: image[2], outHeight: positions[1], outWidth: positions[2],
            kernelHeight: given.kernel.height, kernelWidth: given.kernel.width,
            strideHeight: given.stride.height, strideWidth: given.stride.width,
            paddingHeight: given.padding.height, paddingWidth: given.padding.width)
        places = AlignedBuffer(count: function == .max ? output.elements(wiring.capacity) : 0)
    }

    /// Places are of the size of values.
    private var placesPointer: UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(places.pointer).assumingMemoryBound(to: Int32.self)
    }

    // y = the largest or the mean value of each window of x
    func forward(rows: Int, mode: ForwardMode) {
        let images = ValueLayout.blocks(rows) * input.layout.channels
        switch function {
        case .max:
            pooling_max_forward(input.value, output.value, placesPointer, images, &window)
        case .average:
            pooling_average_forward(input.value, output.value, images, &window)
        }
    }

    // dx = dy where the largest value stood, or dy / taps for every value of the window
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients else { return }
        let images = ValueLayout.blocks(rows) * input.layout.channels
        switch function {
        case .max:
            pooling_max_backward(output.gradient, placesPointer, input.gradient, images, &window)
        case .average:
            pooling_average_backward(output.gradient, input.gradient, images, &window)
        }
    }
}
