/// What a factorisation can find wrong with its matrix.
package enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
    /// A factorisation of a square matrix was asked of another shape.
    case notSquare(operation: String, rows: Int, columns: Int)
    /// The matrix holds NaN or infinity.
    case notFinite(operation: String, rows: Int, columns: Int)
    /// Cholesky met a pivot that is not positive.
    case notPositiveDefinite(size: Int, pivot: Int)
    /// An iteration of LAPACK did not converge.
    case noConvergence(operation: String, rows: Int, columns: Int)
    /// LAPACK refused an argument: a mistake in this program.
    case refused(operation: String, argument: Int)

    package var exitCode: Int32 {
        switch self {
        case .notFinite, .notPositiveDefinite: 65
        case .notSquare, .noConvergence, .refused: 70
        }
    }

    package var description: String {
        switch self {
        case .notSquare(let operation, let rows, let columns):
            "\(operation) needs a square matrix, found \(rows)x\(columns)"
        case .notFinite(let operation, let rows, let columns):
            "\(operation): the \(rows)x\(columns) matrix holds NaN or infinity; "
                + "look for a loss that diverged before this step, and lower the learning rate"
        case .notPositiveDefinite(let size, let pivot):
            "Cholesky: pivot \(pivot + 1) of a \(size)x\(size) matrix is not positive; "
                + "the matrix is singular, use the minimum-norm solve"
        case .noConvergence(let operation, let rows, let columns):
            "\(operation) of a \(rows)x\(columns) matrix did not converge"
        case .refused(let operation, let argument):
            "\(operation): LAPACK refused its argument \(argument)"
        }
    }
}

extension Matrix {
    /// Stops work on a matrix that no factorisation can take.
    func requireFinite(_ operation: String) throws(LinearAlgebraError) {
        guard isFinite else { throw .notFinite(operation: operation, rows: rows, columns: columns) }
    }

    func requireSquareAndFinite(_ operation: String) throws(LinearAlgebraError) {
        guard rows == columns else { throw .notSquare(operation: operation, rows: rows, columns: columns) }
        try requireFinite(operation)
    }
}
