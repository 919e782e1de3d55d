extension Matrix {
    /// The transpose, as a copy.
    package var transposed: Matrix {
        var result = Matrix(rows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns { result[column, row] = self[row, column] }
        }
        return result
    }

    /// One row as an array.
    package func row(_ index: Int) -> [Double] { Array(values[index * columns..<(index + 1) * columns]) }

    /// One column as an array.
    package func column(_ index: Int) -> [Double] { (0..<rows).map { self[$0, index] } }

    /// The named rows, in the order asked for.
    package func selecting(rows chosen: some Collection<Int>) -> Matrix {
        copying(rows: Array(chosen), columns: nil)
    }

    /// The named columns, in the order asked for.
    package func selecting(columns chosen: some Collection<Int>) -> Matrix {
        copying(rows: nil, columns: Array(chosen))
    }

    /// Concrete arrays, so that the loops are compiled for them: generic code across modules is far slower.
    private func copying(rows chosenRows: [Int]?, columns chosenColumns: [Int]?) -> Matrix {
        let height = chosenRows?.count ?? rows
        let width = chosenColumns?.count ?? columns
        precondition(
            chosenRows?.allSatisfy((0..<rows).contains) ?? true
                && chosenColumns?.allSatisfy((0..<columns).contains) ?? true,
            "\(shape) has not all of the rows or columns asked for")
        let copies = [Double](unsafeUninitializedCapacity: height * width) { result, count in
            values.withUnsafeBufferPointer { values in
                for row in 0..<height {
                    let start = (chosenRows?[row] ?? row) * columns
                    let into = row * width
                    if let chosenColumns {
                        for column in 0..<width {
                            result[into + column] = values[start + chosenColumns[column]]
                        }
                    } else {
                        for column in 0..<width { result[into + column] = values[start + column] }
                    }
                }
            }
            count = height * width
        }
        return Matrix(rows: height, columns: width, values: copies)
    }

    /// This matrix with the rows of another under it.
    package func appending(rows other: Matrix) -> Matrix {
        precondition(columns == other.columns, "rows of \(other.shape) do not continue \(shape)")
        return Matrix(rows: rows + other.rows, columns: columns, values: values + other.values)
    }

    /// This matrix with the columns of another to its right.
    package func appending(columns other: Matrix) -> Matrix {
        precondition(rows == other.rows, "columns of \(other.shape) do not continue \(shape)")
        var result: [Double] = []
        result.reserveCapacity(values.count + other.values.count)
        for row in 0..<rows {
            result += values[row * columns..<(row + 1) * columns]
            result += other.values[row * other.columns..<(row + 1) * other.columns]
        }
        return Matrix(rows: rows, columns: columns + other.columns, values: result)
    }

    /// This matrix with a column of ones appended last, as a layer with a bias sees its input.
    package var appendingOnes: Matrix {
        appending(columns: Matrix(rows: rows, columns: 1, repeating: 1))
    }
}
