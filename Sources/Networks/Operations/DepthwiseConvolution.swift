package import Parameters
package import Tensors

/// y[c, p] = b[c] + Σ w[c, t] x[c, s p + d t − padding]: each channel by a kernel of its own, w [channels, 1, kh, kw].
package struct DepthwiseConvolution: Operation {
    package static let kind = "depthwise-convolution"

    package var window: Window
    package var bias: Bool

    package init(window: Window, bias: Bool = true) {
        self.window = window
        self.bias = bias
    }

    package static let schema = Schema(
        Self(window: Window(kernel: Extent(square: 1))),
        .kernel(\.window.kernel), .stride(\.window.stride), .padding(\.window.padding),
        .dilation(\.window.dilation),
        .field("bias", \.bias, .boolean, "whether a bias is added"))

    package var backwardReads: BackwardReads { .inputs }
    package var channelPassage: ChannelPassage? { .middle(window) }

    package func passing(_ name: String, count: Int, mean: Double, variance: Double) -> [Float] {
        let middle = window.kernel.height / 2 * window.kernel.width + window.kernel.width / 2
        return (0..<count).map { name == "weight" && $0 == middle ? 1 : 0 }
    }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        let input = try onlyInput(inputs, node: node, allowed: "an image [channels, height, width]")
        let positions = try window.positions(over: input, node: node)
        return [input[0], positions.height, positions.width]
    }

    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] {
        let channels = inputs[0][0]
        let weight = ParameterSpecification(
            name: "weight", shape: [channels, 1, window.kernel.height, window.kernel.width],
            initialization: .scaledNormal(inputs: window.taps))
        return bias
            ? [weight, .bias(channels)]
            : [weight]
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        let outputs = inputs[0][0] * (window.positions(over: Extent(inputs[0][1], inputs[0][2]))?.count ?? 0)
        let product = 2 * outputs * window.taps
        let added = bias ? outputs : 0
        return OperationCost(
            forward: product + added, inputGradient: product, parameterGradient: product + added)
    }

    package func makeKernel(_ wiring: Wiring) -> any Kernel {
        ConvolutionKernel(window, isDepthwise: true, wiring)
    }
}
