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

    /// Thrown, and caught, inside a reading: what follows cannot be read without a field that was refused.
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

    /// Ends the reading of this map where a field was refused that decides which others there are.
    package func stop(ifRefused key: String) throws {
        if refused.contains(key) { throw Stop() }
    }

    fileprivate mutating func add(_ error: ParameterError, _ key: String, at value: Tree?) {
        refused.insert(key)
        findings.add(error, at: value?.position, identity: value == nil ? identity(of: key) : nil)
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
        for entry in tree.entries ?? [] where !known.contains(entry.key) {
            let place = Place(file: file, line: entry.line ?? entry.value.line, path: fullPath(entry.key))
            findings.add(.unknownKey(place, allowed: known), at: entry.value.position)
        }
    }
}

// MARK: - Values

extension Fields {
    /// - Parameter default: nil if the key must be given.
    package mutating func integer(
        _ key: String, in range: ClosedRange<Int>, default: Int? = nil, _ help: String
    ) throws -> Int {
        try read(key, allowed: range.text, default: `default`, placeholder: range.nearest(to: 0), help) {
            guard let value = $0.integer else { throw Refusal.type("an integer in \(range.text)") }
            guard range.contains(value) else { throw Refusal.range }
            return value
        }
    }

    /// One of several integers.
    ///
    /// - Precondition: `values` is not empty.
    package mutating func integer(
        _ key: String, among values: [Int], default: Int? = nil, _ help: String
    ) throws -> Int {
        let list = values.map(String.init).joined(separator: ", ")
        return try read(key, allowed: list, default: `default`, placeholder: values[0], help) {
            guard let value = $0.integer else { throw Refusal.type("one of \(list)") }
            guard values.contains(value) else { throw Refusal.choice("\(value)", values.map(String.init)) }
            return value
        }
    }

    /// A finite number; whole numbers may be written without a point.
    package mutating func real(
        _ key: String, in range: ClosedRange<Double>, default: Double? = nil, _ help: String
    ) throws -> Double {
        try read(key, allowed: range.text, default: `default`, placeholder: range.nearest(to: 0), help) {
            guard let value = $0.real else { throw Refusal.type("a number in \(range.text)") }
            guard value.isFinite, range.contains(value) else { throw Refusal.range }
            return value
        }
    }

    package mutating func boolean(_ key: String, default: Bool? = nil, _ help: String) throws -> Bool {
        try read(key, allowed: "true or false", default: `default`, placeholder: false, help) {
            guard let value = $0.boolean else { throw Refusal.type("true or false") }
            return value
        }
    }

    package mutating func text(_ key: String, default: String? = nil, _ help: String) throws -> String {
        try read(key, allowed: "text", default: `default`, placeholder: "", help) {
            guard let value = $0.text else { throw Refusal.type("text (put it in quotes)") }
            return value
        }
    }

    package mutating func choice<C: CaseIterable & RawRepresentable>(
        _ key: String, default: C? = nil, _ help: String
    ) throws -> C where C.RawValue == String {
        guard let first = C.allCases.first else { preconditionFailure("\(C.self) has no cases") }
        let name = try choice(key, among: C.allCases.map(\.rawValue), default: `default`?.rawValue, help)
        return C(rawValue: name) ?? first
    }

    /// One of several names.
    ///
    /// - Precondition: `names` is not empty.
    package mutating func choice(
        _ key: String, among names: [String], default: String? = nil, _ help: String
    ) throws -> String {
        let list = names.joined(separator: ", ")
        return try read(key, allowed: list, default: `default`, placeholder: names[0], help) {
            guard let value = $0.text else { throw Refusal.type("one of \(list)") }
            guard names.contains(value) else { throw Refusal.choice(value, names) }
            return value
        }
    }

    /// A nested map.
    ///
    /// - Parameter default: if nil, a map that is not given is read like an empty one, so that only its own required keys
    ///   are missed.
    package mutating func set<P: ParameterSet>(_ key: String, default: P? = nil, _ help: String) throws -> P {
        noteKnown(key)
        var description = Fields(describing: fullPath(key))
        if described != nil {
            defer { described?.append(contentsOf: description.descriptions) }
            return try P(fields: &description)
        }
        let given = value(key)
        if given == nil, let `default` { return `default` }
        let map = given ?? Tree(.map([]), line: tree.line)
        let result = try inside(map, path: fullPath(key), identity: identity(of: key)) {
            try P(fields: &$0)
        }
        if let result { return result }
        refused.insert(key)
        return try P(fields: &description)
    }
}

extension Fields {
    /// In a description, the fields of one of several alternatives, each with its name before the explanation; while
    /// values are read, nothing.
    package mutating func describeAlternative<P: ParameterSet>(_ name: String, _ type: P.Type) {
        guard described != nil else { return }
        var fields = Fields(describing: path)
        _ = try? P(fields: &fields)
        described?.append(
            contentsOf: fields.descriptions.map { field in
                var field = field
                field.help = "(\(name)) \(field.help)"
                return field
            })
    }
}

// MARK: - How a value is read

/// Why a value is refused, before it is known where it stands.
enum Refusal: Error {
    case type(String)
    case range
    case choice(String, [String])
    case elements([Element])

    /// One element of a list, not in a range, or no such thing at all.
    struct Element {
        var path: String
        var tree: Tree
        var type: String?
        var range: String?
    }
}

extension Fields {
    mutating func read<Value>(
        _ key: String, allowed: String, default: Value?, placeholder: Value, _ help: String,
        _ convert: (Tree) throws -> Value
    ) throws -> Value {
        noteKnown(key)
        describe(key, allowed: allowed, default: `default`.map { "\($0)" }, help)
        if described != nil { return `default` ?? placeholder }
        guard let value = value(key) else {
            if `default` == nil { addMissing(key, allowed: "\(allowed) (\(help))") }
            return `default` ?? placeholder
        }
        do {
            return try convert(value)
        } catch Refusal.elements(let elements) {
            for element in elements { add(error(element, place(key)), key, at: element.tree) }
        } catch let refusal as Refusal {
            add(error(refusal, place(key), value, allowed), key, at: value)
        }
        return `default` ?? placeholder
    }

    /// Refuses a key for not being there.
    package mutating func addMissing(_ key: String, allowed: String) {
        add(.missing(place(key), allowed: allowed), key, at: nil)
    }

    private func error(_ refusal: Refusal, _ place: Place, _ value: Tree, _ allowed: String) -> ParameterError
    {
        switch refusal {
        case .choice(let found, let names): .notAChoice(place, found: found, allowed: names)
        case .type(let wanted): .wrongType(place, found: value.summary, allowed: wanted)
        case .range, .elements: .outOfRange(place, found: value.summary, allowed: allowed)
        }
    }

    private func error(_ element: Refusal.Element, _ whole: Place) -> ParameterError {
        let place = Place(file: file, line: element.tree.line ?? whole.line, path: whole.path + element.path)
        if let range = element.range {
            return .outOfRange(place, found: element.tree.summary, allowed: range)
        }
        return .wrongType(place, found: element.tree.summary, allowed: element.type ?? "allowed here")
    }

    func value(_ key: String) -> Tree? {
        tree.entries?.first { $0.key == key }?.value
    }

    func place(_ key: String) -> Place {
        let entry = tree.entries?.first { $0.key == key }
        return Place(file: file, line: entry?.line ?? entry?.value.line ?? tree.line, path: fullPath(key))
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

extension ClosedRange {
    func nearest(to value: Bound) -> Bound { Swift.min(Swift.max(value, lowerBound), upperBound) }
}

extension ClosedRange where Bound == Int {
    /// `1…64`, `at least 1`, or `3` for a single number.
    var text: String {
        if lowerBound == upperBound { return "\(lowerBound)" }
        if upperBound == .max { return lowerBound == .min ? "the integers" : "\(lowerBound)…" }
        return "\(lowerBound)…\(upperBound)"
    }
}

extension ClosedRange where Bound == Double {
    /// `0…1`, `0…<1` where the last number before 1 is the bound, `above 0` where the first after 0 is.
    fileprivate var text: String {
        let above = lowerBound.nextDown.isWhole && !lowerBound.isWhole
        let below = upperBound.nextUp.isWhole && !upperBound.isWhole
        let lower = Tree(.real(above ? lowerBound.nextDown : lowerBound)).canonicalJSON
        let upper = Tree(.real(below ? upperBound.nextUp : upperBound)).canonicalJSON
        let start = above ? "above \(lower)" : lower
        if upperBound >= .greatestFiniteMagnitude {
            if lowerBound <= -.greatestFiniteMagnitude { return "the finite numbers" }
            return above ? start : "\(start)…"
        }
        if above { return "\(start), \(below ? "below" : "up to") \(upper)" }
        return "\(start)…\(below ? "<" : "")\(upper)"
    }
}

extension Double {
    fileprivate var isWhole: Bool { self == rounded() }
}

extension Tree {
    /// Where it begins in its file.
    var position: Findings.Position? {
        guard let line, let column else { return nil }
        return Findings.Position(line: line, column: column)
    }
}
