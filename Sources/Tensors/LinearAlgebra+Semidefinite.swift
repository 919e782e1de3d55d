internal import CBLAS

/// A square root of the pseudo-inverse of a symmetric positive semidefinite S [n, n]: S⁺ = B Bᵀ, B [n, rank].
///
/// B comes from a pivoted Cholesky, S = P Rᵀ R Pᵀ. Full rank: B = P R⁻¹. Otherwise R = T Q with T lower
/// triangular and orthonormal rows Q, and B = P Qᵀ T⁻¹: the minimum-norm solution. This replaces the
/// eigendecomposition at a third to a tenth of its cost. A large S that is clearly of full rank is not pivoted.
///
/// Precision: relative error of a solve about ε · (largest / smallest counted pivot); tested against
/// matrices with a known pseudo-inverse and against the eigendecomposition.
package struct SemidefiniteFactor: Equatable, Sendable {
    /// n: rows of S.
    package let size: Int
    /// How many pivots count.
    package let rank: Int

    private let permutation: [Int]
    /// R (upper) at full rank, else T (lower), [rank, rank].
    private let triangle: Matrix
    /// Q, [rank, n], columns in the order of the permutation; nil at full rank.
    private let rows: Matrix?

    /// Pivots count that are above this part of the largest.
    package static let defaultThreshold = 1e-10

    /// Rows from which pivoting is avoided where it can be: below, it costs nothing worth the check.
    private static let largeSize = 512

    /// Factors S, of which both triangles are there.
    ///
    /// - Parameters:
    ///   - matrix: S, [n, n], symmetric positive semidefinite up to rounding.
    ///   - threshold: relative; free of the units of S.
    ///   - scale: what the threshold is relative to; the largest diagonal entry of S unless given.
    ///     A Schur complement passes the scale of the matrix that it was taken from.
    /// - Complexity: at most n³/3 FLOPs at full rank, 3n³ when deficient.
    package init(
        _ matrix: Matrix, threshold: Double = defaultThreshold, scale: Double? = nil
    ) throws(LinearAlgebraError) {
        let limit = threshold * (scale ?? matrix.largestDiagonal)
        size = matrix.rows
        if size >= Self.largeSize, let factor = try matrix.clearlyPositiveCholesky(above: limit) {
            rank = size
            permutation = Array(0..<size)
            triangle = factor
            rows = nil
            return
        }
        let cholesky = try matrix.pivotedCholesky(threshold: max(limit, 0))
        rank = cholesky.rank
        permutation = cholesky.permutation
        if rank == size {
            triangle = cholesky.factor
            rows = nil
        } else {
            triangle = try cholesky.factor.lowerTriangleOfRows()
            rows = triangle.solving(.lower, cholesky.factor)
        }
    }

    /// Bᵀ A, [rank, m], for A [n, m]: A seen in coordinates in which S is the identity.
    package func whitening(_ matrix: Matrix) -> Matrix {
        precondition(matrix.rows == size, "whitening \(matrix.shape) by a factor of size \(size)")
        let permuted = matrix.selecting(rows: permutation)
        guard let rows else { return triangle.solving(.upperTransposed, permuted) }
        return triangle.solving(.lowerTransposed, rows.times(permuted))
    }

    /// B A, [n, m], for A [rank, m]: back from the coordinates of ``whitening(_:)``.
    package func unwhitening(_ matrix: Matrix) -> Matrix {
        precondition(matrix.rows == rank, "\(matrix.shape) is not of rank \(rank)")
        let permuted =
            if let rows {
                rows.transposedTimes(triangle.solving(.lower, matrix))
            } else {
                triangle.solving(.upper, matrix)
            }
        var inverse = Array(repeating: 0, count: size)
        for (position, index) in permutation.enumerated() { inverse[index] = position }
        return permuted.selecting(rows: inverse)
    }

    /// S⁺ A, [n, m]: the solution of S X = A, of minimum norm when S is rank deficient.
    package func solving(_ matrix: Matrix) -> Matrix { unwhitening(whitening(matrix)) }
}

extension Matrix {
    /// The lower triangular T [rows, rows] of A = T Q with orthonormal rows Q, for rows <= columns.
    fileprivate func lowerTriangleOfRows() throws(LinearAlgebraError) -> Matrix {
        guard rows > 0 else { return Matrix(rows: 0, columns: 0) }
        // Read column-major this is Aᵀ = Qᵀ Tᵀ, which dgeqrf takes apart.
        var copy = self
        var (m, n, info) = (Int32(columns), Int32(rows), Int32(0))
        var reflectors = Array(repeating: 0.0, count: rows)
        var work = [0.0]
        var count = Int32(-1)
        copy.withUnsafeMutableValues {
            dgeqrf_(&m, &n, $0.baseAddress, &m, &reflectors, &work, &count, &info)
        }
        count = Int32(work[0])
        work = Array(repeating: 0.0, count: Int(count))
        copy.withUnsafeMutableValues {
            dgeqrf_(&m, &n, $0.baseAddress, &m, &reflectors, &work, &count, &info)
        }
        if info != 0 { throw .refused(operation: "QR", argument: -Int(info)) }
        var triangle = Matrix(rows: rows, columns: rows)
        for row in 0..<rows {
            for column in 0...row { triangle[row, column] = copy[row, column] }
        }
        return triangle
    }
}
