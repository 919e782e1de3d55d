/// A group and everything below it, as a value. A file is its root group.
package struct Group: Sendable, Equatable {
    package var attributes: [String: Attribute]
    package var groups: [String: Group]
    package var datasets: [String: Dataset]

    package init(
        attributes: [String: Attribute] = [:], groups: [String: Group] = [:],
        datasets: [String: Dataset] = [:]
    ) {
        self.attributes = attributes
        self.groups = groups
        self.datasets = datasets
    }

    /// The dataset at a path, "train/images". Setting makes the groups on the way; setting nil removes the dataset.
    package subscript(path: String) -> Dataset? {
        get {
            let names = Self.split(path)
            guard let last = names.last else { return nil }
            return self[names.dropLast()].datasets[last]
        }
        set {
            let names = Self.split(path)
            guard let last = names.last else {
                preconditionFailure("the path '\(path)' names the root group, not a dataset")
            }
            guard newValue != nil || self[path] != nil else { return }
            self[names.dropLast()].datasets[last] = newValue
        }
    }

    /// The group at a path, empty if it is not there; "" or "/" is this one. Setting makes the groups on the way.
    package subscript(group path: String) -> Group {
        get { self[Self.split(path)[...]] }
        set { self[Self.split(path)[...]] = newValue }
    }

    private subscript(names: ArraySlice<String>) -> Group {
        get {
            guard let first = names.first else { return self }
            return groups[first]?[names.dropFirst()] ?? Group()
        }
        set {
            guard let first = names.first else { return self = newValue }
            groups[first, default: Group()][names.dropFirst()] = newValue
        }
    }

    /// The names of a path; a leading slash does not matter.
    static func split(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init)
    }
}

/// A small value attached to a group or dataset.
///
/// In the file: fixed-length UTF-8 strings, little-endian 64-bit integers and floating point; scalars, or one dimension.
package enum Attribute: Sendable, Equatable {
    case text(String)
    case integer(Int64)
    case real(Double)
    case texts([String])
    case integers([Int64])
    case reals([Double])

    /// The text, if this is one.
    package var text: String? { if case .text(let value) = self { value } else { nil } }
    /// The integer, if this is one.
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The real number, if this is one.
    package var real: Double? { if case .real(let value) = self { value } else { nil } }

    /// The case in words, for messages.
    package var kind: String {
        switch self {
        case .text: "text"
        case .integer: "integer"
        case .real: "real"
        case .texts: "texts"
        case .integers: "integers"
        case .reals: "reals"
        }
    }
}

extension Attribute: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self = .text(value) }
}
