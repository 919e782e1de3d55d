extension Tree {
    /// A YAML file may be at most this long, in bytes.
    package static let maximumYAMLSize = 1 << 20

    /// A map of a YAML file may have at most this many keys.
    package static let maximumKeys = 10_000

    /// Reads one YAML document.
    ///
    /// What YAML allows and an experiment does not need is refused: duplicate keys, anchors and aliases, tags, merge
    /// keys, several documents, deep nesting. Unquoted `true`, `false`, `null`, `~` and decimal numbers have their
    /// meaning, `yes` and `on` are text.
    ///
    /// - Parameters:
    ///   - yaml: the text, at most 1 MiB.
    ///   - file: the name that messages use.
    /// - Throws: `ParameterError` with the line; `.several` for everything that is wrong.
    package init(yaml: String, file: String) throws {
        let document = try Document(yaml: yaml, file: file)
        try document.findings.throwIfAny()
        self = document.tree
    }

    /// Reads a YAML file.
    ///
    /// - Throws: `FileError`; `ParameterError`, also when the file is too long or not UTF-8.
    package init(yamlFile file: String) throws {
        try self.init(yaml: Self.text(ofFile: file, limit: Self.maximumYAMLSize), file: file)
    }
}

/// A YAML file's tree, and what is wrong with single values in it: whoever reads the tree goes on, and reports all.
package struct Document {
    package var tree: Tree
    package let file: String
    let findings: Findings

    /// A document that was put together here.
    package init(_ tree: Tree, file: String) {
        self.tree = tree
        self.file = file
        findings = Findings()
    }

    /// - Throws: `ParameterError` where the text cannot be read to its end.
    package init(yamlFile file: String) throws {
        try self.init(yaml: Tree.text(ofFile: file, limit: Tree.maximumYAMLSize), file: file)
    }

    /// - Throws: `ParameterError` where the text cannot be read to its end.
    package init(yaml: String, file: String) throws {
        guard yaml.utf8.count <= Tree.maximumYAMLSize else {
            throw ParameterError.tooLong(file: file, limit: Tree.maximumYAMLSize)
        }
        self.file = file
        let findings = Findings()
        self.findings = findings
        var text = yaml
        tree = try text.withUTF8 { bytes in
            let events = YAMLEvents(bytes, file: file)
            do {
                return try YAMLReader(events: events, file: file, findings: findings).document()
            } catch let error as ParameterError {
                findings.add(error)
                throw findings.error ?? error
            }
        }
    }
}

/// Builds a tree from events, refusing what is not wanted before anything is made of it.
private struct YAMLReader {
    let events: YAMLEvents
    let file: String
    let findings: Findings

    func document() throws -> Tree {
        guard let first = try events.next() else { return Tree(.null, line: 1) }
        let tree = try value(first, path: "", depth: 0)
        if let more = try events.next() {
            throw ParameterError.syntax(
                file: file, line: more.line, problem: "a second document starts here; one file holds one")
        }
        return tree
    }

    private func value(_ event: YAMLEvents.Event, path: String, depth: Int) throws -> Tree {
        guard depth <= Tree.maximumDepth else {
            throw ParameterError.syntax(
                file: file, line: event.line, problem: "nested deeper than \(Tree.maximumDepth) levels")
        }
        if event.hasAnchor { throw refused("anchors (&) and aliases (*)", event) }
        if let tag = event.tag { findings.add(refused("tags (\(Lookalike.visible(tag)))", event), at: event) }
        var tree = Tree(.null, line: event.line, column: event.column)
        switch event.content {
        case .quoted(let text): tree.content = .text(text)
        case .plain(let text): tree.content = plain(text, event, path)
        case .listStart: tree.content = .list(try elements(path: path, depth: depth))
        case .mapStart: tree.content = .map(try entries(path: path, depth: depth))
        case .end: throw ParameterError.syntax(file: file, line: event.line, problem: "a value is missing")
        }
        return tree
    }

    private func plain(_ text: String, _ event: YAMLEvents.Event, _ path: String) -> Tree.Content {
        do {
            return try PlainScalar(text).content(at: Place(file: file, line: event.line, path: path))
        } catch {
            findings.add(error, at: event)
            return .null
        }
    }

    private func elements(path: String, depth: Int) throws -> [Tree] {
        var elements: [Tree] = []
        while let event = try events.next(), !event.isEnd {
            elements.append(try value(event, path: "\(path)[\(elements.count)]", depth: depth + 1))
        }
        return elements
    }

    private func entries(path: String, depth: Int) throws -> [Tree.Entry] {
        var entries: [Tree.Entry] = []
        var firstLines: [String: Int] = [:]
        while let event = try events.next(), !event.isEnd {
            let key = try key(event)
            let keyPath = path.isEmpty ? key : "\(path).\(key)"
            let place = Place(file: file, line: event.line, path: keyPath)
            guard let next = try events.next() else { break }
            let value = try value(next, path: keyPath, depth: depth + 1)
            if key == "<<" {
                findings.add(refused("merge keys (<<)", event), at: event)
            } else if let first = firstLines[key] {
                findings.add(.duplicateKey(place, firstLine: first), at: event)
            } else {
                firstLines[key] = event.line
                entries.append(Tree.Entry(key: key, value: value, line: event.line))
            }
            guard entries.count <= Tree.maximumKeys else {
                throw ParameterError.syntax(
                    file: file, line: event.line, problem: "more than \(Tree.maximumKeys) keys in one map")
            }
        }
        return entries
    }

    private func key(_ event: YAMLEvents.Event) throws -> String {
        if event.hasAnchor { throw refused("anchors (&) and aliases (*)", event) }
        if let tag = event.tag { findings.add(refused("tags (\(Lookalike.visible(tag)))", event), at: event) }
        switch event.content {
        case .plain(let text), .quoted(let text): return text
        default:
            throw ParameterError.syntax(file: file, line: event.line, problem: "a key must be a single word")
        }
    }

    private func refused(_ construct: String, _ event: YAMLEvents.Event) -> ParameterError {
        .syntax(
            file: file, line: event.line, problem: "\(construct) are not allowed here; write the value out")
    }
}

extension Findings {
    fileprivate func add(_ error: ParameterError, at event: YAMLEvents.Event) {
        add(error, at: Position(line: event.line, column: event.column))
    }
}
