internal import CKernels
internal import Foundation
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

/// G⊥ = G − (H's patches) δW*ᵀ for images, through spectra: a product per frequency, whatever the number of taps.
///
/// Precision: as ``ImageStage``, about 3e-7 of the largest value of H's patches times δW*.
final class SpectralUpdate {
    /// Images at a time.
    let capacity: Int
    private let geometry: SiteGeometry
    private let stage: ImageStage
    /// −δW* by frequency: real and imaginary part, [width, c] each.
    private let weights: AlignedBuffer
    private let bias: [Float]
    /// Part k of frequency f: [2f + k][image][c].
    private let planes: AlignedBuffer
    private let components: AlignedBuffer
    private let afterRows: AlignedBuffer
    private let back: (rows: RealTransform, columns: RealTransform)
    private let first: [Int32]
    private let second: [Int32]
    private let signs: [Float]

    /// - Parameters:
    ///   - update: δW*, [c, b], channel-major.
    ///   - shifts: of Q along rows and columns.
    init(_ update: Matrix, geometry: SiteGeometry, shifts: [SiteAxis.Shift], periods: Extent, capacity: Int) {
        self.geometry = geometry
        self.capacity = capacity
        stage = ImageStage(
            geometry.read, channels: geometry.width, capacity: capacity, periods: periods, rows: [],
            columns: [])
        let outputs = geometry.outChannels
        weights = SpectralUpdate.transform(update, geometry, shifts, stage.spectrum)
        bias =
            geometry.consumerHasBias
            ? update.column(update.columns - 1).map { -Float($0) } : Array(repeating: 0, count: outputs)
        planes = AlignedBuffer(count: 2 * stage.spectrum.frequencies.count * capacity * outputs)
        components = AlignedBuffer(count: periods.count * outputs)
        afterRows = AlignedBuffer(count: geometry.output.height * periods.width * outputs)
        back = (
            RealTransform(period: periods.height, length: geometry.output.height),
            RealTransform(period: periods.width, length: geometry.output.width)
        )
        (first, second, signs) = SpectralUpdate.adjoint(stage.spectrum, capacity: capacity)
    }

    /// Σ_t w_t exp(i k · offset(t)), negated, by frequency.
    private static func transform(
        _ update: Matrix, _ geometry: SiteGeometry, _ shifts: [SiteAxis.Shift], _ spectrum: PlaneSpectrum
    ) -> AlignedBuffer {
        let (taps, kernel) = (geometry.consumer.taps, geometry.consumer.kernel)
        let (width, outputs) = (geometry.width, geometry.outChannels)
        let size = width * outputs
        // By tap, so that the inner loops run over contiguous weights.
        let byTap = (0..<taps).map { tap in
            (0..<width).flatMap { channel in (0..<outputs).map { -update[$0, channel * taps + tap] } }
        }
        let result = AlignedBuffer(count: 2 * spectrum.frequencies.count * size)
        var (real, imaginary) = (Array(repeating: 0.0, count: size), Array(repeating: 0.0, count: size))
        for (index, frequency) in spectrum.frequencies.enumerated() {
            for place in 0..<size { (real[place], imaginary[place]) = (0, 0) }
            for tap in 0..<taps {
                let (y, x) = (
                    shifts[0].offset(of: tap / kernel.width), shifts[1].offset(of: tap % kernel.width)
                )
                // The periods do not count a tap that stands in the padding everywhere: it would come round again.
                guard y < geometry.read.height, y > -geometry.output.height, x < geometry.read.width,
                    x > -geometry.output.width
                else { continue }
                let turns =
                    Double(frequency.row * y % spectrum.rows.period) / Double(spectrum.rows.period)
                    + Double(frequency.column * x % spectrum.columns.period) / Double(spectrum.columns.period)
                let (cosine, sine) = (cos(2 * .pi * turns), sin(2 * .pi * turns))
                for place in 0..<size {
                    real[place] += cosine * byTap[tap][place]
                    imaginary[place] += sine * byTap[tap][place]
                }
            }
            let into = result.pointer + 2 * index * size
            for place in 0..<size {
                into[place] = Float(real[place])
                into[size + place] = Float(imaginary[place])
            }
        }
        return result
    }

    /// Which planes each component of the real transforms is made of on the way back.
    private static func adjoint(
        _ spectrum: PlaneSpectrum, capacity: Int
    ) -> (first: [Int32], second: [Int32], signs: [Float]) {
        let count = spectrum.rows.period * spectrum.columns.period
        var sources = Array(repeating: [(plane: Int, factor: Float)](), count: count)
        for (index, frequency) in spectrum.frequencies.enumerated() {
            let factor = Float(frequency.multiplicity / Double(count))
            for (part, plane) in [(frequency.real, 2 * index), (frequency.imaginary, 2 * index + 1)] {
                for (component, sign) in part { sources[component].append((plane, sign * factor)) }
            }
        }
        return (
            sources.map { Int32($0[0].plane * capacity) },
            sources.map { Int32(($0.count > 1 ? $0[1] : $0[0]).plane * capacity) },
            sources.flatMap { [$0[0].factor, $0.count > 1 ? $0[1].factor : 0] }
        )
    }

    /// Writes G⊥, [images, positions, c], for at most `capacity` images.
    func subtract(
        from gradient: UnsafePointer<Float>, of h: UnsafePointer<Float>, images: Int,
        into result: UnsafeMutablePointer<Float>
    ) {
        stage.removeAll()
        stage.append(h, count: images)
        for frequency in stage.spectrum.frequencies.indices { multiply(frequency, images) }
        result.update(from: gradient, count: images * geometry.outputCount)
        for image in 0..<images { addBack(image, to: result + image * geometry.outputCount) }
        rows_add_bias(result, bias, images * geometry.output.count, geometry.outChannels)
    }

    /// The product of H and the weights at a frequency.
    private func multiply(_ frequency: Int, _ images: Int) {
        let (width, outputs) = (geometry.width, geometry.outChannels)
        let real = stage.planes.pointer + 2 * frequency * capacity * width
        let imaginary = real + capacity * width
        let realWeights = weights.pointer + 2 * frequency * width * outputs
        let imaginaryWeights = realWeights + width * outputs
        let realOut = planes.pointer + 2 * frequency * capacity * outputs
        let imaginaryOut = realOut + capacity * outputs
        func add(
            _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>,
            alpha: Float = 1, beta: Float
        ) {
            Products.multiply(
                rows: images, columns: outputs, inner: width, .init(x, stride: width),
                .init(w, stride: outputs), into: out, stride: outputs, alpha: alpha, beta: beta)
        }
        add(real, realWeights, realOut, beta: 0)
        add(imaginary, imaginaryWeights, realOut, alpha: -1, beta: 1)
        add(imaginary, realWeights, imaginaryOut, beta: 0)
        add(real, imaginaryWeights, imaginaryOut, beta: 1)
    }

    /// Adds the image that belongs to the products' spectrum.
    private func addBack(_ image: Int, to result: UnsafeMutablePointer<Float>) {
        let (outputs, output) = (geometry.outChannels, geometry.output)
        let (height, width) = (back.rows.period, back.columns.period)
        rows_combine(
            planes.pointer + image * outputs, outputs, first, second, signs, first.count, components.pointer,
            outputs)
        back.rows.matrix.withUnsafeBufferPointer { matrix in
            guard let matrix = matrix.baseAddress else { return }
            Products.multiply(
                rows: output.height, columns: width * outputs, inner: height,
                .init(matrix, stride: output.height, transposed: true),
                .init(components.pointer, stride: width * outputs), into: afterRows.pointer,
                stride: width * outputs)
        }
        back.columns.matrix.withUnsafeBufferPointer { matrix in
            guard let matrix = matrix.baseAddress else { return }
            for y in 0..<output.height {
                Products.multiply(
                    rows: output.width, columns: outputs, inner: width,
                    .init(matrix, stride: output.width, transposed: true),
                    .init(afterRows.pointer + y * width * outputs, stride: outputs),
                    into: result + y * output.width * outputs, stride: outputs, beta: 1)
            }
        }
    }
}
