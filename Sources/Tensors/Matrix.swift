/// A dense matrix of Float64, row-major: the type of every statistic and every solve of growth.
///
/// Shapes are programmer's business: a product of matrices that do not fit stops with both shapes.
/// Factorisations of data that may be singular throw ``LinearAlgebraError``.
package struct Matrix: Equatable, Sendable {
    /// How many rows, 0 or more.
    package let rows: Int
    /// How many columns, 0 or more.
    package let columns: Int
    /// The entries, row after row; `rows * columns` of them.
    package private(set) var values: [Double]

    /// A matrix with the given entries, row after row.
    package init(rows: Int, columns: Int, values: [Double]) {
        precondition(
            rows >= 0 && columns >= 0 && values.count == rows * columns,
            "a \(rows)x\(columns) matrix needs \(rows * columns) values, not \(values.count)")
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    /// A matrix whose entries are all equal.
    package init(rows: Int, columns: Int, repeating value: Double = 0) {
        self.init(rows: rows, columns: columns, values: Array(repeating: value, count: rows * columns))
    }

    /// A matrix written out as rows, all of one length.
    package init(_ rows: [[Double]]) {
        let columns = rows.first?.count ?? 0
        precondition(rows.allSatisfy { $0.count == columns }, "the rows of a matrix have one length")
        self.init(rows: rows.count, columns: columns, values: rows.flatMap { $0 })
    }

    /// A matrix of Float32 entries, widened exactly.
    package init(rows: Int, columns: Int, widening values: some Collection<Float>) {
        self.init(rows: rows, columns: columns, values: values.map(Double.init))
    }

    /// The identity of a size.
    package static func identity(_ size: Int) -> Matrix {
        var result = Matrix(rows: size, columns: size)
        for index in 0..<size { result[index, index] = 1 }
        return result
    }

    /// The entry in a row and a column, both from 0.
    package subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    /// Rows and columns, for messages: "3x4".
    package var shape: String { "\(rows)x\(columns)" }

    /// The entries rounded to Float32, row after row.
    package var narrowed: [Float] { values.map(Float.init) }

    /// Whether no entry is NaN or infinite.
    package var isFinite: Bool { values.allSatisfy(\.isFinite) }

    package func withUnsafeValues<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Double>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try values.withUnsafeBufferPointer(body)
    }

    package mutating func withUnsafeMutableValues<Result, Failure: Error>(
        _ body: (inout UnsafeMutableBufferPointer<Double>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try values.withUnsafeMutableBufferPointer(body)
    }
}
