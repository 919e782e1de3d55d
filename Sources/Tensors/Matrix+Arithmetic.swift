extension Matrix {
    package static func + (left: Matrix, right: Matrix) -> Matrix { left.combining(right, +) }
    package static func - (left: Matrix, right: Matrix) -> Matrix { left.combining(right, -) }

    /// Every entry times a number.
    package static func * (scale: Double, matrix: Matrix) -> Matrix { matrix.mapping { scale * $0 } }

    package static prefix func - (matrix: Matrix) -> Matrix { matrix.mapping { -$0 } }

    /// A function of every entry.
    package func mapping(_ function: (Double) -> Double) -> Matrix {
        Matrix(rows: rows, columns: columns, values: values.map(function))
    }

    /// Each column times its own number: A diag(scales).
    package func scaling(columns scales: [Double]) -> Matrix {
        precondition(scales.count == columns, "\(scales.count) scales for the columns of \(shape)")
        var result = self
        for row in 0..<rows {
            for column in 0..<columns { result[row, column] *= scales[column] }
        }
        return result
    }

    /// Each row times its own number: diag(scales) A.
    package func scaling(rows scales: [Double]) -> Matrix {
        precondition(scales.count == rows, "\(scales.count) scales for the rows of \(shape)")
        var result = self
        for row in 0..<rows {
            for column in 0..<columns { result[row, column] *= scales[row] }
        }
        return result
    }

    /// The sum of the diagonal.
    package var trace: Double {
        (0..<min(rows, columns)).reduce(0) { $0 + self[$1, $1] }
    }

    /// The largest diagonal entry, 0 for an empty matrix.
    package var largestDiagonal: Double {
        (0..<min(rows, columns)).reduce(0) { max($0, self[$1, $1]) }
    }

    /// The sum of the squared entries: the square of the Frobenius norm.
    package var squaredNorm: Double { values.reduce(0) { $0 + $1 * $1 } }

    /// ⟨A, B⟩: the sum of the products of entries, tr(AᵀB).
    package func inner(_ other: Matrix) -> Double {
        precondition(
            rows == other.rows && columns == other.columns, "inner product of \(shape) and \(other.shape)")
        return zip(values, other.values).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// The Euclidean norm of each column.
    package var columnNorms: [Double] {
        var squares = Array(repeating: 0.0, count: columns)
        for row in 0..<rows {
            for column in 0..<columns { squares[column] += self[row, column] * self[row, column] }
        }
        return squares.map { $0.squareRoot() }
    }

    private func combining(_ other: Matrix, _ function: (Double, Double) -> Double) -> Matrix {
        precondition(rows == other.rows && columns == other.columns, "\(shape) does not fit \(other.shape)")
        return Matrix(rows: rows, columns: columns, values: zip(values, other.values).map(function))
    }
}
