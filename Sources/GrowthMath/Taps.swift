package import Tensors

// A consumer reads a hidden position through E taps. Wherever a row or a column stands for an item and a tap, it is
// item * E + tap, the order in which PyTorch flattens a kernel.

extension Matrix {
    /// [r, m E] as [r E, m]: the taps of the columns become those of the rows.
    package func tapsToRows(_ taps: Int) -> Matrix {
        precondition(taps > 0 && columns.isMultiple(of: taps), "\(shape) has no columns of \(taps) taps")
        guard taps > 1 else { return self }
        let items = columns / taps
        var result: [Double] = []
        result.reserveCapacity(values.count)
        for row in 0..<rows {
            for tap in 0..<taps {
                for item in 0..<items { result.append(values[(row * items + item) * taps + tap]) }
            }
        }
        return Matrix(rows: rows * taps, columns: items, values: result)
    }

    /// [r E, m] as [r, m E]: the inverse of ``tapsToRows(_:)``.
    package func tapsToColumns(_ taps: Int) -> Matrix {
        precondition(taps > 0 && rows.isMultiple(of: taps), "\(shape) has no rows of \(taps) taps")
        guard taps > 1 else { return self }
        var result: [Double] = []
        result.reserveCapacity(values.count)
        for row in 0..<rows / taps {
            for column in 0..<columns {
                for tap in 0..<taps { result.append(values[(row * taps + tap) * columns + column]) }
            }
        }
        return Matrix(rows: rows / taps, columns: columns * taps, values: result)
    }
}

/// One matrix [r, m] for each tap as [r, m E].
package func byTap(_ parts: [Matrix]) -> Matrix {
    guard let first = parts.first, parts.count > 1 else { return parts.first ?? Matrix(rows: 0, columns: 0) }
    var result: [Double] = []
    result.reserveCapacity(parts.count * first.values.count)
    for index in first.values.indices { for part in parts { result.append(part.values[index]) } }
    return Matrix(rows: first.rows, columns: first.columns * parts.count, values: result)
}

extension Array {
    /// Each element so many times in a row.
    package func repeating(each count: Int) -> [Element] { flatMap { Array(repeating: $0, count: count) } }
}

/// The rows or columns of items, all their taps.
package func tapped(_ items: some Collection<Int>, _ taps: Int) -> [Int] {
    items.flatMap { item in (0..<taps).map { item * taps + $0 } }
}
