internal import CBLAS

/// Products in Float64 through BLAS. On one thread they repeat bit for bit; between thread counts and
/// kernel sets they differ by rounding.
extension Matrix {
    /// A B, [rows, other.columns].
    ///
    /// - Complexity: 2 · rows · columns · other.columns FLOPs.
    package func times(_ other: Matrix) -> Matrix {
        precondition(columns == other.rows, "product of \(shape) and \(other.shape)")
        return Matrix.product(self, CblasNoTrans, other, CblasNoTrans, rows, columns, other.columns)
    }

    /// Aᵀ B, [columns, other.columns].
    package func transposedTimes(_ other: Matrix) -> Matrix {
        precondition(rows == other.rows, "product of the transpose of \(shape) and \(other.shape)")
        return Matrix.product(self, CblasTrans, other, CblasNoTrans, columns, rows, other.columns)
    }

    /// A Bᵀ, [rows, other.rows].
    package func timesTransposed(_ other: Matrix) -> Matrix {
        precondition(columns == other.columns, "product of \(shape) and the transpose of \(other.shape)")
        return Matrix.product(self, CblasNoTrans, other, CblasTrans, rows, columns, other.rows)
    }

    /// Aᵀ A, [columns, columns], exactly symmetric.
    ///
    /// - Complexity: rows · columns² FLOPs, half of a general product.
    package var gram: Matrix {
        var result = Matrix(rows: columns, columns: columns)
        guard rows > 0, columns > 0 else { return result }
        let (rows, columns) = (Int32(rows), Int32(columns))
        withUnsafeValues { values in
            result.withUnsafeMutableValues { result in
                cblas_dsyrk(
                    CblasRowMajor, CblasLower, CblasTrans, columns, rows, 1, values.baseAddress, columns,
                    0, result.baseAddress, columns)
            }
        }
        result.mirrorLowerTriangle()
        return result
    }

    /// A Aᵀ, [rows, rows], exactly symmetric.
    package var outerGram: Matrix {
        var result = Matrix(rows: rows, columns: rows)
        guard rows > 0, columns > 0 else { return result }
        let (rows, columns) = (Int32(rows), Int32(columns))
        withUnsafeValues { values in
            result.withUnsafeMutableValues { result in
                cblas_dsyrk(
                    CblasRowMajor, CblasLower, CblasNoTrans, rows, columns, 1, values.baseAddress, columns,
                    0, result.baseAddress, rows)
            }
        }
        result.mirrorLowerTriangle()
        return result
    }

    /// Copies the lower triangle of a square matrix over the upper one.
    package mutating func mirrorLowerTriangle() {
        precondition(rows == columns, "\(shape) has no triangle to mirror")
        for row in 0..<rows {
            for column in 0..<row { self[column, row] = self[row, column] }
        }
    }

    private static func product(
        _ left: Matrix, _ transposeLeft: CBLAS_TRANSPOSE, _ right: Matrix, _ transposeRight: CBLAS_TRANSPOSE,
        _ rows: Int, _ inner: Int, _ columns: Int
    ) -> Matrix {
        var result = Matrix(rows: rows, columns: columns)
        guard rows > 0, inner > 0, columns > 0 else { return result }
        left.withUnsafeValues { a in
            right.withUnsafeValues { b in
                result.withUnsafeMutableValues { c in
                    cblas_dgemm(
                        CblasRowMajor, transposeLeft, transposeRight, Int32(rows), Int32(columns),
                        Int32(inner), 1, a.baseAddress, Int32(left.columns), b.baseAddress,
                        Int32(right.columns), 0, c.baseAddress, Int32(columns))
                }
            }
        }
        return result
    }
}
