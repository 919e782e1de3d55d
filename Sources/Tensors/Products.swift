internal import CBLAS

/// Single-precision matrix products on raw row-major storage, on the calling thread: OpenBLAS's, for statistics.
package enum Products {
    /// A row-major matrix in memory, read as it is or transposed.
    package struct Operand {
        package let pointer: UnsafePointer<Float>
        /// Elements between rows as stored.
        package let stride: Int
        package let transposed: Bool

        package init(_ pointer: UnsafePointer<Float>, stride: Int, transposed: Bool = false) {
            self.pointer = pointer
            self.stride = stride
            self.transposed = transposed
        }
    }

    /// c = alpha a b + beta c, with a [rows, inner], b [inner, columns] and c [rows, columns].
    ///
    /// With `beta` 0 what stands in `c` is not read, so it may be NaN.
    ///
    /// - Parameter stride: elements between rows of `c`.
    /// - Complexity: 2 rows columns inner FLOPs.
    package static func multiply(
        rows: Int, columns: Int, inner: Int, _ a: Operand, _ b: Operand,
        into c: UnsafeMutablePointer<Float>, stride: Int, alpha: Float = 1, beta: Float = 0
    ) {
        guard rows > 0, columns > 0 else { return }
        guard inner > 0 else {
            // The library refuses operands without elements.
            for row in 0..<rows {
                for column in 0..<columns {
                    c[row * stride + column] = beta == 0 ? 0 : beta * c[row * stride + column]
                }
            }
            return
        }
        cblas_sgemm(
            CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
            b.transposed ? CblasTrans : CblasNoTrans,
            Int32(rows), Int32(columns), Int32(inner), alpha, a.pointer, Int32(a.stride), b.pointer,
            Int32(b.stride), beta, c, Int32(stride))
    }

    /// The lower triangle of c = aᵀ a + beta c for a [rows, columns]; the upper one is left alone.
    ///
    /// - Complexity: rows columns² FLOPs, half of a general product.
    package static func symmetric(
        rows: Int, columns: Int, _ a: UnsafePointer<Float>, stride: Int, into c: UnsafeMutablePointer<Float>,
        beta: Float = 0
    ) {
        guard columns > 0 else { return }
        cblas_ssyrk(
            CblasRowMajor, CblasLower, CblasTrans, Int32(columns), Int32(rows), 1, a, Int32(stride), beta, c,
            Int32(columns))
    }
}
