internal import CBLAS
internal import COneDNN

/// Single-precision matrix products on raw row-major storage, on the calling thread.
///
/// oneDNN's kernels are the faster ones in general; OpenBLAS's win where one side is narrow
/// (64 x 784 times 784 x 8: 7 against 25 microseconds), which is how networks that grow begin.
package enum Products {
    /// The narrowest output for which oneDNN is used.
    private static let narrow = 24

    /// c = op(a) op(b) + beta c, with op(a) [rows, inner] and op(b) [inner, columns].
    ///
    /// - Parameters:
    ///   - aStride: elements between rows of `a` as stored; likewise `bStride`, `cStride`.
    /// - Complexity: 2 rows columns inner FLOPs.
    package static func multiply(
        rows: Int, columns: Int, inner: Int,
        _ a: UnsafePointer<Float>, stride aStride: Int, transposed aTransposed: Bool = false,
        _ b: UnsafePointer<Float>, stride bStride: Int, transposed bTransposed: Bool = false,
        into c: UnsafeMutablePointer<Float>, stride cStride: Int, beta: Float = 0
    ) {
        guard rows > 0, columns > 0 else { return }
        if min(rows, columns) < narrow || inner == 0 {
            cblas_sgemm(
                CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
                Int32(rows), Int32(columns), Int32(inner), 1, a, Int32(aStride), b, Int32(bStride), beta, c,
                Int32(cStride))
        } else {
            let letterN = CChar(78), letterT = CChar(84)
            let status = dnnl_sgemm(
                aTransposed ? letterT : letterN, bTransposed ? letterT : letterN,
                dnnl_dim_t(rows), dnnl_dim_t(columns), dnnl_dim_t(inner), 1, a, dnnl_dim_t(aStride), b,
                dnnl_dim_t(bStride), beta, c, dnnl_dim_t(cStride))
            precondition(status == dnnl_success, "oneDNN refused a product of \(rows) x \(inner) x \(columns)")
        }
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
