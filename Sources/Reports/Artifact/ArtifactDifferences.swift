internal import Artifacts
internal import Foundation
internal import HDF5
internal import Parameters

/// What differs between two artifacts: what `artifact diff` prints.
package struct ArtifactDifferences: Equatable, Sendable {
    /// Something that is not the same in both files.
    package struct Difference: Equatable, Sendable {
        /// The place: `parameters.seed`, `architecture.nodes.0.width`, `/history/loss`.
        package var path: String
        /// What it is in the first file and in the second.
        package var description: String
    }

    /// Header and attributes first, then datasets, each sorted by path.
    package private(set) var differences: [Difference] = []
    /// The files differ in nothing but how the same content is laid out.
    package private(set) var isEqualContentInOtherBytes = false

    package var isEmpty: Bool { differences.isEmpty && !isEqualContentInOtherBytes }

    /// One line per difference.
    package var text: String {
        if isEqualContentInOtherBytes { return "the content is equal, the bytes are not\n" }
        var table = TextTable([.init(""), .init("")])
        for difference in differences { table.append([difference.path, difference.description]) }
        return table.aligned(showsTitles: false)
    }

    /// Compares two artifacts whole.
    ///
    /// - Throws: `ArtifactError`, `HDF5Error` for a file that cannot be read.
    /// - Complexity: both files in memory at once.
    package init(between first: ArtifactLocation, and second: ArtifactLocation) throws {
        if first.digest == second.digest { return }
        let left = try Self.content(of: first)
        let right = try Self.content(of: second)
        compareAttributes(left, right, path: "")
        compareDatasets(left, right, path: "")
        isEqualContentInOtherBytes = differences.isEmpty
    }

    private static func content(of location: ArtifactLocation) throws -> Group {
        let file = try File(reading: location.path)
        _ = try Header(reading: file)
        return try file.group()
    }

    private mutating func add(_ path: String, _ left: String, _ right: String) {
        differences.append(Difference(path: path, description: "\(left) → \(right)"))
    }

    // MARK: Attributes

    private mutating func compareAttributes(_ left: Group, _ right: Group, path: String) {
        compare(left.attributes, right.attributes, path: path)
        for name in Set(left.groups.keys).intersection(right.groups.keys).sorted() {
            guard let below = left.groups[name], let other = right.groups[name] else { continue }
            compareAttributes(below, other, path: "\(path)/\(name)")
        }
    }

    private mutating func compare(_ left: [String: Attribute], _ right: [String: Attribute], path: String) {
        for name in Set(left.keys).union(right.keys).sorted() where left[name] != right[name] {
            if let before = Self.tree(left[name]), let after = Self.tree(right[name]) {
                compare(before, after, path: path.isEmpty ? name : "\(path)@\(name)")
            } else {
                add("\(path.isEmpty ? "/" : path)@\(name)", Self.shown(left[name]), Self.shown(right[name]))
            }
        }
    }

    /// The map that an attribute holds as JSON: parameters, inputs, the graph.
    private static func tree(_ attribute: Attribute?) -> Tree? {
        guard case .text(let json)? = attribute, json.hasPrefix("{") else { return nil }
        return try? Tree(json: json, file: "")
    }

    private mutating func compare(_ left: Tree?, _ right: Tree?, path: String) {
        guard left != right else { return }
        if let before = left?.children, let after = right?.children {
            for key in Set(before.keys).union(after.keys).sorted(by: Self.precedes) {
                compare(before[key], after[key], path: "\(path).\(key)")
            }
        } else {
            add(path, left.map(Self.shown) ?? "absent", right.map(Self.shown) ?? "absent")
        }
    }

    /// Positions in lists as numbers, names as texts.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        if let left = Int(left), let right = Int(right) { return left < right }
        return left < right
    }

    private static func shown(_ tree: Tree) -> String { shortened(tree.canonicalJSON) }

    private static func shown(_ attribute: Attribute?) -> String {
        switch attribute {
        case .text(let value)?: shortened("'\(value)'")
        case .integer(let value)?: "\(value)"
        case .real(let value)?: "\(value)"
        case .texts(let values)?: shortened("\(values)")
        case .integers(let values)?: shortened("\(values)")
        case .reals(let values)?: shortened("\(values)")
        case nil: "absent"
        }
    }

    private static func shortened(_ text: String) -> String {
        text.count <= 80 ? text : "\(text.prefix(77))…"
    }

    // MARK: Datasets

    private mutating func compareDatasets(_ left: Group, _ right: Group, path: String) {
        for name in Set(left.datasets.keys).union(right.datasets.keys).sorted() {
            compare(left.datasets[name], right.datasets[name], path: "\(path)/\(name)")
        }
        for name in Set(left.groups.keys).union(right.groups.keys).sorted() {
            let below = "\(path)/\(name)"
            switch (left.groups[name], right.groups[name]) {
            case (let before?, let after?): compareDatasets(before, after, path: below)
            case (_?, nil): add(below, "a group", "absent")
            case (nil, _): add(below, "absent", "a group")
            }
        }
    }

    private mutating func compare(_ left: Dataset?, _ right: Dataset?, path: String) {
        guard let left, let right else {
            return add(path, left.map(Self.shown) ?? "absent", right.map(Self.shown) ?? "absent")
        }
        compare(left.attributes, right.attributes, path: path)
        guard left.shape == right.shape, left.values.type == right.values.type else {
            return add(path, Self.shown(left), Self.shown(right))
        }
        if let distance = Distance(left.values, right.values) {
            differences.append(Difference(path: path, description: distance.description))
        }
    }

    private static func shown(_ dataset: Dataset) -> String {
        "\(dataset.values.type) \(dataset.shape)"
    }
}

extension Tree {
    /// What a map or a list holds, by key or position.
    fileprivate var children: [String: Tree]? {
        if let list { return Dictionary(uniqueKeysWithValues: list.enumerated().map { ("\($0)", $1) }) }
        return entries.map {
            Dictionary($0.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        }
    }
}

/// How far two arrays of the same shape and type are apart.
struct Distance: Equatable, CustomStringConvertible {
    /// Elements that are not equal; two NaN are.
    private(set) var different = 0
    /// max |a − b|; infinite where just one of them is NaN.
    private(set) var absolute = 0.0
    /// max |a − b| / max(|a|, |b|).
    private(set) var relative = 0.0
    private let count: Int

    /// nil if all elements are equal.
    init?(_ left: Dataset.Values, _ right: Dataset.Values) {
        count = left.count
        switch (left, right) {
        case (.uint8(let left), .uint8(let right)): add(left, right) { Double($0) }
        case (.int64(let left), .int64(let right)): add(left, right) { Double($0) }
        case (.float32(let left), .float32(let right)): add(left, right) { Double($0) }
        case (.float64(let left), .float64(let right)): add(left, right) { $0 }
        default: preconditionFailure("values of one type, not \(left.type) and \(right.type)")
        }
        if different == 0 { return nil }
    }

    private mutating func add<T: Equatable>(_ left: [T], _ right: [T], _ number: (T) -> Double) {
        for (a, b) in zip(left, right) where a != b {
            let (x, y) = (number(a), number(b))
            if x.isNaN && y.isNaN { continue }
            let distance = x.isNaN || y.isNaN ? .infinity : abs(x - y)
            let size = max(abs(x), abs(y))
            different += 1
            absolute = max(absolute, distance)
            relative = max(relative, distance.isFinite && size.isFinite ? distance / size : .infinity)
        }
    }

    var description: String {
        "\(Format.count(different)) of \(Format.count(count)) elements differ, at most by "
            + "\(Format.significant(absolute, or: "∞")), relatively by \(Format.significant(relative, or: "∞"))"
    }
}

extension Format {
    fileprivate static func significant(_ value: Double, or infinite: String) -> String {
        value.isFinite ? significant(value) : infinite
    }
}
