internal import CKernels
internal import Foundation
internal import Tensors

/// The discrete Fourier transform of real numbers along one axis, as a matrix of real rows.
///
/// At frequency 0, and at half of an even period, there is a cosine alone; else a cosine and a negative sine.
struct RealTransform {
    let period: Int
    /// Rows of cosines and, where there is one, of the negative sine, by frequency.
    let frequencies: [(cosine: Int, sine: Int?)]
    /// [period, length], row-major.
    let matrix: [Float]

    init(period: Int, length: Int) {
        self.period = period
        var frequencies: [(cosine: Int, sine: Int?)] = []
        var matrix: [Float] = []
        func angle(_ frequency: Int, _ place: Int) -> Double {
            2 * .pi * Double(frequency * place % period) / Double(period)
        }
        for frequency in 0...period / 2 {
            let row = matrix.count / max(length, 1)
            matrix += (0..<length).map { Float(cos(angle(frequency, $0))) }
            let isSelf = frequency == 0 || 2 * frequency == period
            if !isSelf { matrix += (0..<length).map { Float(-sin(angle(frequency, $0))) } }
            frequencies.append((row, isSelf ? nil : row + 1))
        }
        self.frequencies = frequencies
        self.matrix = matrix
    }
}

/// The frequencies of the plane that determine a real image, and how they come from two real transforms.
struct PlaneSpectrum {
    /// F = Σ of components of [rows' component, columns' component]: real and imaginary part.
    struct Frequency {
        var row: Int
        var column: Int
        /// How often it counts: 2 where the conjugate is left out.
        var multiplicity: Double
        /// Component indices of the real part and, negated or not, of the imaginary part.
        var real: [(component: Int, sign: Float)]
        var imaginary: [(component: Int, sign: Float)]
    }

    let rows: RealTransform
    let columns: RealTransform
    let frequencies: [Frequency]

    init(rows: RealTransform, columns: RealTransform) {
        self.rows = rows
        self.columns = columns
        let width = columns.period
        var found: [Frequency] = []
        for (row, y) in rows.frequencies.enumerated() {
            for (column, x) in columns.frequencies.enumerated() {
                let cc = y.cosine * width + x.cosine
                switch (y.sine, x.sine) {
                case (nil, nil):
                    found.append(
                        Frequency(row: row, column: column, multiplicity: 1, real: [(cc, 1)], imaginary: []))
                case (let sine?, nil):
                    found.append(
                        Frequency(
                            row: row, column: column, multiplicity: 2, real: [(cc, 1)],
                            imaginary: [(sine * width + x.cosine, 1)]))
                case (nil, let sine?):
                    found.append(
                        Frequency(
                            row: row, column: column, multiplicity: 2, real: [(cc, 1)],
                            imaginary: [(y.cosine * width + sine, 1)]))
                case (let ySine?, let xSine?):
                    let (ss, sc, cs) = (
                        ySine * width + xSine, ySine * width + x.cosine, y.cosine * width + xSine
                    )
                    found.append(
                        Frequency(
                            row: row, column: column, multiplicity: 2, real: [(cc, 1), (ss, -1)],
                            imaginary: [(sc, 1), (cs, 1)]))
                    found.append(
                        Frequency(
                            row: -row, column: column, multiplicity: 2, real: [(cc, 1), (ss, 1)],
                            imaginary: [(sc, -1), (cs, 1)]))
                }
            }
        }
        frequencies = found
    }

    /// What real and imaginary part of each frequency add to the sum at a lag: [lags, 2 · frequencies].
    ///
    /// Σ_q left[q + d] right[q]ᵀ = Σ_f m_f (Re cos θ_f(d) − Im sin θ_f(d)) / (rows · columns).
    func inverse(lags: [(rows: Int, columns: Int)]) -> [Float] {
        let (height, width) = (rows.period, columns.period)
        let scale = 1 / Double(height * width)
        return lags.flatMap { lag in
            frequencies.flatMap { frequency in
                let turns =
                    Double(frequency.row * lag.rows % height) / Double(height)
                    + Double(frequency.column * lag.columns % width) / Double(width)
                let factor = frequency.multiplicity * scale
                return [
                    Float(factor * cos(2 * .pi * turns)), Float(-factor * sin(2 * .pi * turns)),
                ]
            }
        }
    }
}

/// Collects images until there are enough for long products: their spectra, and their lines at the borders.
///
/// Precision: a transform is two Float32 products of at most the image's extent, so a sum over pairs from it is off
/// by about 3e-7 of the sum at lag 0.
final class ImageStage {
    let extent: Extent
    let channels: Int
    /// The most images at a time, and how many there are.
    let capacity: Int
    private(set) var count = 0
    let spectrum: PlaneSpectrum
    /// Part k of frequency f: [2f + k][image][channel], real part first.
    let planes: AlignedBuffer

    /// Lines with zeros after them, [image][period][channel], by the row or column they are.
    private let rowLines: [Int: AlignedBuffer]
    private let columnLines: [Int: AlignedBuffer]

    private let afterColumns: AlignedBuffer
    private let afterRows: AlignedBuffer
    private let first: [Int32]
    private let second: [Int32]
    private let signs: [Float]

    /// - Parameters:
    ///   - periods: of the transforms, along rows and columns.
    ///   - rows: the rows whose lines are kept; `columns` likewise.
    init(
        _ extent: Extent, channels: Int, capacity: Int, periods: Extent, rows: Set<Int>, columns: Set<Int>
    ) {
        self.extent = extent
        self.channels = channels
        self.capacity = capacity
        spectrum = PlaneSpectrum(
            rows: RealTransform(period: periods.height, length: extent.height),
            columns: RealTransform(period: periods.width, length: extent.width))
        planes = AlignedBuffer(count: 2 * spectrum.frequencies.count * capacity * channels)
        afterColumns = AlignedBuffer(count: extent.height * periods.width * channels)
        afterRows = AlignedBuffer(count: periods.count * channels)
        func lines(_ places: Set<Int>, _ period: Int) -> [Int: AlignedBuffer] {
            Dictionary(
                uniqueKeysWithValues: places.map {
                    ($0, AlignedBuffer(count: (capacity + 2) * period * channels))
                })
        }
        rowLines = lines(rows, periods.width)
        columnLines = lines(columns, periods.height)

        var (first, second, signs): ([Int32], [Int32], [Float]) = ([], [], [])
        for frequency in spectrum.frequencies {
            for part in [frequency.real, frequency.imaginary] {
                let one = part.first ?? (0, 0)
                let two = part.count > 1 ? part[1] : (one.component, 0)
                first.append(Int32(one.component))
                second.append(Int32(two.0))
                signs += [one.sign, two.1]
            }
        }
        (self.first, self.second, self.signs) = (first, second, signs)
    }

    /// Bytes of the spectrum of one image.
    static func bytes(periods: Extent, channels: Int) -> Int { (periods.count + 4) * channels * 4 }

    /// FLOPs of the transform of one image.
    static func cost(_ extent: Extent, periods: Extent, channels: Int) -> Int {
        2 * periods.width * channels * (extent.count + periods.height * extent.height)
    }

    func removeAll() { count = 0 }

    /// A line of all images, image after image; elements before and after are zero or other images' zeros.
    func row(_ index: Int) -> UnsafePointer<Float> { line(rowLines, index, spectrum.columns.period) }
    func column(_ index: Int) -> UnsafePointer<Float> { line(columnLines, index, spectrum.rows.period) }

    private func line(_ lines: [Int: AlignedBuffer], _ index: Int, _ period: Int) -> UnsafePointer<Float> {
        guard let line = lines[index] else { preconditionFailure("line \(index) is not kept") }
        return UnsafePointer(line.pointer + period * channels)
    }

    /// - Parameter images: nhwc, no more than there is room for.
    func append(_ images: UnsafePointer<Float>, count added: Int) {
        precondition(count + added <= capacity, "\(count) and \(added) images of \(capacity)")
        for image in 0..<added {
            let source = images + image * extent.count * channels
            transform(source)
            keepLines(source)
            count += 1
        }
    }

    private func transform(_ image: UnsafePointer<Float>) {
        let (height, width) = (spectrum.rows.period, spectrum.columns.period)
        spectrum.columns.matrix.withUnsafeBufferPointer { matrix in
            guard let matrix = matrix.baseAddress else { return }
            for y in 0..<extent.height {
                Products.multiply(
                    rows: width, columns: channels, inner: extent.width,
                    .init(matrix, stride: extent.width),
                    .init(image + y * extent.width * channels, stride: channels),
                    into: afterColumns.pointer + y * width * channels, stride: channels)
            }
        }
        spectrum.rows.matrix.withUnsafeBufferPointer { matrix in
            guard let matrix = matrix.baseAddress else { return }
            Products.multiply(
                rows: height, columns: width * channels, inner: extent.height,
                .init(matrix, stride: extent.height),
                .init(afterColumns.pointer, stride: width * channels), into: afterRows.pointer,
                stride: width * channels)
        }
        rows_combine(
            afterRows.pointer, channels, first, second, signs, first.count, planes.pointer + count * channels,
            capacity * channels)
    }

    private func keepLines(_ image: UnsafePointer<Float>) {
        let (height, width) = (spectrum.rows.period, spectrum.columns.period)
        for (row, line) in rowLines {
            (line.pointer + (count + 1) * width * channels).update(
                from: image + row * extent.width * channels, count: extent.width * channels)
        }
        for (column, line) in columnLines {
            let into = line.pointer + (count + 1) * height * channels
            for y in 0..<extent.height {
                (into + y * channels).update(
                    from: image + (y * extent.width + column) * channels, count: channels)
            }
        }
    }
}
