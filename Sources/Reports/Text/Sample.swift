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

    /// Half the width of the mean's 95 % interval by Student's t; nil for fewer than two values.
    package var confidenceInterval: Double? {
        standardDeviation.map { Self.studentQuantile(count - 1) * $0 / Double(count).squareRoot() }
    }

    /// t at 97.5 % for so many degrees of freedom, at least one.
    private static func studentQuantile(_ freedom: Int) -> Double {
        let table = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
            2.131,
            2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045,
            2.042,
        ]
        return freedom <= table.count ? table[freedom - 1] : 1.96 + 2.37 / Double(freedom)
    }
}
