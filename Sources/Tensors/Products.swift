internal import CBLAS
internal import COneDNN

/// Single-precision matrix products on raw row-major storage, on the calling thread.
///
/// oneDNN's kernels are the faster ones in general; OpenBLAS's win where one side is narrow
/// (64 x 784 times 784 x 8: 7 against 25 microseconds), which is how networks that grow begin.
package enum Products {
    /// The narrowest output for which oneDNN is used.
    private static let narrow = 24

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
            // Libraries refuse operands without elements.
            for row in 0..<rows {
                for column in 0..<columns {
                    c[row * stride + column] = beta == 0 ? 0 : beta * c[row * stride + column]
                }
            }
            return
        }
        if min(rows, columns) < narrow {
            multiplyByBLAS(
                rows: rows, columns: columns, inner: inner, a, b, into: c, stride: stride, alpha: alpha,
                beta: beta)
        } else {
            // oneDNN takes ASCII letters.
            let asStored = CChar(UInt8(ascii: "N")), transposed = CChar(UInt8(ascii: "T"))
            let status = dnnl_sgemm(
                a.transposed ? transposed : asStored, b.transposed ? transposed : asStored,
                dnnl_dim_t(rows), dnnl_dim_t(columns), dnnl_dim_t(inner), alpha, a.pointer,
                dnnl_dim_t(a.stride), b.pointer, dnnl_dim_t(b.stride), beta, c, dnnl_dim_t(stride))
            precondition(
                status == dnnl_success, "oneDNN refused a product of \(rows) x \(inner) x \(columns)")
        }
    }

    /// The same for one of many small products, of up to a million multiplications: OpenBLAS has kernels for them that do
    /// not pack their operands (34 x 32 times 32 x 64: 1.2 against 1.7 microseconds).
    package static func multiplySmall(
        rows: Int, columns: Int, inner: Int, _ a: Operand, _ b: Operand,
        into c: UnsafeMutablePointer<Float>, stride: Int, alpha: Float = 1, beta: Float = 0
    ) {
        guard rows > 0, columns > 0, inner > 0, rows * columns * inner <= 1_000_000 else {
            multiply(
                rows: rows, columns: columns, inner: inner, a, b, into: c, stride: stride, alpha: alpha,
                beta: beta)
            return
        }
        multiplyByBLAS(
            rows: rows, columns: columns, inner: inner, a, b, into: c, stride: stride, alpha: alpha,
            beta: beta)
    }

    private static func multiplyByBLAS(
        rows: Int, columns: Int, inner: Int, _ a: Operand, _ b: Operand,
        into c: UnsafeMutablePointer<Float>, stride: Int, alpha: Float, beta: Float
    ) {
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
