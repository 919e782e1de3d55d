internal import Artifacts
internal import Datasets
internal import Files
internal import Foundation
internal import HDF5
internal import Parameters

/// What an artifact is, as text for a terminal: what `artifact show` prints.
package struct ArtifactSummary {
    /// The text, which ends with a line break.
    package private(set) var text = ""

    /// Reads an artifact of any kind and describes it.
    ///
    /// - Throws: `ArtifactError`, `HDF5Error` and the error of the kind's own module for files that are not as they
    ///   should be.
    package init(of location: ArtifactLocation) throws {
        let file = try File(reading: location.path)
        let header = try Header(reading: file)
        writeTitle(location, header)
        switch header.kind {
        case .network: try write(network: file)
        case .bottlenecks: try write(bottlenecks: file)
        case .evaluation: try write(evaluation: file, classes: Self.classes(of: header, location))
        case .dataset: try write(dataset: file)
        }
        writeParameters(header.parameters)
        write(try Provenance(of: location.digest, header: header, root: location.root), location)
    }

    // MARK: Pieces

    mutating func section(_ title: String) { text += "\n\(title)\n" }

    mutating func line(_ content: String) { text += "  \(content)\n" }

    mutating func add(_ table: TextTable, showsTitles: Bool = true) {
        text += table.aligned(indent: "  ", showsTitles: showsTitles)
    }

    /// Names and values in two columns.
    mutating func facts(_ facts: [(String, String)]) {
        var table = TextTable([.init(""), .init("")])
        for (name, value) in facts { table.append([name, value]) }
        add(table, showsTitles: false)
    }

    // MARK: What every artifact has

    private mutating func writeTitle(_ location: ArtifactLocation, _ header: Header) {
        text = "\(location.step ?? location.name): \(header.kind.rawValue), made by \(header.stage)\n"
        let size = (try? FileManager.default.attributesOfItem(atPath: location.path)[.size]) as? Int
        facts([("sha256", location.digest.hexadecimal), ("size", size.map(Format.bytes) ?? Format.absent)])
    }

    private mutating func writeParameters(_ parameters: Tree) {
        guard parameters != .empty else { return }
        section("parameters")
        facts(parameters.leaves.map { ($0.path, $0.value.canonicalJSON) })
    }

    private mutating func write(_ provenance: Provenance, _ location: ArtifactLocation) {
        section(
            location.root == nil
                ? "provenance (not in a store: what the file says itself)"
                : "provenance (newest first; `artifact show` takes the names)")
        var table = TextTable([
            .init("object"), .init("stage"), .init("step"), .init("seconds", .right), .init("made from"),
        ])
        for origin in provenance.origins {
            let inputs = (origin.header?.inputs ?? [:]).sorted { $0.key < $1.key }
            let step = Self.nearest(of: origin.steps, to: location.step) ?? Format.absent
            let more = origin.steps.count > 1 ? " (+ \(origin.steps.count - 1))" : ""
            table.append([
                origin.digest.short, origin.header?.stage ?? "not in the store", step + more,
                origin.record.map { Format.seconds($0.measurements.seconds) } ?? Format.absent,
                inputs.map { "\($0.key) \($0.value.short)" }.joined(separator: ", "),
            ])
        }
        add(table)
    }

    /// Of the steps that share an object, the one itself or the one of the same chain.
    private static func nearest(of steps: [String], to step: String?) -> String? {
        guard let step else { return steps.first }
        let chain = step.prefix(through: step.lastIndex(of: "/") ?? step.startIndex)
        return steps.first { $0 == step } ?? steps.first { $0.hasPrefix(chain) } ?? steps.first
    }

    /// The names of the classes, from the dataset the evaluation is made from, if the store has it.
    private static func classes(of header: Header, _ location: ArtifactLocation) -> [String]? {
        guard let root = location.root, let dataset = header.inputs["dataset"] else { return nil }
        guard let file = try? File(reading: Store(root: root).objectPath(dataset)),
            case .texts(let names)? = try? file.attribute("names", of: "/classes")
        else { return nil }
        return names
    }
}

extension Tree {
    /// Everything that is not a map, with its dotted path, sorted by path.
    var leaves: [(path: String, value: Tree)] {
        guard let entries, !entries.isEmpty else { return [("", self)] }
        return entries.sorted { $0.key < $1.key }.flatMap { entry in
            entry.value.leaves.map { leaf in
                (leaf.path.isEmpty ? entry.key : "\(entry.key).\(leaf.path)", leaf.value)
            }
        }
    }
}

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
