internal import CKernels
internal import Tensors

/// One of a convolution's products in the fastest of the library's kernels for it, fed from values in their layouts.
///
/// Where the library has no fast kernel for blocks (dilation with stride, for one), it multiplies plain planes, and the
/// values are copied over.
struct ConvolutionProduct {
    private let library: LibraryConvolution
    private let pass: LibraryConvolution.Pass
    private let input: ValueLayout
    private let output: ValueLayout
    private let copiesInput: Bool
    private let copiesOutput: Bool
    /// The library's working memory, rounded up to whole cache lines; behind it the planes.
    private let libraryScratch: Int
    private let rows: Int

    var weightCount: Int { library.weightCount }

    init(
        _ shape: ConvolutionShape, _ pass: LibraryConvolution.Pass, input: ValueLayout, output: ValueLayout
    ) throws {
        let made = try Self.make(shape, pass)
        library = made.library
        self.pass = pass
        self.input = input
        self.output = output
        rows = shape.rows
        copiesInput = made.usesPlanes && shape.inputOrder != .planes
        copiesOutput = made.usesPlanes && shape.outputOrder != .planes
        libraryScratch = (library.scratchCount + 15) / 16 * 16
    }

    private static func make(
        _ shape: ConvolutionShape, _ pass: LibraryConvolution.Pass
    ) throws -> (library: LibraryConvolution, usesPlanes: Bool) {
        if prefersWinograd(pass, shape), let fast = try? LibraryConvolution(shape, pass, .winograd) {
            return (fast, false)
        }
        if let direct = try? LibraryConvolution(shape, pass, .direct), !direct.isReference {
            return (direct, false)
        }
        var planes = shape
        planes.inputOrder = .planes
        planes.outputOrder = .planes
        let library = try LibraryConvolution(planes, pass, .direct)
        assert(!library.isReference, "reference code for \(pass) of \(shape)")
        return (library, true)
    }

    /// Where Winograd's algorithm was faster when it was measured: 1.4 to 2.6 times from two blocks of channels on, if
    /// its tiles of 4 x 4 positions do not reach too far over the image's border.
    private static func prefersWinograd(_ pass: LibraryConvolution.Pass, _ shape: ConvolutionShape) -> Bool {
        guard shape.inputOrder == .blocked, shape.outputOrder == .blocked, !shape.isDepthwise,
            shape.kernel == [3, 3], shape.stride == [1, 1], shape.dilation == [1, 1]
        else { return false }
        let tiled = shape.positions.reduce(1) { $0 * (($1 + 3) / 4 * 4) }
        return min(shape.inputs, shape.outputs) > ValueLayout.blockLanes
            && 5 * tiled <= 8 * shape.positions.reduce(1, *)
    }

    /// Working memory for `run`.
    var scratchCount: Int {
        libraryScratch + rows
            * ((copiesInput ? planeCount(input) : 0) + (copiesOutput ? planeCount(output) : 0))
    }

    private func planeCount(_ layout: ValueLayout) -> Int {
        (layout.channels * layout.positions + 15) / 16 * 16
    }

    func sharesWeights(with other: ConvolutionProduct) -> Bool { library.sharesWeights(with: other.library) }
    func makeReorderIn() throws -> LibraryConvolution.WeightReorder { try library.makeReorderIn() }
    func makeReorderOut() throws -> LibraryConvolution.WeightReorder { try library.makeReorderOut() }

    /// - Parameters:
    ///   - values: of the input, or their gradient; written by `.inputGradient`.
    ///   - results: of the output, or their gradient; written by `.forward`.
    ///   - scratch: `scratchCount` elements.
    func run(
        values: UnsafeMutablePointer<Float>, weights: UnsafeMutablePointer<Float>,
        bias: UnsafeMutablePointer<Float>?, results: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>, _ stream: LibraryStream
    ) {
        let inputPlanes = copiesInput ? scratch + libraryScratch : values
        let outputPlanes =
            copiesOutput
            ? scratch + libraryScratch + (copiesInput ? rows * planeCount(input) : 0) : results
        if copiesInput, pass != .inputGradient {
            layout_to_planes(values, inputPlanes, rows, input.channels, input.positions, input.lanes)
        }
        if copiesOutput, pass != .forward {
            layout_to_planes(results, outputPlanes, rows, output.channels, output.positions, output.lanes)
        }
        library.run(
            input: inputPlanes, weights: weights, bias: bias, output: outputPlanes, scratch: scratch, stream)
        if copiesInput, pass == .inputGradient {
            layout_from_planes(inputPlanes, values, rows, input.channels, input.positions, input.lanes)
        }
        if copiesOutput, pass == .forward {
            layout_from_planes(outputPlanes, results, rows, output.channels, output.positions, output.lanes)
        }
    }
}
