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
    package var initialization: Initialization

    /// What the weights begin with.
    package enum Initialization: String, CaseIterable, Sendable {
        /// Normal numbers.
        case normal
        /// Output channel i is input channel i; where there are more outputs, these have normal numbers.
        case dirac
    }

    package init(
        width: Int, window: Window, bias: Bool = true, initialization: Initialization = .normal
    ) {
        self.width = width
        self.window = window
        self.bias = bias
        self.initialization = initialization
    }

    package static let schema = Schema(
        Self(width: 0, window: Window(kernel: Extent(square: 1))),
        .field(
            "width", \.width, .integer(in: 0...65_536), default: .required, "the number of output channels"),
        .kernel(\.window.kernel), .stride(\.window.stride), .padding(\.window.padding),
        .dilation(\.window.dilation),
        .field("bias", \.bias, .boolean, "whether a bias is added"),
        .field(
            "initialization", \.initialization, .choice, omitting: .normal,
            "what weights begin with: normal numbers, or channels passed on"))

    package func window(over shape: [Int]) -> Window { window }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        let input = try onlyInput(inputs, node: node, allowed: "an image [channels, height, width]")
        let positions = try window.positions(over: input, node: node)
        return [width, positions.height, positions.width]
    }

    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] {
        let channels = inputs[0][0], count = channels * window.taps
        let weight = ParameterSpecification(
            name: "weight", shape: [width, channels, window.kernel.height, window.kernel.width],
            initialization: initialization == .dirac ? .dirac(inputs: count) : .scaledNormal(inputs: count))
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
