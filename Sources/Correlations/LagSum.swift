internal import CKernels
internal import Tensors

/// A statistic of one shard by shifts: Σ over pairs of positions for the lags that occur, and the borders' corrections.
///
/// With windows that move in steps of 1, the block of two taps depends on the difference of their places alone but for
/// borders. Sums over all pairs at a lag are products of spectra, frequency by frequency, and one small product that
/// takes them back to the lags: for kernels of 3 x 3 on 32 x 32 images, a tenth of the work of products of shifted images.
/// Borders are products of single rows, columns and places.
///
/// The sum over all pairs at every lag is also one weight gradient of a convolution, with a kernel as large as the lags.
/// Between 64 channels on 32 x 32 images that kernel of `CKernels` takes 6.2 ms an image for the 49 lags of C; here they
/// take 1.4 ms beside the other statistics, whose transforms they share.
final class LagSum {
    let correlation: Correlation
    private let left: ImageStage
    private let right: ImageStage
    /// Σ left rightᵀ of each term of the correlation, [left channels, right channels] each.
    private var totals: [Double]
    private let inverse: [Float]
    private let products: AlignedBuffer
    private let lagProducts: AlignedBuffer
    private let part: AlignedBuffer

    /// Frequencies whose products are held at a time: about 1 MiB of them.
    private let group: Int
    private var size: Int { left.channels * right.channels }

    init(_ correlation: Correlation, left: ImageStage, right: ImageStage) {
        self.correlation = correlation
        self.left = left
        self.right = right
        let size = left.channels * right.channels
        let frequencies = left.spectrum.frequencies.count
        totals = Array(repeating: 0, count: correlation.terms.count * size)
        inverse = left.spectrum.inverse(
            lags: correlation.terms.prefix(correlation.lagCount).map {
                ($0.rows.distance, $0.columns.distance)
            })
        group = max(1, min(frequencies, (1 << 18) / (2 * max(size, 1))))
        products = AlignedBuffer(count: correlation.lagCount > 0 ? 2 * group * size : 0)
        lagProducts = AlignedBuffer(count: correlation.lagCount * size)
        part = AlignedBuffer(count: size)
    }

    /// Adds the sums over the images that stand in the stages.
    func addStaged() {
        guard left.count > 0 else { return }
        precondition(left.count == right.count, "\(left.count) images beside \(right.count)")
        if correlation.lagCount > 0 { addSpectra() }
        for (index, term) in correlation.terms.enumerated().dropFirst(correlation.lagCount) {
            addBorder(term, index)
        }
    }

    private func addSpectra() {
        let frequencies = left.spectrum.frequencies.count
        inverse.withUnsafeBufferPointer { inverse in
            guard let inverse = inverse.baseAddress else { return }
            for first in stride(from: 0, to: frequencies, by: group) {
                let count = min(group, frequencies - first)
                for index in 0..<count { multiply(first + index, into: products.pointer + 2 * index * size) }
                Products.multiply(
                    rows: correlation.lagCount, columns: size, inner: 2 * count,
                    .init(inverse + 2 * first, stride: 2 * frequencies),
                    .init(products.pointer, stride: size),
                    into: lagProducts.pointer, stride: size, beta: first == 0 ? 0 : 1)
            }
        }
        totals.withUnsafeMutableBufferPointer { totals in
            guard let totals = totals.baseAddress else { return }
            vector_add_to_double(totals, lagProducts.pointer, correlation.lagCount * size)
        }
    }

    /// Real and imaginary part of Σ left conj(right) at a frequency.
    private func multiply(_ frequency: Int, into out: UnsafeMutablePointer<Float>) {
        let (a, b) = (left.channels, right.channels)
        let leftReal = left.planes.pointer + 2 * frequency * left.capacity * a
        let rightReal = right.planes.pointer + 2 * frequency * right.capacity * b
        let leftImaginary = leftReal + left.capacity * a
        let rightImaginary = rightReal + right.capacity * b
        func add(
            _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>,
            inner: Int, alpha: Float = 1, beta: Float
        ) {
            Products.multiply(
                rows: a, columns: b, inner: inner, .init(x, stride: a, transposed: true),
                .init(y, stride: b), into: out, stride: b, alpha: alpha, beta: beta)
        }
        if left.count == left.capacity {
            // Real and imaginary parts stand one after the other.
            add(leftReal, rightReal, out, inner: 2 * left.count, beta: 0)
        } else {
            add(leftReal, rightReal, out, inner: left.count, beta: 0)
            add(leftImaginary, rightImaginary, out, inner: left.count, beta: 1)
        }
        add(leftImaginary, rightReal, out + size, inner: left.count, beta: 0)
        add(leftReal, rightImaginary, out + size, inner: left.count, alpha: -1, beta: 1)
    }

    /// The sum over pairs of single rows, columns or places.
    private func addBorder(_ term: PlaneTerm, _ index: Int) {
        let (a, b) = (left.channels, right.channels)
        let (x, y, inner, jump): (UnsafePointer<Float>, UnsafePointer<Float>, Int, Int)
        switch (term.rows, term.columns) {
        case (.pair(let p, let q), .lag(let lag)):
            let period = left.spectrum.columns.period
            (x, y, inner, jump) = (left.row(p) + lag * a, right.row(q), left.count * period, 1)
        case (.lag(let lag), .pair(let p, let q)):
            let period = left.spectrum.rows.period
            (x, y, inner, jump) = (left.column(p) + lag * a, right.column(q), left.count * period, 1)
        case (.pair(let p, let q), .pair(let u, let v)):
            let period = left.spectrum.columns.period
            (x, y, inner, jump) = (left.row(p) + u * a, right.row(q) + v * b, left.count, period)
        case (.lag, .lag):
            return
        }
        Products.multiply(
            rows: a, columns: b, inner: inner, .init(x, stride: jump * a, transposed: true),
            .init(y, stride: jump * b), into: part.pointer, stride: b)
        totals.withUnsafeMutableBufferPointer { totals in
            guard let totals = totals.baseAddress else { return }
            vector_add_to_double(totals + index * size, part.pointer, size)
        }
    }

    /// FLOPs per image.
    static func cost(_ correlation: Correlation, periods: Extent, left: Int, right: Int, batch: Int) -> Int {
        let size = left * right
        var cost = 0
        if correlation.lagCount > 0 {
            cost += (periods.count / 2 + 1) * size * (8 + 4 * correlation.lagCount / max(batch, 1))
        }
        for term in correlation.terms.dropFirst(correlation.lagCount) {
            switch (term.rows, term.columns) {
            case (.pair, .lag): cost += 2 * size * periods.width
            case (.lag, .pair): cost += 2 * size * periods.height
            // Products over so few rows are not fast.
            default: cost += 4 * size
            }
        }
        return cost
    }
}

extension LagSum {
    /// The statistic so far, as ``total(_:)`` gives it; begins again at 0.
    func take() -> [[Double]] {
        defer { totals = Array(repeating: 0, count: totals.count) }
        return assembled(totals)
    }

    /// The statistic, tap-major: one matrix [row taps · left channels, column taps · right channels] per slot.
    static func total(_ parts: [LagSum]) -> [[Double]] {
        guard let first = parts.first else { return [] }
        let totals = parts.dropFirst().reduce(first.totals) { sum, part in
            var sum = sum
            for index in sum.indices { sum[index] += part.totals[index] }
            return sum
        }
        return first.assembled(totals)
    }

    private func assembled(_ totals: [Double]) -> [[Double]] {
        let (rows, columns) = (correlation.rows, correlation.columns)
        let sides = (
            left: left.channels / (rows.phases.left * columns.phases.left),
            right: right.channels / (rows.phases.right * columns.phases.right)
        )
        let width = correlation.columnTaps * sides.right
        let places = Dictionary(uniqueKeysWithValues: correlation.terms.enumerated().map { ($1, $0) })
        var result = Array(
            repeating: Array(repeating: 0.0, count: correlation.rowTaps * sides.left * width),
            count: correlation.slots)
        for y in rows.blocks {
            for x in columns.blocks {
                let row = y.row * columns.rowTaps + x.row
                let column = y.column * columns.columnTaps + x.column
                let slot = y.slot * columns.slots + x.slot
                let block = Block(
                    left: (y.phases.left * columns.phases.left + x.phases.left) * sides.left,
                    right: (y.phases.right * columns.phases.right + x.phases.right) * sides.right,
                    rows: sides.left, columns: sides.right,
                    start: row * sides.left * width + column * sides.right, stride: width)
                for (rowTerm, rowFactor) in y.terms {
                    for (columnTerm, columnFactor) in x.terms {
                        let term = PlaneTerm(rows: rowTerm, columns: columnTerm)
                        let isSwapped = correlation.isSymmetric && !term.isCanonical
                        guard let place = places[isSwapped ? term.swapped : term] else { continue }
                        add(
                            totals, place * size, times: rowFactor * columnFactor, transposed: isSwapped,
                            to: &result[slot], block)
                    }
                }
            }
        }
        return result
    }

    /// Where two taps' block stands: among the channels of a sum, and in the statistic.
    private struct Block {
        var left: Int
        var right: Int
        var rows: Int
        var columns: Int
        var start: Int
        var stride: Int
    }

    private func add(
        _ totals: [Double], _ first: Int, times factor: Double, transposed: Bool, to result: inout [Double],
        _ block: Block
    ) {
        let (a, b) = (left.channels, right.channels)
        totals.withUnsafeBufferPointer { totals in
            result.withUnsafeMutableBufferPointer { result in
                for row in 0..<block.rows {
                    for column in 0..<block.columns {
                        let (i, j) = (block.left + row, block.right + column)
                        let source = transposed ? j * a + i : i * b + j
                        result[block.start + row * block.stride + column] += factor * totals[first + source]
                    }
                }
            }
        }
    }
}
