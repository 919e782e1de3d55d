internal import CBLAS

/// S = Rᵀ R with rows and columns of S permuted so that pivots fall: the rank shows where they stop.
package struct PivotedCholesky: Equatable, Sendable {
    /// R, [rank, n]: upper trapezoidal; its columns stand in the order of ``permutation``.
    package let factor: Matrix
    /// Column j of the factor is column `permutation[j]` of S.
    package let permutation: [Int]
    /// How many pivots are above the threshold.
    package let rank: Int
}

/// A triangular matrix, and which way it is used.
package enum Triangle: Sendable {
    case lower, lowerTransposed, upper, upperTransposed
}

extension Matrix {
    /// The lower triangular L with A = L Lᵀ, for a symmetric positive definite A [n, n].
    ///
    /// Reads the lower triangle of A only.
    /// - Throws: ``LinearAlgebraError/notPositiveDefinite(size:pivot:)`` if a pivot is not positive.
    /// - Complexity: n³/3 FLOPs.
    package func cholesky() throws(LinearAlgebraError) -> Matrix {
        try requireSquareAndFinite("Cholesky")
        guard rows > 0 else { return self }
        var factor = self
        var (n, info) = (Int32(rows), Int32(0))
        // Row-major lower is LAPACK's column-major upper.
        factor.withUnsafeMutableValues { dpotrf_("U", &n, $0.baseAddress, &n, &info) }
        if info < 0 { throw .refused(operation: "Cholesky", argument: -Int(info)) }
        if info > 0 { throw .notPositiveDefinite(size: rows, pivot: Int(info) - 1) }
        factor.clear { $1 > $0 }
        return factor
    }

    /// The upper triangular R of A = Rᵀ R, for a symmetric A [n, n] whose smallest eigenvalue is clearly above a limit;
    /// nil for all others, also where it cannot be told. What stands below R's diagonal means nothing.
    ///
    /// 1/‖A⁻¹‖₁ bounds the smallest eigenvalue from below. LAPACK's estimate of it is rarely off by more than 3: ten times
    /// the limit is asked for.
    /// - Complexity: n³/3 FLOPs: several times faster than with pivoting, which moves columns about.
    func clearlyPositiveCholesky(above limit: Double) throws(LinearAlgebraError) -> Matrix? {
        try requireSquareAndFinite("Cholesky")
        guard rows > 0, limit > 0 else { return nil }
        var factor = self
        var (n, info, reciprocal) = (Int32(rows), Int32(0), 0.0)
        var norm = symmetricNorm
        var work = Array(repeating: 0.0, count: 3 * rows)
        var integers = Array(repeating: Int32(0), count: rows)
        factor.withUnsafeMutableValues { values in
            // Column-major lower is row-major upper.
            dpotrf_("L", &n, values.baseAddress, &n, &info)
            guard info == 0 else { return }
            dpocon_("L", &n, values.baseAddress, &n, &norm, &reciprocal, &work, &integers, &info)
        }
        if info < 0 { throw .refused(operation: "Cholesky", argument: -Int(info)) }
        return info == 0 && reciprocal * norm > 10 * limit ? factor : nil
    }

    /// The largest sum of magnitudes of a row; of a column too where the matrix is symmetric.
    private var symmetricNorm: Double {
        withUnsafeValues { values in
            (0..<rows).reduce(0) { largest, row in
                var sum = 0.0
                for column in 0..<columns { sum += abs(values[row * columns + column]) }
                return max(largest, sum)
            }
        }
    }

    /// Cholesky with pivoting of a symmetric positive semidefinite S [n, n].
    ///
    /// - Parameter threshold: pivots up to this value (in the units of S) count as zero.
    /// - Complexity: about n² · rank FLOPs.
    package func pivotedCholesky(threshold: Double) throws(LinearAlgebraError) -> PivotedCholesky {
        try requireSquareAndFinite("pivoted Cholesky")
        guard rows > 0 else { return PivotedCholesky(factor: self, permutation: [], rank: 0) }
        var factor = self
        var (n, rank, info) = (Int32(rows), Int32(0), Int32(0))
        var tolerance = threshold
        var pivots = Array(repeating: Int32(0), count: rows)
        var work = Array(repeating: 0.0, count: 2 * rows)
        // Column-major lower P of Pᵀ S P = P Pᵀ is row-major upper R.
        factor.withUnsafeMutableValues {
            dpstrf_("L", &n, $0.baseAddress, &n, &pivots, &rank, &tolerance, &work, &info)
        }
        if info < 0 { throw .refused(operation: "pivoted Cholesky", argument: -Int(info)) }
        if largestDiagonal <= threshold { rank = 0 }
        factor.clear { $1 < $0 }
        return PivotedCholesky(
            factor: factor.selecting(rows: 0..<Int(rank)), permutation: pivots.map { Int($0) - 1 },
            rank: Int(rank))
    }

    /// X with T X = B for a square triangular T (this matrix) and B [n, m].
    ///
    /// - Parameter triangle: which triangle T is, and whether T or its transpose stands on the left.
    /// - Complexity: n² m FLOPs.
    package func solving(_ triangle: Triangle, _ right: Matrix) -> Matrix {
        precondition(rows == columns && rows == right.rows, "triangular solve of \(shape) for \(right.shape)")
        var solution = right
        guard right.rows > 0, right.columns > 0 else { return solution }
        let (side, transpose): (CBLAS_UPLO, CBLAS_TRANSPOSE) =
            switch triangle {
            case .lower: (CblasLower, CblasNoTrans)
            case .lowerTransposed: (CblasLower, CblasTrans)
            case .upper: (CblasUpper, CblasNoTrans)
            case .upperTransposed: (CblasUpper, CblasTrans)
            }
        let (n, m) = (Int32(rows), Int32(right.columns))
        withUnsafeValues { triangle in
            solution.withUnsafeMutableValues { solution in
                cblas_dtrsm(
                    CblasRowMajor, CblasLeft, side, transpose, CblasNonUnit, n, m, 1, triangle.baseAddress,
                    n, solution.baseAddress, m)
            }
        }
        return solution
    }

    /// Sets the entries for which `condition(row, column)` holds to zero.
    private mutating func clear(where condition: (Int, Int) -> Bool) {
        for row in 0..<rows {
            for column in 0..<columns where condition(row, column) { self[row, column] = 0 }
        }
    }
}
