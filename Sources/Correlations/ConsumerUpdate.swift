internal import CKernels
internal import Tensors

/// G⊥ = G − (H's patches) δW*ᵀ for images, in Float32.
///
/// Where Q moves in steps of 1 and its image is not small, tap by tap from H with its padding: no patch is written.
final class ConsumerUpdate {
    private let geometry: SiteGeometry
    /// −δW* by tap: [taps, width, c].
    private let weights: AlignedBuffer
    private let bias: [Float]
    private let patches: PatchRows
    private let byTaps: Bool
    /// H with its padding, and G⊥ in rows of the same length; or patches.
    private let hidden: AlignedBuffer
    private let spread: AlignedBuffer

    /// Output positions from which products of single taps are long enough.
    private static let fewestPositions = 64

    /// - Parameters:
    ///   - update: δW*, [c, b], channel-major.
    ///   - images: the most at a time.
    init(_ update: Matrix, geometry: SiteGeometry, plane: SitePlane, images: Int) {
        precondition(
            update.rows == geometry.outChannels && update.columns == geometry.hiddenInputs,
            "an update of \(update.shape) for \(geometry.outChannels)x\(geometry.hiddenInputs)")
        self.geometry = geometry
        let (taps, width, outputs) = (geometry.consumer.taps, geometry.width, geometry.outChannels)
        weights = AlignedBuffer(count: taps * width * outputs)
        for tap in 0..<taps {
            for channel in 0..<width {
                for output in 0..<outputs {
                    weights.pointer[(tap * width + channel) * outputs + output] =
                        -Float(update[output, channel * taps + tap])
                }
            }
        }
        bias =
            geometry.consumerHasBias
            ? update.column(taps * width).map { -Float($0) } : Array(repeating: 0, count: outputs)
        patches = PatchRows(hiddenOf: geometry, plane)
        byTaps =
            plane.rows.consumerShift != nil && plane.columns.consumerShift != nil
            && geometry.output.count >= Self.fewestPositions
        let padded = ConsumerUpdate.padded(geometry)
        hidden = AlignedBuffer(
            count: byTaps ? padded.count * width : images * patches.floats)
        spread = AlignedBuffer(count: byTaps ? geometry.output.height * padded.width * outputs : 0)
    }

    private static func padded(_ geometry: SiteGeometry) -> Extent {
        Extent(
            geometry.read.height + 2 * geometry.consumer.padding.height,
            geometry.read.width + 2 * geometry.consumer.padding.width)
    }

    /// Writes G⊥, [images, positions, c].
    func subtract(
        from gradient: UnsafePointer<Float>, of h: UnsafePointer<Float>, images: Int,
        into result: UnsafeMutablePointer<Float>
    ) {
        if byTaps {
            for image in 0..<images {
                subtractByTaps(
                    from: gradient + image * geometry.outputCount, of: h + image * geometry.hiddenCount,
                    into: result + image * geometry.outputCount)
            }
            return
        }
        let rows = images * patches.positions
        result.update(from: gradient, count: rows * geometry.outChannels)
        rows_add_bias(result, bias, rows, geometry.outChannels)
        let read = patches.patches(of: h, count: images, size: geometry.hiddenCount, in: hidden)
        Products.multiply(
            rows: rows, columns: geometry.outChannels, inner: patches.columns,
            .init(read, stride: patches.columns),
            .init(weights.pointer, stride: geometry.outChannels), into: result,
            stride: geometry.outChannels, beta: 1)
    }

    private func subtractByTaps(
        from gradient: UnsafePointer<Float>, of h: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>
    ) {
        let (width, outputs, padded) = (geometry.width, geometry.outChannels, ConsumerUpdate.padded(geometry))
        let (output, consumer) = (geometry.output, geometry.consumer)
        let inside =
            hidden.pointer + (consumer.padding.height * padded.width + consumer.padding.width) * width
        for y in 0..<geometry.read.height {
            (inside + y * padded.width * width).update(
                from: h + y * geometry.read.width * width, count: geometry.read.width * width)
        }
        for y in 0..<output.height {
            let row = spread.pointer + y * padded.width * outputs
            row.update(from: gradient + y * output.width * outputs, count: output.width * outputs)
            // What products put between rows means nothing, but must not add up.
            (row + output.width * outputs).update(
                repeating: 0, count: (padded.width - output.width) * outputs)
        }
        let rows = (output.height - 1) * padded.width + output.width
        for tap in 0..<consumer.taps {
            let (i, j) = (tap / consumer.kernel.width, tap % consumer.kernel.width)
            let offset = i * consumer.dilation.height * padded.width + j * consumer.dilation.width
            Products.multiply(
                rows: rows, columns: outputs, inner: width,
                .init(hidden.pointer + offset * width, stride: width),
                .init(weights.pointer + tap * width * outputs, stride: outputs), into: spread.pointer,
                stride: outputs, beta: 1)
        }
        for y in 0..<output.height {
            (result + y * output.width * outputs).update(
                from: spread.pointer + y * padded.width * outputs, count: output.width * outputs)
        }
        rows_add_bias(result, bias, output.count, outputs)
    }
}
