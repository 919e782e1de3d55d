internal import HDF5
internal import Training

extension ArtifactSummary {
    /// - Parameter classes: their names, where they are known.
    mutating func write(evaluation file: borrowing File, classes: [String]?) throws {
        let (accuracy, loss) = try Evaluation.summary(reading: file)
        let perClass = try file.float64("per_class", shape: [nil]).values
        let confusion = try file.int64("confusion", shape: [perClass.count, perClass.count]).values
        let names = classes?.count == perClass.count ? classes ?? [] : perClass.indices.map { "class \($0)" }
        section("evaluation on the test split")
        let mirrored = try Evaluation.mirrored(reading: file).map {
            [
                ("with mirror images", Format.percent($0.accuracy) + " %"),
                ("loss with them", Format.significant($0.loss, digits: 4) + " nats per sample"),
            ]
        }
        facts(
            [
                ("accuracy", Format.percent(accuracy) + " %"),
                ("loss", Format.significant(loss, digits: 4) + " nats per sample"),
            ] + (mirrored ?? []) + [
                ("samples", Format.count(Int(confusion.reduce(0, &+)))),
                (
                    "calibration error",
                    Format.percent(try file.real("expected_error", of: "calibration")) + " %"
                ),
            ])
        section("accuracy of each class")
        var table = TextTable([.init("class"), .init(""), .init("%", .right)])
        for (name, share) in zip(names, perClass) {
            table.append([name, Bars.bar(share), Format.percent(share)])
        }
        add(table, showsTitles: false)
        write(worstPairsOf: confusion, names)
    }

    private mutating func write(worstPairsOf confusion: [Int64], _ names: [String]) {
        let pairs = confusion.enumerated().compactMap { index, count -> (Int, Int, Int64)? in
            let (label, prediction) = (index / names.count, index % names.count)
            return label == prediction || count <= 0 ? nil : (label, prediction, count)
        }
        guard !pairs.isEmpty else { return section("no sample is classified wrongly") }
        section("most frequent confusions")
        var table = TextTable([
            .init("samples", .right), .init("of", .right), .init("are"), .init("taken for"),
        ])
        for (label, prediction, count) in pairs.sorted(by: { ($1.2, $0.0, $0.1) < ($0.2, $1.0, $1.1) })
            .prefix(5)
        {
            let row = confusion[label * names.count..<(label + 1) * names.count]
            table.append(["\(count)", "\(row.reduce(0, &+))", names[label], names[prediction]])
        }
        add(table)
    }
}
