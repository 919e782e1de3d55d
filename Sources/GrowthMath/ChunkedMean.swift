/// A mean over samples that were summed in chunks, and how far it may be off.
package struct ChunkedMean {
    package let mean: Double
    /// The standard error of the mean, from the spread between chunks; 0 where there is only one.
    package let error: Double

    /// - Parameter chunks: rows and sum of each chunk.
    package init(_ chunks: [(rows: Int, sum: Double)]) {
        let total = Double(chunks.reduce(0) { $0 + $1.rows })
        let mean = total > 0 ? chunks.reduce(0) { $0 + $1.sum } / total : 0
        self.mean = mean
        guard chunks.count > 1 else {
            error = 0
            return
        }
        let spread = chunks.reduce(0) { sum, chunk in
            let share = (chunk.sum - Double(chunk.rows) * mean) / total
            return sum + share * share
        }
        error = (spread * Double(chunks.count) / Double(chunks.count - 1)).squareRoot()
    }
}
