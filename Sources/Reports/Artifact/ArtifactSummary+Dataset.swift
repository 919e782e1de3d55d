internal import Datasets
internal import HDF5

extension ArtifactSummary {
    mutating func write(dataset file: borrowing File) throws {
        let dataset = try Datasets.Dataset(reading: file)
        section("dataset")
        facts([
            ("title", dataset.identity.title), ("licence", dataset.identity.licence),
            ("citation", dataset.identity.citation),
            (
                "sample",
                dataset.shape.extents.map(String.init).joined(separator: " × ") + " (rows, columns, channels)"
            ),
            (
                "mean",
                dataset.normalization.mean.map { Format.significant(Double($0), digits: 4) }.joined(
                    separator: ", ")
            ),
            (
                "deviation",
                dataset.normalization.standardDeviation.map { Format.significant(Double($0), digits: 4) }
                    .joined(separator: ", ")
            ),
        ])
        section("samples")
        var table = TextTable([
            .init("class"), .init("training", .right), .init("validation", .right), .init("test", .right),
        ])
        let counts = [dataset.train, dataset.validation, dataset.test].map { split in
            split.labels.reduce(into: [Int](repeating: 0, count: dataset.classes.count)) { $0[Int($1)] += 1 }
        }
        for (index, name) in dataset.classes.enumerated() {
            table.append([name] + counts.map { Format.count($0[index]) })
        }
        table.append(["total"] + counts.map { Format.count($0.reduce(0, +)) })
        add(table)
    }
}
