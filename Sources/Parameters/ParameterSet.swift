/// A group of parameters with a strict reader.
///
/// Reading what was encoded gives an equal value. Two sets are equal that say the same.
package protocol ParameterSet: Equatable, Sendable {
    /// What is read, described and encoded, in this order.
    static var schema: Schema<Self> { get }
}

/// What a user may write for one key.
package struct FieldDescription: Sendable, Equatable {
    /// Dotted below the parameter set: `optimizer.rate`.
    package var key: String
    /// `0…64`, `tiny, gradmax`, `true or false`.
    package var allowed: String
    /// nil: it must be given.
    package var defaultValue: String?
    package var help: String

    package init(key: String, allowed: String, defaultValue: String?, help: String) {
        self.key = key
        self.allowed = allowed
        self.defaultValue = defaultValue
        self.help = help
    }
}

extension ParameterSet {
    /// Every default; what must be given has a value that stands for none.
    package init() { self = Self.schema.defaults }

    /// Reads the whole of a map.
    ///
    /// - Parameters:
    ///   - file: the name that messages use.
    ///   - path: where `tree` stands in that file.
    /// - Throws: `ParameterError` for everything that is wrong.
    package init(tree: Tree, file: String, path: String = "") throws {
        self = try Fields.reading(tree, file: file, path: path) { try Self(fields: &$0) }
    }

    /// A field that was refused has its default or a value in its range.
    package init(fields: inout Fields) throws { self = try Self.schema.read(&fields) }

    /// The set as a tree, every default filled in.
    package var tree: Tree { Tree(.map(Self.schema.entries(of: self))) }

    /// Every key of the set with its range, default and explanation, in reading order.
    package static var documentation: [FieldDescription] {
        var fields = Fields(describing: "")
        _ = try? Self(fields: &fields)
        return fields.descriptions
    }

    package static func == (left: Self, right: Self) -> Bool { left.tree == right.tree }
}
