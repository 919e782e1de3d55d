internal import CKernels
internal import Tensors

/// The arithmetic of convolutions: the library's kernels, made once per number of rows, and its order of the weights.
final class ConvolutionKernel: Kernel {
    private let window: Window
    private let isDepthwise: Bool
    private let wiring: Wiring
    private let input: Port
    private let output: Port
    private var products: [Int: Products] = [:]
    /// The weights in the library's order, from a forward pass to the backward pass after it.
    private var weights = AlignedBuffer(count: 0)

    init(_ window: Window, isDepthwise: Bool, _ wiring: Wiring) {
        self.window = window
        self.isDepthwise = isDepthwise
        self.wiring = wiring
        input = wiring.inputs[0]
        output = wiring.output
        if !isEmpty { products[wiring.capacity] = makeProducts(rows: wiring.capacity) }
    }

    /// The first layer of a network reads its few channels as planes: in a block of 16 most would be padding.
    static func readsPlanes(of shape: [Int]) -> Bool { ValueLayout.isBlocked && shape[0] <= 3 }

    /// Whether there is nothing to multiply.
    private var isEmpty: Bool { input.layout.channels == 0 || output.layout.channels == 0 }

    private var bias: UnsafeMutablePointer<Float>? {
        wiring.parameters.count > 1 ? wiring.parameters[1].value : nil
    }

    /// The products for one number of rows, without those that are not asked for.
    private struct Products {
        let forward: ConvolutionProduct
        let weightsIn: LibraryConvolution.WeightReorder
        let inputGradient: ConvolutionProduct?
        /// Where the input gradient wants the weights in another order than the forward pass.
        let weightsInAgain: LibraryConvolution.WeightReorder?
        let parameterGradient: ConvolutionProduct?
        let weightsOut: LibraryConvolution.WeightReorder?
        /// The library's working memory; behind it there is room for the weights in any order.
        let scratchCount: Int
    }

    private func makeProducts(rows: Int) -> Products {
        let shape = shape(rows: rows)
        func make(_ pass: LibraryConvolution.Pass) throws -> ConvolutionProduct {
            try ConvolutionProduct(shape, pass, input: input.layout, output: output.layout)
        }
        do {
            let forward = try make(.forward)
            let weightsIn = try forward.makeReorderIn()
            let inputGradient = wiring.needsInputGradient ? try make(.inputGradient) : nil
            let again = try inputGradient.flatMap {
                $0.sharesWeights(with: forward) ? nil : try $0.makeReorderIn()
            }
            let parameterGradient = wiring.needsParameterGradients ? try make(.parameterGradient) : nil
            let weightsOut = try parameterGradient?.makeReorderOut()
            let passes = [forward, inputGradient, parameterGradient].compactMap { $0 }
            let reorders = [weightsIn, again, weightsOut].compactMap { $0 }
            let scratch = (passes.map(\.scratchCount) + reorders.map(\.scratchCount)).reduce(0, max)
            let scratchCount = (scratch + 15) / 16 * 16
            wiring.scratch.reserve(scratchCount + passes.map(\.weightCount).reduce(0, max))
            if forward.weightCount > weights.count { weights = AlignedBuffer(count: forward.weightCount) }
            return Products(
                forward: forward, weightsIn: weightsIn, inputGradient: inputGradient, weightsInAgain: again,
                parameterGradient: parameterGradient, weightsOut: weightsOut, scratchCount: scratchCount)
        } catch {
            preconditionFailure("no kernels for \(shape): \(error)")
        }
    }

    private func products(rows: Int) -> Products {
        if let known = products[rows] { return known }
        let made = makeProducts(rows: rows)
        products[rows] = made
        return made
    }

    private func shape(rows: Int) -> ConvolutionShape {
        func order(_ layout: ValueLayout) -> ConvolutionShape.Order {
            if layout.lanes == 1 { return .planes }
            return ValueLayout.isBlocked ? .blocked : .channelsLast
        }
        let image = input.layout.shape, positions = output.layout.shape
        return ConvolutionShape(
            rows: rows, inputs: image[0], outputs: positions[0], isDepthwise: isDepthwise,
            inputOrder: order(input.layout), outputOrder: order(output.layout), image: Array(image[1...]),
            positions: Array(positions[1...]), kernel: [window.kernel.height, window.kernel.width],
            stride: [window.stride.height, window.stride.width],
            padding: [window.padding.height, window.padding.width],
            dilation: [window.dilation.height, window.dilation.width], hasBias: bias != nil)
    }

    // y [out, p] = b + Σ w x
    func forward(rows: Int, mode: ForwardMode) {
        guard !isEmpty else { return forwardWithoutProducts(rows: rows) }
        let products = products(rows: rows), scratch = wiring.scratch.pointer
        products.weightsIn.run(
            wiring.parameters[0].value, into: weights.pointer, scratch: scratch, wiring.stream)
        products.forward.run(
            values: input.value, weights: weights.pointer, bias: bias, results: output.value,
            scratch: scratch,
            wiring.stream)
    }

    // dw = Σ dy x over rows and positions; db = Σ dy; dx = Σ w dy over outputs and taps
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard !isEmpty else {
            return backwardWithoutProducts(
                rows: rows, inputGradients: inputGradients, parameterGradients: parameterGradients)
        }
        let products = products(rows: rows), scratch = wiring.scratch.pointer
        let other = scratch + products.scratchCount
        if parameterGradients, let product = products.parameterGradient {
            product.run(
                values: input.value, weights: other, bias: bias == nil ? nil : wiring.parameters[1].gradient,
                results: output.gradient, scratch: scratch, wiring.stream)
            products.weightsOut?.run(
                other, into: wiring.parameters[0].gradient, scratch: scratch, wiring.stream)
        }
        guard inputGradients, let product = products.inputGradient else { return }
        products.weightsInAgain?.run(
            wiring.parameters[0].value, into: other, scratch: scratch, wiring.stream)
        product.run(
            values: input.gradient, weights: products.weightsInAgain == nil ? weights.pointer : other,
            bias: nil, results: output.gradient, scratch: scratch, wiring.stream)
    }

    /// Without input channels the output is the bias.
    private func forwardWithoutProducts(rows: Int) {
        let layout = output.layout
        guard let bias else { return output.value.update(repeating: 0, count: rows * layout.count) }
        for block in 0..<rows * layout.blocks {
            let first = block % layout.blocks * layout.lanes
            for position in 0..<layout.positions {
                (output.value + (block * layout.positions + position) * layout.lanes)
                    .update(from: bias + first, count: layout.lanes)
            }
        }
    }

    private func backwardWithoutProducts(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        if inputGradients { input.gradient.update(repeating: 0, count: rows * input.count) }
        let layout = output.layout
        guard parameterGradients, bias != nil, layout.channels > 0 else { return }
        let gradient = wiring.parameters[1].gradient
        var sums = [Double](repeating: 0, count: layout.channels)
        for block in 0..<rows * layout.blocks {
            let first = block % layout.blocks * layout.lanes
            for lane in 0..<min(layout.lanes, layout.channels - first) {
                for position in 0..<layout.positions {
                    sums[first + lane] += Double(
                        output.gradient[(block * layout.positions + position) * layout.lanes + lane])
                }
            }
        }
        for (channel, sum) in sums.enumerated() { gradient[channel] = Float(sum) }
    }
}
