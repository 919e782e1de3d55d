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

    package init(fields: inout Fields) throws {
        width = try fields.integer("width", in: 0...65_536, "the number of output channels")
        window = try fields.window()
        bias = try fields.boolean("bias", default: true, "whether a bias is added")
    }

    private enum CodingKeys: CodingKey { case width, kernel, stride, padding, dilation, bias }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(width, forKey: .width)
        try container.encode(window.kernel, forKey: .kernel)
        try container.encode(window.stride, forKey: .stride)
        try container.encode(window.padding, forKey: .padding)
        try container.encode(window.dilation, forKey: .dilation)
        try container.encode(bias, forKey: .bias)
    }

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
            ? [weight, ParameterSpecification(name: "bias", shape: [width], initialization: .zero)] : [weight]
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
