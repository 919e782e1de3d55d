/// Strict reading of one map: each key is asked for, and what nobody asked for is an error.
///
/// The order of the calls is the order in the documentation; every call explains its field.
///
/// What is wrong with a field is kept, and reading goes on with its default, or a value in its range, so that everything
/// is found at once. ``reading(_:path:_:)`` throws it at the end: nothing that was read from wrong fields leaves it.
package struct Fields {
    let tree: Tree
    let file: String
    let path: String
    /// What the map is where a branch repeats the file's own: the path without the branch.
    private let identity: String
    private let findings: Findings
    private var known: [String] = []
    private var refused: Set<String> = []
    /// nil: values are read. Otherwise nothing is, and every call adds to the list.
    private(set) var described: [FieldDescription]?

    /// Thrown, and caught, inside a reading: what should be a map is none.
    private struct Stop: Error {}

    /// - Parameters:
    ///   - tree: a map; nothing at all (`tune:` with no value) counts as an empty one.
    ///   - path: where the map stands in the file, for messages.
    private init(_ tree: Tree, file: String, path: String, identity: String, findings: Findings) throws {
        self.tree = tree
        self.file = file
        self.path = path
        self.identity = identity
        self.findings = findings
        guard tree.isNull || tree.entries != nil else {
            findings.add(
                .wrongType(
                    Place(file: file, line: tree.line, path: path), found: tree.summary,
                    allowed: "a map of keys and values"), at: tree.position)
            throw Stop()
        }
    }

    /// Describes instead of reading: every field gets its default, or a value in its range.
    init(describing path: String) {
        tree = .empty
        file = ""
        self.path = path
        identity = path
        findings = Findings()
        described = []
    }

    var descriptions: [FieldDescription] { described ?? [] }

    /// Whether fields are only asked for what they allow, not read.
    package var isDescribing: Bool { described != nil }

    /// Whether a key is given and not null. It counts as asked for; the documentation shows it as if it were given.
    package mutating func contains(_ key: String) -> Bool {
        noteKnown(key)
        if described != nil { return true }
        return value(key).map { !$0.isNull } ?? false
    }

    /// The value of a field that has its own syntax, as it was written.
    ///
    /// Say what is wrong with it by ``refuse(_:element:with:found:allowed:)``.
    package mutating func tree(
        _ key: String, allowed: String = "", default: String? = nil, _ help: String = ""
    ) -> Tree? {
        noteKnown(key)
        if !help.isEmpty { describe(key, allowed: allowed, default: `default`, help) }
        return value(key)
    }

    /// Refuses a field for a reason beyond its range, and lets reading go on; it then ends with an error.
    ///
    /// Nothing is said where the field, or one that decides about it, has been refused already.
    ///
    /// - Parameters:
    ///   - element: the part that is wrong, such as `[2]`, if it is not the whole.
    ///   - others: fields whose values the reason depends on.
    package mutating func refuse(
        _ key: String, element: (path: String, tree: Tree)? = nil, with others: [String] = [], found: String,
        allowed: String
    ) {
        refuse(key, element: element, with: others) {
            .notAllowed($0, found: found, allowed: allowed)
        }
    }

    /// As above, with the error that its place makes.
    package mutating func refuse(
        _ key: String, element: (path: String, tree: Tree)? = nil, with others: [String] = [],
        _ error: (Place) -> ParameterError
    ) {
        guard refused.isDisjoint(with: others + [key]) || element != nil else { return }
        var place = place(key)
        if let element {
            place.path += element.path
            place.line = element.tree.line ?? place.line
        }
        add(error(place), key, at: element?.tree ?? value(key))
    }

    /// Whether a field was refused, so that what follows from it cannot be read.
    package func hasRefused(_ key: String) -> Bool { refused.contains(key) }

    mutating func add(_ error: ParameterError, _ key: String, at value: Tree?) {
        refused.insert(key)
        findings.add(error, at: value?.position, identity: value == nil ? identity(of: key) : nil)
    }
}

// MARK: - One key

extension Fields {
    func value(_ key: String) -> Tree? {
        tree.entries?.first { $0.key == key }?.value
    }

    func place(_ key: String) -> Place {
        let entry = tree.entries?.first { $0.key == key }
        return Place(
            file: file, line: entry?.line ?? entry?.value.line ?? tree.line,
            path: entry?.isAlone == true ? path : fullPath(key))
    }

    func fullPath(_ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    func identity(of key: String) -> String {
        identity.isEmpty ? key : "\(identity).\(key)"
    }

    mutating func noteKnown(_ key: String) {
        if !known.contains(key) { known.append(key) }
    }

    mutating func describe(_ key: String, allowed: String, default: String?, _ help: String) {
        let description = FieldDescription(
            key: fullPath(key), allowed: allowed, defaultValue: `default`, help: help)
        described?.append(description)
    }
}

// MARK: - Whole maps

extension Fields {
    /// Reads a file's map, strictly: keys that `body` did not ask for are errors.
    ///
    /// - Parameter path: where the map stands in the file, for messages.
    /// - Throws: `ParameterError` if anything is wrong, `.several` if more than one thing is; what else `body` throws.
    package static func reading<Result>(
        _ document: Document, path: String = "", _ body: (inout Fields) throws -> Result
    ) throws -> Result {
        var result: Result?
        var failure: (any Error)?
        do {
            let root = (document.tree, document.file, path, "")
            result = try read(root, document.findings, body)
        } catch {
            failure = error
        }
        try document.findings.throwIfAny()
        if let failure { throw failure }
        guard let result else { preconditionFailure("a reading that found nothing wrong has no result") }
        return result
    }

    package static func reading<Result>(
        _ tree: Tree, file: String, path: String = "", _ body: (inout Fields) throws -> Result
    ) throws -> Result {
        try reading(Document(tree, file: file), path: path, body)
    }

    /// Reads a map inside this one.
    ///
    /// - Parameters:
    ///   - path: from the root of the file.
    ///   - identity: the path that other readings of the same map share.
    /// - Returns: nil where it could not be read to its end; this reading then ends with an error.
    package func inside<Result>(
        _ tree: Tree, path: String, identity: String? = nil, _ body: (inout Fields) throws -> Result
    ) throws -> Result? {
        try Self.read((tree, file, path, identity ?? path), findings, body)
    }

    private static func read<Result>(
        _ map: (tree: Tree, file: String, path: String, identity: String), _ findings: Findings,
        _ body: (inout Fields) throws -> Result
    ) throws -> Result? {
        do {
            var fields = try Fields(
                map.tree, file: map.file, path: map.path, identity: map.identity, findings: findings)
            let result = try body(&fields)
            fields.refuseUnknownKeys()
            return result
        } catch is Stop {
            return nil
        } catch let error as ParameterError {
            findings.add(error)
            return nil
        }
    }

    private func refuseUnknownKeys() {
        for entry in tree.entries ?? [] where !known.contains(entry.key) && !refused.contains(entry.key) {
            let place = Place(file: file, line: entry.line ?? entry.value.line, path: fullPath(entry.key))
            findings.add(.unknownKey(place, allowed: known), at: entry.value.position)
        }
    }
}

// MARK: - Maps in this one

extension Fields {
    /// A nested map; one that is not given is read like an empty one, so that only its own required keys are missed.
    package mutating func set<P: ParameterSet>(_ key: String, type: P.Type = P.self) throws -> P {
        try set(key, value(key))
    }

    /// A nested map that is `given` in the place of what stands under its key.
    mutating func set<P: ParameterSet>(_ key: String, _ given: Tree?) throws -> P {
        noteKnown(key)
        var description = Fields(describing: fullPath(key))
        if described != nil {
            defer { described?.append(contentsOf: description.descriptions) }
            return try P(fields: &description)
        }
        let map = P.schema.expanded(given ?? Tree(.map([]), line: tree.line))
        let result = try inside(map, path: fullPath(key), identity: identity(of: key)) {
            try P(fields: &$0)
        }
        if let result { return result }
        refused.insert(key)
        return try P(fields: &description)
    }

    /// A list of maps; none if it is not given. What one did not ask for is an error.
    package mutating func sets<P: ParameterSet>(
        _ key: String, atMost most: Int, _ help: String, type: P.Type = P.self
    ) throws -> [P] {
        guard described != nil else {
            noteKnown(key)
            guard value(key) != nil else { return [] }
            return try maps(key, count: 0...most, allowed: "maps with the fields of \(key)[]", help) {
                try P(fields: &$0)
            }
        }
        describe(key, allowed: "a list of maps with the fields below", default: "[]", help)
        var description = Fields(describing: fullPath(key) + "[]")
        _ = try P(fields: &description)
        described?.append(contentsOf: description.descriptions)
        return []
    }

    /// In a description, the fields of several alternatives, each with the names of those that have it.
    mutating func describe(alternatives: [(name: String, fields: [FieldDescription])]) {
        var names: [(field: FieldDescription, names: [String])] = []
        for alternative in alternatives {
            for var field in alternative.fields {
                field.key = fullPath(field.key)
                if let index = names.firstIndex(where: { $0.field == field }) {
                    names[index].names.append(alternative.name)
                } else {
                    names.append((field, [alternative.name]))
                }
            }
        }
        for (var field, names) in names {
            field.help = "(\(names.joined(separator: ", "))) \(field.help)"
            described?.append(field)
        }
    }
}
