internal import COneDNN

/// The shapes of a convolution, as a library wants to know them.
package struct ConvolutionShape: Hashable, Sendable {
    /// How an image's values stand in memory.
    package enum Order: Hashable, Sendable {
        /// [rows, channels, height, width]
        case planes
        /// [rows, channels / 16, height, width, 16]
        case blocked
        /// [rows, height, width, channels]
        case channelsLast
    }

    package var rows: Int
    /// Channels; the weights are [outputs, inputs, …], or [groups, 1, …] where `isDepthwise`.
    package var inputs: Int
    package var outputs: Int
    package var isDepthwise: Bool
    package var inputOrder: Order
    package var outputOrder: Order
    /// [height, width]
    package var image: [Int]
    package var positions: [Int]
    package var kernel: [Int]
    package var stride: [Int]
    package var padding: [Int]
    package var dilation: [Int]
    package var hasBias: Bool

    package init(
        rows: Int, inputs: Int, outputs: Int, isDepthwise: Bool = false, inputOrder: Order,
        outputOrder: Order,
        image: [Int], positions: [Int], kernel: [Int], stride: [Int], padding: [Int], dilation: [Int],
        hasBias: Bool
    ) {
        self.rows = rows
        self.inputs = inputs
        self.outputs = outputs
        self.isDepthwise = isDepthwise
        self.inputOrder = inputOrder
        self.outputOrder = outputOrder
        self.image = image
        self.positions = positions
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.hasBias = hasBias
    }

    /// The extents of the weights at rest.
    fileprivate var weightExtents: [Int] {
        isDepthwise ? [outputs, 1, 1] + kernel : [outputs, inputs] + kernel
    }
}

/// One product of a convolution: y, dx or dw and db, with the library's own order of the weights.
package final class LibraryConvolution {
    package enum Pass: Hashable, Sendable {
        case forward
        case inputGradient
        case parameterGradient
    }

    package enum Algorithm: Hashable, Sendable {
        case direct
        /// F(4x4, 3x3) of Winograd (Lavin and Gray, 2016); relative errors up to 1e-6.
        case winograd
    }

    package let implementation: String
    /// Whether it is the library's slow, general code.
    package var isReference: Bool { implementation.contains("ref") }
    package let scratchCount: Int
    /// Elements of the weights in the library's order.
    package let weightCount: Int
    /// The weights in the library's order, seen without the padding of channels.
    private let weights: MemoryDescriptor
    private let plainWeights: MemoryDescriptor
    private let primitive: Primitive

    /// - Throws: where the library has no such kernel.
    package init(_ shape: ConvolutionShape, _ pass: Pass, _ algorithm: Algorithm) throws {
        Platform.useOneThread()
        let arrays = try Arrays(shape)
        let forward = try arrays.description(.forward, algorithm, hint: nil)
        let description = pass == .forward ? forward : try arrays.description(pass, algorithm, hint: forward)
        let query = pass == .parameterGradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md
        guard let chosen = Primitive.array(of: description, query) else {
            throw OneDNN.Refusal(status: dnnl_unimplemented, what: "a convolution's weights")
        }
        primitive = try Primitive(
            description, "a convolution", arguments: arrays.arguments(pass, weights: chosen))
        implementation = primitive.implementation
        scratchCount = primitive.scratchCount
        weightCount = chosen.count
        weights = chosen.cut(to: shape.weightExtents)
        plainWeights = try MemoryDescriptor(
            shape.weightExtents, shape.isDepthwise ? dnnl_goihw : dnnl_oihw)
    }

    /// Whether two passes want their weights in the same order.
    package func sharesWeights(with other: LibraryConvolution) -> Bool { weights.isEqual(to: other.weights) }

    /// From the weights at rest to the library's order.
    package func makeReorderIn() throws -> WeightReorder {
        WeightReorder(try Reorder(from: plainWeights, to: weights))
    }

    /// From the library's order to that of weights at rest.
    package func makeReorderOut() throws -> WeightReorder {
        WeightReorder(try Reorder(from: weights, to: plainWeights))
    }

    /// Runs the pass.
    ///
    /// - Parameters:
    ///   - input, output: the values, or their gradients, of which one is written except for `.parameterGradient`.
    ///   - weights: in the library's order; written by `.parameterGradient`.
    ///   - bias: one per output channel; read by `.forward`, written by `.parameterGradient`.
    package func run(
        input: UnsafeMutablePointer<Float>, weights: UnsafeMutablePointer<Float>,
        bias: UnsafeMutablePointer<Float>?, output: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>, _ stream: LibraryStream
    ) {
        primitive.run([input, weights, output] + (bias.map { [$0] } ?? []), scratch: scratch, stream)
    }

    package struct WeightReorder {
        private let reorder: Reorder
        fileprivate init(_ reorder: Reorder) { self.reorder = reorder }

        package var scratchCount: Int { reorder.scratchCount }

        package func run(
            _ source: UnsafePointer<Float>, into destination: UnsafeMutablePointer<Float>,
            scratch: UnsafeMutablePointer<Float>, _ stream: LibraryStream
        ) {
            reorder.run(source, into: destination, scratch: scratch, stream)
        }
    }
}

/// A convolution's arrays as descriptors of the C interface.
private struct Arrays {
    private let shape: ConvolutionShape
    private let input: MemoryDescriptor
    private let output: MemoryDescriptor
    private let weights: MemoryDescriptor
    private let bias: MemoryDescriptor?

    init(_ shape: ConvolutionShape) throws {
        self.shape = shape
        // Blocks are declared full: with channels cut short the library would take its reference code.
        let inputs = Self.channels(shape.inputs, shape.inputOrder)
        let outputs = Self.channels(shape.outputs, shape.outputOrder)
        input = try MemoryDescriptor([shape.rows, inputs] + shape.image, Self.tag(shape.inputOrder))
        output = try MemoryDescriptor([shape.rows, outputs] + shape.positions, Self.tag(shape.outputOrder))
        weights = try MemoryDescriptor(
            shape.isDepthwise ? [outputs, 1, 1] + shape.kernel : [outputs, inputs] + shape.kernel,
            dnnl_format_tag_any)
        bias = shape.hasBias ? try MemoryDescriptor([outputs], dnnl_x) : nil
    }

    private static func channels(_ count: Int, _ order: ConvolutionShape.Order) -> Int {
        order == .blocked ? (count + 15) / 16 * 16 : count
    }

    private static func tag(_ order: ConvolutionShape.Order) -> dnnl_format_tag_t {
        switch order {
        case .planes: dnnl_nchw
        case .blocked: dnnl_nChw16c
        case .channelsLast: dnnl_nhwc
        }
    }

    func arguments(_ pass: LibraryConvolution.Pass, weights: MemoryDescriptor) -> [(Int32, MemoryDescriptor)]
    {
        switch pass {
        case .forward:
            [(DNNL_ARG_SRC, input), (DNNL_ARG_WEIGHTS, weights), (DNNL_ARG_DST, output)]
                + (bias.map { [(DNNL_ARG_BIAS, $0)] } ?? [])
        case .inputGradient:
            [(DNNL_ARG_DIFF_SRC, input), (DNNL_ARG_WEIGHTS, weights), (DNNL_ARG_DIFF_DST, output)]
        case .parameterGradient:
            [(DNNL_ARG_SRC, input), (DNNL_ARG_DIFF_WEIGHTS, weights), (DNNL_ARG_DIFF_DST, output)]
                + (bias.map { [(DNNL_ARG_DIFF_BIAS, $0)] } ?? [])
        }
    }

    func description(
        _ pass: LibraryConvolution.Pass, _ algorithm: LibraryConvolution.Algorithm, hint: Handle?
    ) throws -> Handle {
        var operation = dnnl_convolution_desc_t()
        let kind = algorithm == .winograd ? dnnl_convolution_winograd : dnnl_convolution_direct
        let stride = shape.stride.map { dnnl_dim_t($0) }
        let dilation = shape.dilation.map { dnnl_dim_t($0 - 1) }
        let padding = shape.padding.map { dnnl_dim_t($0) }
        let what = "\(algorithm) \(pass) of \(shape)"
        let status = withPointers { input, weights, bias, output in
            switch pass {
            case .forward:
                dnnl_dilated_convolution_forward_desc_init(
                    &operation, dnnl_forward_training, kind, input, weights, bias, output, stride, dilation,
                    padding, padding)
            case .inputGradient:
                dnnl_dilated_convolution_backward_data_desc_init(
                    &operation, kind, input, weights, output, stride, dilation, padding, padding)
            case .parameterGradient:
                dnnl_dilated_convolution_backward_weights_desc_init(
                    &operation, kind, input, weights, bias, output, stride, dilation, padding, padding)
            }
        }
        try OneDNN.check(status, what)
        return try Primitive.description(&operation, hint: hint, what)
    }

    private func withPointers(
        _ body: (
            UnsafePointer<dnnl_memory_desc_t>, UnsafePointer<dnnl_memory_desc_t>,
            UnsafePointer<dnnl_memory_desc_t>?, UnsafePointer<dnnl_memory_desc_t>
        ) -> dnnl_status_t
    ) -> dnnl_status_t {
        withUnsafePointer(to: input.raw) { input in
            withUnsafePointer(to: weights.raw) { weights in
                withUnsafePointer(to: output.raw) { output in
                    guard let bias else { return body(input, weights, nil, output) }
                    return withUnsafePointer(to: bias.raw) { body(input, weights, $0, output) }
                }
            }
        }
    }
}
