internal import CKernels

/// Σ UᵀU over rows of bytes, exactly: integers have no rounding, and their products run at several times the
/// speed of Float32.
///
/// The result does not depend on the order of the rows. Used by one thread.
package final class ByteGram {
    /// Columns of U.
    package let columns: Int
    /// Rows added so far.
    package private(set) var rows = 0
    /// Σ (u_i − 128) u_j of the rows since the last flush; lower triangle, rows `stride` apart.
    private var pending: [Int32]
    private let stride: Int
    private var pendingRows = 0
    private var total: [Double]
    private var sums: [Int]
    private var scratch: [UInt8]

    /// |(u − 128) u| is at most 128 · 255: so many rows stay within 32 bits.
    private static let mostPending = Int(Int32.max) / (255 * 128)

    package init(columns: Int) {
        self.columns = columns
        stride = bytes_gram_stride(columns)
        pending = Array(repeating: 0, count: stride * stride)
        total = Array(repeating: 0, count: columns * columns)
        sums = Array(repeating: 0, count: columns)
        scratch = Array(repeating: 0, count: bytes_gram_scratch(columns))
    }

    /// Adds rows of bytes, [rows, columns].
    ///
    /// - Complexity: about rows · columns² / 2 integer operations.
    package func add(_ bytes: UnsafePointer<UInt8>, rows count: Int) {
        if pendingRows + count > Self.mostPending { flush() }
        precondition(count <= Self.mostPending, "\(count) rows at once overflow 32 bits")
        addSums(bytes, rows: count)
        bytes_gram(bytes, count, columns, &pending, &scratch)
        pendingRows += count
        rows += count
    }

    private func addSums(_ bytes: UnsafePointer<UInt8>, rows count: Int) {
        let part = [UInt32](unsafeUninitializedCapacity: columns) { part, initialized in
            part.initialize(repeating: 0)
            for row in 0..<count {
                let start = bytes + row * columns
                for column in 0..<columns { part[column] &+= UInt32(start[column]) }
            }
            initialized = columns
        }
        for column in 0..<columns { sums[column] += Int(part[column]) }
    }

    /// Σ UᵀU, [columns, columns], exact below 2⁵³.
    package var gram: Matrix {
        flush()
        var result = Matrix(rows: columns, columns: columns, values: total)
        for row in 0..<columns {
            for column in 0...row { result[row, column] += 128 * Double(sums[column]) }
        }
        result.mirrorLowerTriangle()
        return result
    }

    /// The sum of each column.
    package var columnSums: [Double] { sums.map(Double.init) }

    private func flush() {
        guard pendingRows > 0 else { return }
        for row in 0..<columns {
            for column in 0...row {
                total[row * columns + column] += Double(pending[row * stride + column])
            }
        }
        pending.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        pendingRows = 0
    }
}
