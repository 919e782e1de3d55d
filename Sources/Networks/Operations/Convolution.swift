package import Parameters
package import Tensors

/// y[o, p] = b[o] + Σ w[o, c, t] x[c, s p + d t − padding]: x [in, h, w], w [out, in, kh, kw], zeros around the image.
///
/// A cross-correlation, as in PyTorch.
package struct Convolution: Layer {
    package static let kind = "convolution"

    /// The number of output channels; 0 for a block that is not there yet.
    package var width: Int
    package var window: Window
    package var bias: Bool

    package init(width: Int, window: Window, bias: Bool = true) {
        self.width = width
        self.window = window
        self.bias = bias
    }

    package static let schema = Schema(
        Self(width: 0, window: Window(kernel: Extent(square: 1))),
        .field(
            "width", \.width, .integer(in: 0...65_536), default: .required, "the number of output channels"),
        .kernel(\.window.kernel), .stride(\.window.stride), .padding(\.window.padding),
        .dilation(\.window.dilation),
        .field("bias", \.bias, .boolean, "whether a bias is added"))

    package func window(over shape: [Int]) -> Window { window }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        let input = try onlyInput(inputs, node: node, allowed: "an image [channels, height, width]")
        let positions = try window.positions(over: input, node: node)
        return [width, positions.height, positions.width]
    }

    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] {
        let channels = inputs[0][0]
        let weight = ParameterSpecification(
            name: "weight", shape: [width, channels, window.kernel.height, window.kernel.width],
            initialization: .scaledNormal(inputs: channels * window.taps))
        return bias
            ? [weight, .bias(width)] : [weight]
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        let outputs = width * (window.positions(over: Extent(inputs[0][1], inputs[0][2]))?.count ?? 0)
        let product = 2 * outputs * inputs[0][0] * window.taps
        let added = bias ? outputs : 0
        return OperationCost(
            forward: product + added, inputGradient: product, parameterGradient: product + added)
    }

    package func makeKernel(_ wiring: Wiring) -> any Kernel {
        ConvolutionKernel(window, isDepthwise: false, wiring)
    }
}
