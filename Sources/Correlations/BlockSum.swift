internal import CKernels
internal import Tensors

/// Σ AᵀB over rows that come in pieces, [left, right]: Float32 products of at most some thousand rows, added in Float64
/// in the order they come.
///
/// Sums over positions are long: the error of a Float32 sum of k terms grows with √k, and at 4096 terms is still
/// about 4e-7 of the sum.
final class BlockSum {
    let left: Int
    let right: Int
    private let isSymmetric: Bool
    private(set) var total: [Double]
    private let part: AlignedBuffer
    private var pending = 0

    /// Rows whose products stay in Float32.
    private static let rowsPerAddition = 4096

    /// - Parameter isSymmetric: whether A and B are the same; only the lower triangle is then summed.
    init(_ left: Int, _ right: Int, isSymmetric: Bool = false) {
        self.left = left
        self.right = right
        self.isSymmetric = isSymmetric
        total = Array(repeating: 0, count: left * right)
        part = AlignedBuffer(count: left * right)
    }

    /// Adds AᵀB, A [rows, left] and B [rows, right], rows `stride` elements apart.
    func add(
        rows: Int, _ a: UnsafePointer<Float>, stride: Int, _ b: UnsafePointer<Float>, stride other: Int
    ) {
        var first = 0
        while first < rows {
            let count = min(rows - first, Self.rowsPerAddition - pending)
            let beta: Float = pending == 0 ? 0 : 1
            if isSymmetric {
                Products.symmetric(
                    rows: count, columns: left, a + first * stride, stride: stride, into: part.pointer,
                    beta: beta)
            } else {
                Products.multiply(
                    rows: left, columns: right, inner: count,
                    .init(a + first * stride, stride: stride, transposed: true),
                    .init(b + first * other, stride: other), into: part.pointer, stride: right, beta: beta)
            }
            pending += count
            first += count
            if pending == Self.rowsPerAddition { flush() }
        }
    }

    /// Adds AᵀA for rows without gaps.
    func add(rows: Int, _ a: UnsafePointer<Float>) { add(rows: rows, a, stride: left, a, stride: left) }

    /// Adds what is pending to the total.
    private func flush() {
        guard pending > 0 else { return }
        pending = 0
        total.withUnsafeMutableBufferPointer { total in
            guard let total = total.baseAddress else { return }
            for row in 0..<left {
                let count = isSymmetric ? row + 1 : right
                vector_add_to_double(total + row * right, part.pointer + row * right, count)
            }
        }
    }

    /// The sum so far; begins again at 0.
    func take() -> [Double] {
        defer { total = Array(repeating: 0, count: total.count) }
        return BlockSum.total([self])
    }

    /// The sum over all parts, added in their order.
    static func total(_ parts: [BlockSum]) -> [Double] {
        guard let first = parts.first else { return [] }
        var sum = [Double](repeating: 0, count: first.total.count)
        for part in parts {
            part.flush()
            for index in sum.indices { sum[index] += part.total[index] }
        }
        if first.isSymmetric {
            for row in 0..<first.left {
                for column in 0..<row { sum[column * first.left + row] = sum[row * first.left + column] }
            }
        }
        return sum
    }
}

/// The sum of images, [count], in Float64: what belongs to the ones of biases follows from it.
final class ImageSum {
    private(set) var total: [Double]
    private var part: [Float]

    /// Images whose sum stays in Float32.
    private static let imagesPerAddition = 32

    init(count: Int) {
        total = Array(repeating: 0, count: count)
        part = Array(repeating: 0, count: count)
    }

    func add(rows: Int, _ images: UnsafePointer<Float>) {
        for first in stride(from: 0, to: rows, by: Self.imagesPerAddition) {
            rows_sum(
                images + first * total.count, &part, min(Self.imagesPerAddition, rows - first), total.count)
            vector_add_to_double(&total, part, total.count)
        }
    }

    /// The sum so far; begins again at 0.
    func take() -> [Double] {
        defer { total = Array(repeating: 0, count: total.count) }
        return total
    }

    static func total(_ parts: [ImageSum]) -> [Double] {
        guard let first = parts.first else { return [] }
        return parts.dropFirst().reduce(first.total) { zip($0, $1.total).map(+) }
    }
}
