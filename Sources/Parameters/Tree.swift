/// A parsed YAML or JSON value that remembers the line it was written in.
///
/// Two trees are equal when they say the same: lines and the order of a map's keys do not count, and `1.0` is `1`.
package struct Tree: Sendable {
    package enum Content: Sendable {
        case null
        case boolean(Bool)
        case integer(Int)
        case real(Double)
        case text(String)
        case list([Tree])
        case map([Entry])
    }

    /// One key of a map, with the line of the key.
    package struct Entry: Sendable {
        package var key: String
        package var value: Tree
        package var line: Int?
        /// Whether the value stands for the whole map: `cosine` for `{kind: cosine}`.
        var isAlone = false

        package init(key: String, value: Tree, line: Int? = nil) {
            self.key = key
            self.value = value
            self.line = line
        }
    }

    package var content: Content
    /// Counted from 1; nil for a value that was not read from a file.
    package var line: Int?
    /// As `line`.
    package var column: Int?

    package init(_ content: Content, line: Int? = nil, column: Int? = nil) {
        self.content = content
        self.line = line
        self.column = column
    }

    package init(_ integers: [Int]) { self.init(.list(integers.map { Tree(.integer($0)) })) }

    /// A map with nothing in it.
    package static let empty = Tree(.map([]))

    /// A file may nest lists and maps at most this deep.
    package static let maximumDepth = 64

    /// Whether a dotted path leads no deeper than a file may nest.
    package static func isPath(_ path: String) -> Bool {
        path.utf8.count { $0 == UInt8(ascii: ".") } < maximumDepth
    }
}

// MARK: - What is inside

extension Tree {
    package var isNull: Bool {
        if case .null = content { true } else { false }
    }

    package var boolean: Bool? {
        if case .boolean(let value) = content { value } else { nil }
    }

    /// A whole number, also when it is written as `1e4` or `10000.0`.
    package var integer: Int? {
        switch content {
        case .integer(let value): value
        case .real(let value): Int(exactly: value)
        default: nil
        }
    }

    package var real: Double? {
        switch content {
        case .integer(let value): Double(value)
        case .real(let value): value
        default: nil
        }
    }

    package var text: String? {
        if case .text(let value) = content { value } else { nil }
    }

    package var list: [Tree]? {
        if case .list(let elements) = content { elements } else { nil }
    }

    /// The keys of a map in the order they were written; nil for anything else.
    package var entries: [Entry]? {
        if case .map(let entries) = content { entries } else { nil }
    }

    /// What it is, for a message: `'tinny'`, `7`, `a list of 3`, `nothing`.
    package var summary: String {
        switch content {
        case .null: "nothing"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): value.count <= 60 ? "'\(value)'" : "'\(value.prefix(57))…'"
        case .list(let elements): "a list of \(elements.count)"
        case .map(let entries): entries.isEmpty ? "an empty map" : "a map of \(entries.count)"
        }
    }
}

extension Tree {
    /// The same value as if it had been read from no file.
    package var withoutLines: Tree {
        switch content {
        case .list(let elements): Tree(.list(elements.map(\.withoutLines)))
        case .map(let entries):
            Tree(.map(entries.map { Entry(key: $0.key, value: $0.value.withoutLines) }))
        default: Tree(content)
        }
    }
}

// MARK: - Paths

extension Tree {
    /// The value at a dotted path such as `growth.method`.
    ///
    /// Setting makes the maps on the way, replacing what is there and not a map; setting nil removes the key.
    package subscript(path: String) -> Tree? {
        get {
            self[path.split(separator: ".", omittingEmptySubsequences: false)]
        }
        set {
            set(path.split(separator: ".", omittingEmptySubsequences: false), to: newValue)
        }
    }

    private subscript(keys: [Substring]) -> Tree? {
        guard let key = keys.first else { return self }
        guard let entry = entries?.first(where: { $0.key == key }) else { return nil }
        return keys.count == 1 ? entry.value : entry.value[Array(keys.dropFirst())]
    }

    private mutating func set(_ keys: [Substring], to value: Tree?) {
        guard let key = keys.first else { return }
        var entries = entries ?? []
        let index = entries.firstIndex { $0.key == key }
        var child: Tree? = value
        if keys.count > 1 {
            var inner = index.map { entries[$0].value } ?? Tree(.map([]), line: value?.line)
            inner.set(Array(keys.dropFirst()), to: value)
            child = inner
        }
        switch (index, child) {
        case (let index?, let child?):
            entries[index].value = child
            if keys.count == 1 { entries[index].line = child.line }
        case (nil, let child?): entries.append(Entry(key: String(key), value: child, line: child.line))
        case (let index?, nil): entries.remove(at: index)
        case (nil, nil): return
        }
        content = .map(entries)
    }

    /// This tree laid over another: maps merge key by key, everything else replaces what was there.
    package func merged(over base: Tree) -> Tree {
        guard let above = entries, var merged = base.entries else { return self }
        for entry in above {
            if let index = merged.firstIndex(where: { $0.key == entry.key }) {
                merged[index].value = entry.value.merged(over: merged[index].value)
                merged[index].line = entry.line
            } else {
                merged.append(entry)
            }
        }
        return Tree(.map(merged), line: base.line, column: base.column)
    }
}

// MARK: - Equality

extension Tree: Equatable {
    package static func == (left: Tree, right: Tree) -> Bool {
        left.content == right.content
    }
}

extension Tree.Content: Equatable {
    package static func == (left: Tree.Content, right: Tree.Content) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.boolean(let a), .boolean(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.real(let a), .real(let b)): a == b
        case (.integer(let a), .real(let b)), (.real(let b), .integer(let a)): Int(exactly: b) == a
        case (.text(let a), .text(let b)): a == b
        case (.list(let a), .list(let b)): a == b
        case (.map(let a), .map(let b)): Tree.sameEntries(a, b)
        default: false
        }
    }
}

extension Tree.Entry: Equatable {
    package static func == (left: Tree.Entry, right: Tree.Entry) -> Bool {
        left.key == right.key && left.value == right.value
    }
}

extension Tree {
    fileprivate static func sameEntries(_ left: [Entry], _ right: [Entry]) -> Bool {
        guard left.count == right.count else { return false }
        return left.sorted { $0.key < $1.key } == right.sorted { $0.key < $1.key }
    }
}
