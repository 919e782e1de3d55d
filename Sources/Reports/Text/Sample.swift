/// Measurements of the same quantity, one per seed.
package struct Sample: Equatable, Sendable {
    package let values: [Double]

    package init(_ values: [Double]) { self.values = values }

    /// n
    package var count: Int { values.count }

    /// NaN without values.
    package var mean: Double { values.reduce(0, +) / Double(count) }

    /// √(Σ (x − mean)² / (n − 1)); nil for fewer than two values.
    package var standardDeviation: Double? {
        guard count > 1 else { return nil }
        let center = mean
        let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
        return (squares / Double(count - 1)).squareRoot()
    }
}
