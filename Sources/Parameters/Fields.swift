/// Strict reading of one map: each key is asked for, and what nobody asked for is an error.
///
/// The order of the calls is the order in the documentation; every call explains its field.
package struct Fields {
    let tree: Tree
    let file: String
    let path: String
    private var known: [String] = []
    /// nil: values are read. Otherwise nothing is, and every call adds to the list.
    private(set) var described: [FieldDescription]?

    /// - Parameters:
    ///   - tree: a map; nothing at all (`tune:` with no value) counts as an empty one.
    ///   - path: where the map stands in the file, for messages.
    /// - Throws: `ParameterError.wrongType` for anything else.
    package init(_ tree: Tree, file: String, path: String = "") throws {
        guard tree.isNull || tree.entries != nil else {
            throw ParameterError.wrongType(
                Place(file: file, line: tree.line, path: path), found: tree.summary,
                allowed: "a map of keys and values")
        }
        self.tree = tree
        self.file = file
        self.path = path
    }

    /// Describes instead of reading: every field gets its default, or a value in its range.
    init(describing path: String) {
        tree = .empty
        file = ""
        self.path = path
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
    /// Say what is wrong with it by `failure(_:found:allowed:)`.
    package mutating func tree(
        _ key: String, allowed: String = "", default: String? = nil, _ help: String = ""
    ) -> Tree? {
        noteKnown(key)
        if !help.isEmpty { describe(key, allowed: allowed, default: `default`, help) }
        return value(key)
    }

    /// An error about one field, at its line, for checks that need more than a range.
    package func failure(_ key: String, found: String, allowed: String) -> ParameterError {
        .notAllowed(place(key), found: found, allowed: allowed)
    }

    /// - Throws: `ParameterError.unknownKey` for the first key that was not asked for.
    package func finish() throws {
        guard described == nil else { return }
        for entry in tree.entries ?? [] where !known.contains(entry.key) {
            let place = Place(file: file, line: entry.line ?? entry.value.line, path: fullPath(entry.key))
            throw ParameterError.unknownKey(place, allowed: known)
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
        if described != nil {
            var fields = Fields(describing: fullPath(key))
            defer { described?.append(contentsOf: fields.descriptions) }
            return try P(fields: &fields)
        }
        let given = value(key)
        if given == nil, let `default` { return `default` }
        let map = given ?? Tree(.map([]), line: tree.line)
        return try P(tree: map, file: file, path: fullPath(key))
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
    case element(Int, Tree, type: String? = nil, range: String? = nil)
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
            guard let `default` else {
                throw ParameterError.missing(place(key), allowed: "\(allowed) (\(help))")
            }
            return `default`
        }
        do {
            return try convert(value)
        } catch let refusal as Refusal {
            throw error(refusal, place(key), value, allowed)
        }
    }

    private func error(_ refusal: Refusal, _ place: Place, _ value: Tree, _ allowed: String) -> ParameterError
    {
        switch refusal {
        case .type(let wanted): return .wrongType(place, found: value.summary, allowed: wanted)
        case .range: return .outOfRange(place, found: value.summary, allowed: allowed)
        case .choice(let found, let names): return .notAChoice(place, found: found, allowed: names)
        case .element(let index, let element, let type, let range):
            let place = Place(file: file, line: element.line ?? place.line, path: "\(place.path)[\(index)]")
            if let range { return .outOfRange(place, found: element.summary, allowed: range) }
            return .wrongType(place, found: element.summary, allowed: type ?? allowed)
        }
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
