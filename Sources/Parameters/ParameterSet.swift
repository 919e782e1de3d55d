import Foundation

/// A group of parameters with a strict reader.
///
/// Encoding fills every default in, under kebab-case keys (`labelSmoothing` is written `label-smoothing`); reading what
/// was encoded gives an equal value.
package protocol ParameterSet: Encodable, Equatable, Sendable {
    /// Asks `fields` for every key, always in the same order and without skipping keys that other keys make needless.
    /// A field that was refused has its default or a value in its range.
    init(fields: inout Fields) throws
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
    /// Reads the whole of a map.
    ///
    /// - Parameters:
    ///   - file: the name that messages use.
    ///   - path: where `tree` stands in that file.
    /// - Throws: `ParameterError` for everything that is wrong.
    package init(tree: Tree, file: String, path: String = "") throws {
        self = try Fields.reading(tree, file: file, path: path) { try Self(fields: &$0) }
    }

    /// The set as a tree, every default filled in.
    ///
    /// - Throws: `ParameterError.notEncodable` for a number that is not finite.
    package func encodedTree() throws -> Tree {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .custom { path in
            KebabKey(path[path.count - 1].stringValue)
        }
        return try Tree(encoding: self, with: encoder)
    }

    /// The set as a tree, every default filled in. What a strict reader let in can be encoded; a set made in code with
    /// a number that is not finite gives an empty map.
    package var tree: Tree {
        (try? encodedTree()) ?? .empty
    }

    /// Every key of the set with its range, default and explanation, in reading order.
    package static var documentation: [FieldDescription] {
        var fields = Fields(describing: "")
        _ = try? Self(fields: &fields)
        return fields.descriptions
    }
}

/// `labelSmoothing` -> `label-smoothing`; what is kebab-case already stays.
struct KebabKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) {
        stringValue = name.reduce(into: "") { kebab, letter in
            kebab += letter.isUppercase ? "-\(letter.lowercased())" : String(letter)
        }
    }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}
