/// The fields of a parameter set, each declared once: its key, its property, what is allowed, and what it is for.
///
/// Reading, documentation, encoding and merging follow from it; the properties hold the defaults.
package struct Schema<Root: Sendable>: Sendable {
    package typealias Path<Value> = WritableKeyPath<Root, Value> & Sendable

    /// What a field has that is not given.
    package enum Default<Value>: Sendable {
        case ofProperty
        /// It must be given; the property's value stands for none.
        case required
        /// What follows from the fields above it.
        case following(@Sendable (Root) -> Value)

        func value(_ root: Root, _ path: Path<Value>) -> Value? {
            switch self {
            case .ofProperty: root[keyPath: path]
            case .required: nil
            case .following(let rule): rule(root)
            }
        }
    }

    /// One declaration.
    package struct Field: Sendable {
        let keys: [String]
        let read: @Sendable (inout Fields, inout Root) throws -> Void
        let entries: @Sendable (Root) -> [Tree.Entry]
        /// The value of a key laid over another one; by default it replaces that.
        var merge: @Sendable (_ key: String, _ value: Tree, _ base: Tree) -> Tree = { _, value, _ in value }
        /// The kind that counts where none is named, for the key that names it.
        var defaultKind: String?
    }

    let defaults: Root
    private let fields: [Field]
    private let check: (@Sendable (Root, inout Fields) -> Void)?

    /// - Parameters:
    ///   - defaults: a value whose properties have their defaults.
    ///   - fields: in the order of documentation.
    ///   - check: refuses what does not fit together.
    package init(
        _ defaults: Root, _ fields: Field..., check: (@Sendable (Root, inout Fields) -> Void)? = nil
    ) {
        self.defaults = defaults
        self.fields = fields
        self.check = check
    }

    var keys: [String] { fields.flatMap(\.keys) }

    func read(_ fields: inout Fields) throws -> Root {
        var root = defaults
        for field in self.fields { try field.read(&fields, &root) }
        if !fields.isDescribing { check?(root, &fields) }
        return root
    }

    func entries(of root: Root) -> [Tree.Entry] { fields.flatMap { $0.entries(root) } }
}

// MARK: - Merging

extension Schema {
    /// A map laid over another one, key by key; a value without fields of its own replaces what was there.
    ///
    /// Another kind takes all fields of the kind before it away.
    package func merged(_ tree: Tree, over base: Tree) -> Tree {
        let tree = expanded(tree)
        guard let above = tree.entries, var merged = expanded(base).entries else { return tree }
        if let field = fields.first(where: { $0.defaultKind != nil }), let key = field.keys.first,
            let kind = tree[key]?.text, kind != expanded(base)[key]?.text ?? field.defaultKind
        {
            merged.removeAll { field.keys.contains($0.key) }
        }
        for entry in above {
            if let index = merged.firstIndex(where: { $0.key == entry.key }) {
                let value = merge(entry.key, entry.value, over: merged[index].value)
                merged[index] = entry
                merged[index].value = value
            } else {
                merged.append(entry)
            }
        }
        return Tree(.map(merged), line: base.line, column: base.column)
    }

    fileprivate func merge(_ key: String, _ value: Tree, over base: Tree) -> Tree {
        fields.first { $0.keys.contains(key) }?.merge(key, value, base) ?? value
    }

    /// The name of a kind is short for a map of it with all its defaults: `cosine` for `{kind: cosine}`.
    func expanded(_ tree: Tree) -> Tree {
        guard tree.text != nil, let key = fields.first(where: { $0.defaultKind != nil })?.keys.first else {
            return tree
        }
        var entry = Tree.Entry(key: key, value: tree, line: tree.line)
        entry.isAlone = true
        return Tree(.map([entry]), line: tree.line, column: tree.column)
    }
}

// MARK: - Declarations

extension Schema.Field {
    /// A field that is read in a way of its own.
    ///
    /// - Parameter merge: lays a value over another one; by default it replaces that.
    package init(
        key: String, read: @escaping @Sendable (inout Fields, inout Root) throws -> Void,
        encode: @escaping @Sendable (Root) -> Tree,
        merge: @escaping @Sendable (_ value: Tree, _ base: Tree) -> Tree = { value, _ in value }
    ) {
        self.init(
            keys: [key], read: read, entries: { [Tree.Entry(key: key, value: encode($0))] },
            merge: { merge($1, $2) })
    }

    /// One value.
    package static func field<Value>(
        _ key: String, _ path: Schema.Path<Value>, _ syntax: Syntax<Value>,
        default: Schema.Default<Value> = .ofProperty, _ help: String
    ) -> Self {
        Self(
            key: key,
            read: { fields, root in
                root[keyPath: path] = try fields.read(
                    key, syntax, default: `default`.value(root, path), placeholder: root[keyPath: path], help)
            },
            encode: { syntax.write($0[keyPath: path]) })
    }

    /// One value that is written only where it is not the usual one, for a set whose written form is kept.
    package static func field<Value: Equatable>(
        _ key: String, _ path: Schema.Path<Value>, _ syntax: Syntax<Value>, omitting usual: Value,
        _ help: String
    ) -> Self {
        let field = field(key, path, syntax, help)
        return Self(
            keys: field.keys, read: field.read,
            entries: { $0[keyPath: path] == usual ? [] : field.entries($0) }, merge: field.merge)
    }

    /// A list of parameter sets; see ``Fields/sets(_:atMost:_:type:)``.
    package static func sets<P: ParameterSet>(
        _ key: String, _ path: Schema.Path<[P]>, atMost most: Int, _ help: String
    ) -> Self {
        Self(
            key: key,
            read: { fields, root in root[keyPath: path] = try fields.sets(key, atMost: most, help) },
            encode: { Tree(.list($0[keyPath: path].map(\.tree))) })
    }

    /// A list of maps that must be given; see ``Fields/maps(_:count:allowed:_:_:)``.
    ///
    /// - Parameter body: reads one behind those before it.
    package static func maps<Element>(
        _ key: String, _ path: Schema.Path<[Element]>, count: ClosedRange<Int>, allowed: String,
        _ help: String,
        encode: @escaping @Sendable (Element) -> Tree,
        _ body: @escaping @Sendable (inout Fields, _ before: [Element]) throws -> Element
    ) -> Self {
        Self(
            key: key,
            read: { fields, root in
                var elements: [Element] = []
                root[keyPath: path] = try fields.maps(key, count: count, allowed: allowed, help) {
                    elements.append(try body(&$0, elements))
                    return elements[elements.count - 1]
                }
            },
            encode: { Tree(.list($0[keyPath: path].map(encode))) })
    }

    /// A map of its own under this key.
    ///
    /// - Parameter keys: of the maps, nearest first, that say what this one leaves out.
    package static func set<P: ParameterSet>(
        _ key: String, _ path: Schema.Path<P>, inheriting keys: [String] = []
    ) -> Self {
        Self(
            key: key,
            read: { fields, root in
                let given = ([key] + keys).compactMap { fields.value($0) }.filter { !$0.isNull }
                let tree = given.reversed().reduce(nil as Tree?) { base, tree in
                    base.map { P.schema.merged(tree, over: $0) } ?? tree
                }
                root[keyPath: path] = try fields.set(key, keys.isEmpty ? fields.value(key) : tree)
            },
            encode: { $0[keyPath: path].tree }, merge: { P.schema.merged($0, over: $1) })
    }

    /// A map that may be absent, which is written as null.
    package static func optional<P: ParameterSet>(_ key: String, _ path: Schema.Path<P?>) -> Self {
        Self(
            key: key,
            read: { fields, root in
                if fields.contains(key) { root[keyPath: path] = try fields.set(key) as P }
            },
            encode: { $0[keyPath: path]?.tree ?? Tree(.null) }, merge: { P.schema.merged($0, over: $1) })
    }

    /// A set whose fields stand in this map, side by side with the others.
    package static func inline<P: ParameterSet>(_ path: Schema.Path<P>) -> Self {
        let schema = P.schema
        return Self(
            keys: schema.keys, read: { $1[keyPath: path] = try P(fields: &$0) },
            entries: { schema.entries(of: $0[keyPath: path]) },
            merge: { schema.merge($0, $1, over: $2) })
    }

    /// One of several kinds, named under the key `kind`, and that kind's own fields beside it.
    package static func kind<Member>(
        _ path: Schema.Path<Member>, among kinds: Alternatives<Member>, _ help: String
    ) -> Self {
        let key = "kind"
        return Self(
            keys: [key] + kinds.keys,
            read: { $1[keyPath: path] = try kinds.read(key, &$0, default: $1[keyPath: path], help) },
            entries: {
                let member = kinds.opened($0[keyPath: path])
                return [Tree.Entry(key: key, value: Tree(.text(type(of: member).kind)))] + member.entries
            },
            defaultKind: kinds.names[0])
    }

    /// A key that stands elsewhere: whoever writes it here is told where, as in `belongs to …`.
    package static func misplaced(_ key: String, _ hint: String) -> Self {
        Self(
            keys: [],
            read: { fields, _ in
                if fields.value(key) != nil { fields.refuse(key) { .misplaced($0, hint) } }
            },
            entries: { _ in [] })
    }
}

extension ParameterSet {
    var entries: [Tree.Entry] { Self.schema.entries(of: self) }
}
