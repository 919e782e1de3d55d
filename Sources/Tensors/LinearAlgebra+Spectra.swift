internal import CBLAS

/// A = V diag(values) Vᵀ of a symmetric A [n, n].
package struct SymmetricEigen: Equatable, Sendable {
    /// Eigenvalues, ascending.
    package let values: [Double]
    /// V, [n, n]: column j belongs to `values[j]`; orthonormal.
    package let vectors: Matrix
}

/// A = U diag(values) Vᵀ, thin: r = min(rows, columns) of A.
package struct SingularValueDecomposition: Equatable, Sendable {
    /// U, [rows, r], orthonormal columns.
    package let left: Matrix
    /// Singular values, descending.
    package let values: [Double]
    /// Vᵀ, [r, columns], orthonormal rows.
    package let rightTransposed: Matrix
}

extension Matrix {
    /// Eigenvalues and vectors of a symmetric matrix [n, n]; its lower triangle is read.
    ///
    /// - Complexity: about 9n³ FLOPs, of which 4n³/3 at memory speed.
    package func symmetricEigen() throws(LinearAlgebraError) -> SymmetricEigen {
        try requireSquareAndFinite("eigendecomposition")
        guard rows > 0 else { return SymmetricEigen(values: [], vectors: self) }
        var vectors = self
        var eigenvalues = Array(repeating: 0.0, count: rows)
        // OpenBLAS's own workspace query is wrong from about n = 2900: these are LAPACK's documented sizes.
        var workCount = Int32(1 + 6 * rows + 2 * rows * rows)
        var integerCount = Int32(3 + 5 * rows)
        var work = Array(repeating: 0.0, count: Int(workCount))
        var integers = Array(repeating: Int32(0), count: Int(integerCount))
        var (n, info) = (Int32(rows), Int32(0))
        vectors.withUnsafeMutableValues {
            dsyevd_(
                "V", "U", &n, $0.baseAddress, &n, &eigenvalues, &work, &workCount, &integers, &integerCount,
                &info)
        }
        try Matrix.check(info, "eigendecomposition", self)
        // Column-major vectors are rows here.
        return SymmetricEigen(values: eigenvalues, vectors: vectors.transposed)
    }

    /// The thin singular value decomposition. The sign of each pair (u, v) is LAPACK's choice.
    ///
    /// - Complexity: about 6 m r² + 20 r³ FLOPs, m the longer and r the shorter side.
    package func singularValueDecomposition() throws(LinearAlgebraError) -> SingularValueDecomposition {
        try requireFinite("singular value decomposition")
        let rank = min(rows, columns)
        var values = Array(repeating: 0.0, count: rank)
        var left = Matrix(rows: rows, columns: rank)
        var right = Matrix(rows: rank, columns: columns)
        guard rank > 0 else {
            return SingularValueDecomposition(left: left, values: values, rightTransposed: right)
        }
        // Read column-major, this is Aᵀ = V diag Uᵀ: LAPACK's "U" is our Vᵀ and its "Vᵀ" our U.
        var copy = self
        var (m, n, r, info) = (Int32(columns), Int32(rows), Int32(rank), Int32(0))
        var integers = Array(repeating: Int32(0), count: 8 * rank)
        func run(_ work: inout [Double], _ count: Int32) {
            var count = count
            copy.withUnsafeMutableValues { a in
                right.withUnsafeMutableValues { v in
                    left.withUnsafeMutableValues { u in
                        dgesdd_(
                            "S", &m, &n, a.baseAddress, &m, &values, v.baseAddress, &m, u.baseAddress, &r,
                            &work, &count, &integers, &info)
                    }
                }
            }
        }
        var work = [0.0]
        run(&work, -1)
        work = Array(repeating: 0.0, count: max(1, Int(work[0])))
        run(&work, Int32(work.count))
        try Matrix.check(info, "singular value decomposition", self)
        return SingularValueDecomposition(left: left, values: values, rightTransposed: right)
    }

    private static func check(_ info: Int32, _ operation: String, _ matrix: Matrix) throws(LinearAlgebraError)
    {
        if info < 0 { throw .refused(operation: operation, argument: -Int(info)) }
        if info > 0 {
            throw .noConvergence(operation: operation, rows: matrix.rows, columns: matrix.columns)
        }
    }
}
