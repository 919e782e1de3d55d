internal import Tensors

/// A chunk's matrix [rows, columns], to which a last column of ones may be thought.
final class SampleBlock {
    let pointer: UnsafePointer<Float>
    let rows: Int
    let columns: Int
    let hasOnes: Bool

    init(_ pointer: UnsafePointer<Float>, rows: Int, columns: Int, hasOnes: Bool) {
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
        self.hasOnes = hasOnes
    }

    var operand: Products.Operand { Products.Operand(pointer, stride: columns) }
    var transposed: Products.Operand { Products.Operand(pointer, stride: columns, transposed: true) }

    /// The sum of each column.
    private(set) lazy var columnSums: [Float] = {
        let ones = Array(repeating: Float(1), count: rows)
        var sums = Array(repeating: Float(0), count: columns)
        ones.withUnsafeBufferPointer { ones in
            sums.withUnsafeMutableBufferPointer { sums in
                guard let ones = ones.baseAddress, let sums = sums.baseAddress else { return }
                Products.multiply(
                    rows: 1, columns: columns, inner: rows, Products.Operand(ones, stride: rows), operand,
                    into: sums,
                    stride: columns)
            }
        }
        return sums
    }()
}

/// Σ AᵀB over chunks, [a, b]: Float32 products of chunks, added in Float64 in the order they come.
///
/// Ones are never multiplied: their row and column are column sums and counts.
final class ProductSum {
    /// One side of the product: columns, with or without ones after them.
    struct Side {
        let columns: Int
        let hasOnes: Bool

        var extended: Int { columns + (hasOnes ? 1 : 0) }
    }

    private let left: Side
    private let right: Side
    private let isSymmetric: Bool
    /// [left.extended, right.extended]
    private var total: [Double]
    /// [left.columns, right.columns]
    private let part: AlignedBuffer
    private var pending = 0

    /// Chunks whose products stay in Float32 before they are added to the total: adding costs memory traffic.
    private static let chunksPerAddition = 4

    /// - Parameter isSymmetric: whether A and B are the same, so that half the work is enough.
    init(_ left: Side, _ right: Side, isSymmetric: Bool = false) {
        self.left = left
        self.right = right
        self.isSymmetric = isSymmetric
        total = Array(repeating: 0, count: left.extended * right.extended)
        part = AlignedBuffer(count: left.columns * right.columns)
    }

    /// Adds AᵀB of a chunk.
    ///
    /// - Complexity: 2 rows a b FLOPs, half of it if symmetric.
    func add(_ a: SampleBlock, _ b: SampleBlock) {
        let beta: Float = pending == 0 ? 0 : 1
        if isSymmetric {
            Products.symmetric(
                rows: a.rows, columns: a.columns, a.pointer, stride: a.columns, into: part.pointer,
                beta: beta)
        } else {
            Products.multiply(
                rows: a.columns, columns: b.columns, inner: a.rows, a.transposed, b.operand,
                into: part.pointer,
                stride: b.columns, beta: beta)
        }
        addOnes(a, b)
        pending += 1
        if pending == Self.chunksPerAddition { flush() }
    }

    private func addOnes(_ a: SampleBlock, _ b: SampleBlock) {
        let stride = right.extended
        if left.hasOnes {
            for (column, sum) in b.columnSums.enumerated() {
                total[a.columns * stride + column] += Double(sum)
            }
        }
        if right.hasOnes && !isSymmetric {
            for (row, sum) in a.columnSums.enumerated() { total[row * stride + b.columns] += Double(sum) }
        }
        if left.hasOnes && right.hasOnes { total[a.columns * stride + b.columns] += Double(a.rows) }
    }

    /// Adds what is pending to the total.
    private func flush() {
        guard pending > 0 else { return }
        pending = 0
        total.withUnsafeMutableBufferPointer { total in
            guard let total = total.baseAddress else { return }
            for row in 0..<left.columns {
                let end = isSymmetric ? row + 1 : right.columns
                let (into, from) = (total + row * right.extended, part.pointer + row * right.columns)
                for column in 0..<end { into[column] += Double(from[column]) }
            }
        }
    }

    /// The sum over all parts times a factor, parts added in their order.
    static func matrix(_ parts: [ProductSum], times scale: Double) -> Matrix {
        guard let first = parts.first else { return Matrix(rows: 0, columns: 0) }
        var sum = Matrix(rows: first.left.extended, columns: first.right.extended)
        for part in parts {
            part.flush()
            sum = sum + Matrix(rows: sum.rows, columns: sum.columns, values: part.total)
        }
        if first.isSymmetric { sum.mirrorLowerTriangle() }
        return scale * sum
    }
}
