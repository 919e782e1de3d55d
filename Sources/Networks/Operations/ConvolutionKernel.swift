internal import CKernels
internal import Tensors

/// The arithmetic of convolutions, bound to its buffers.
final class ConvolutionKernel: Kernel {
    private let isDepthwise: Bool
    private let wiring: Wiring
    private let input: Port
    private let output: Port
    private var shape: lanes_convolution

    init(_ window: Window, isDepthwise: Bool, _ wiring: Wiring) {
        self.isDepthwise = isDepthwise
        self.wiring = wiring
        input = wiring.inputs[0]
        output = wiring.output
        let (image, positions) = (input.layout.shape, output.layout.shape)
        shape = lanes_convolution(
            inputs: image[0], outputs: positions[0], height: image[1], width: image[2],
            outHeight: positions[1], outWidth: positions[2], kernelHeight: window.kernel.height,
            kernelWidth: window.kernel.width, strideHeight: window.stride.height,
            strideWidth: window.stride.width, paddingHeight: window.padding.height,
            paddingWidth: window.padding.width, dilationHeight: window.dilation.height,
            dilationWidth: window.dilation.width)
        _ = scratch(ValueLayout.blocks(wiring.capacity))
    }

    /// Working memory for a pass over so many blocks.
    private func scratch(_ blocks: Int) -> UnsafeMutablePointer<Float> {
        wiring.scratch.reserve(isDepthwise ? depthwise_scratch(&shape) : convolution_scratch(&shape, blocks))
    }

    // y [out, p] = b + Σ w x
    func forward(rows: Int, mode: ForwardMode) {
        let blocks = ValueLayout.blocks(rows)
        let pass = isDepthwise ? depthwise_forward : convolution_forward
        pass(
            &shape, blocks, input.value, wiring.parameters[0].value, wiring.bias?.value, output.value,
            scratch(blocks))
    }

    // dw = Σ dy x over rows and positions; db = Σ dy; dx = Σ w dy over outputs and taps
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        let blocks = ValueLayout.blocks(rows)
        if parameterGradients {
            let pass = isDepthwise ? depthwise_parameter_gradient : convolution_parameter_gradient
            pass(
                &shape, blocks, input.value, output.gradient, wiring.parameters[0].gradient,
                wiring.bias?.gradient, scratch(blocks))
        }
        if inputGradients {
            let pass = isDepthwise ? depthwise_input_gradient : convolution_input_gradient
            pass(
                &shape, blocks, output.gradient, wiring.parameters[0].value, input.gradient, scratch(blocks))
        }
    }
}
