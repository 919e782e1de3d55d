internal import Networks

extension PipelineResults {
    /// branch, widths, parameters, training FLOPs, thread-seconds, test accuracy: one row per branch.
    ///
    /// FLOPs and thread-seconds are means over the seeds; widths and parameters are ranges where seeds differ.
    package var summary: TextTable {
        var table = TextTable([
            .init("branch"), .init("widths"), .init("parameters", .right), .init("training FLOPs", .right),
            .init("thread-seconds", .right), .init("test accuracy", .right),
        ])
        for (name, chains) in branches {
            let flops = Sample(chains.map { Double($0.cost.total) }).mean
            let seconds = Sample(chains.map { $0.run.threadSeconds ?? .nan }).mean
            table.append([
                name, NetworkWidths.text(chains.map(\.widths)), Format.range(chains.map(\.parameters)),
                Format.prefixed(flops), Format.seconds(seconds),
                Self.accuracy(Sample(chains.map(\.accuracy))),
            ])
        }
        return table
    }

    /// `86.41 ± 0.31 % (n = 3)`; without the deviation for a single seed.
    static func accuracy(_ sample: Sample) -> String {
        let deviation = sample.standardDeviation.map { " ± \(Format.percent($0))" } ?? ""
        return "\(Format.percent(sample.mean))\(deviation) % (n = \(sample.count))"
    }

    /// What each round of growth did at each width: means over the seeds; nil if nothing grew.
    package var growthTable: TextTable? {
        var table = TextTable([
            .init("branch"), .init("round", .right), .init("width"), .init("change"), .init("n", .right),
            .init("neurons added", .right), .init("amplitude", .right), .init("predicted decrease", .right),
            .init("realised decrease", .right), .init("bottleneck / gradient", .right), .init("note"),
        ])
        for (name, chains) in branches {
            let groups = Dictionary(grouping: chains.flatMap(\.growth)) {
                GrownWidth(round: $0.round, name: $0.width)
            }
            for (width, records) in groups.sorted(by: { $0.key < $1.key }) {
                table.append([name, "\(width.round)", width.name] + Self.means(of: records))
            }
        }
        return table.rows.isEmpty ? nil : table
    }

    private struct GrownWidth: Hashable, Comparable {
        let round: Int
        let name: String

        static func < (left: GrownWidth, right: GrownWidth) -> Bool {
            (left.round, left.name) < (right.round, right.name)
        }
    }

    private static func means(of records: [GrowthRecord]) -> [String] {
        func mean(_ value: (GrowthRecord) -> Double, digits: Int = 3) -> String {
            Format.significant(Sample(records.map(value).filter(\.isFinite)).mean, digits: digits)
        }
        var notes: [String] = []
        for record in records where !record.note.isEmpty && !notes.contains(record.note) {
            notes.append(record.note)
        }
        let changes = Set(records.map { $0.change?.rawValue ?? Format.absent }).sorted()
        return [
            changes.joined(separator: ", "), "\(records.count)", mean({ Double($0.neurons) }, digits: 4),
            mean { $0.amplitude },
            mean { $0.predictedDecrease ?? .nan }, mean { $0.realizedDecrease },
            mean { $0.gradientNorm > 0 ? $0.bottleneck / $0.gradientNorm : .nan },
            notes.joined(separator: "; "),
        ]
    }
}

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
