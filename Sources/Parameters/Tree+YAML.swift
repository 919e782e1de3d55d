import Foundation
import Yams

extension Tree {
    /// A YAML file may be at most this long, in bytes.
    package static let maximumYAMLSize = 1 << 20

    /// Reads one YAML document.
    ///
    /// What YAML allows and an experiment does not need is refused: duplicate keys, anchors and aliases, tags, merge
    /// keys, several documents, deep nesting. Unquoted `true`, `false`, `null`, `~` and decimal numbers have their
    /// meaning, `yes` and `on` are text.
    ///
    /// - Parameters:
    ///   - yaml: the text, at most 1 MiB.
    ///   - file: the name that messages use.
    /// - Throws: `ParameterError` with the line.
    package init(yaml: String, file: String) throws {
        let reader = YAMLReader(file: file)
        try reader.check(yaml)
        do {
            let parser = try Parser(yaml: yaml, resolver: .basic, encoding: .utf8)
            let root = try parser.singleRoot()
            // Nodes refer weakly to their anchors, which the parser owns.
            self = try withExtendedLifetime(parser) {
                try root.map { try reader.tree($0, path: "", depth: 0) } ?? Tree(.null, line: 1)
            }
        } catch let error as YamlError {
            throw reader.translated(error)
        }
    }

    /// Reads a YAML file.
    ///
    /// - Throws: `ParameterError`, also when the file is missing, too long or not UTF-8.
    package init(yamlFile file: String) throws {
        let text = try Self.text(ofFile: file, limit: Self.maximumYAMLSize)
        try self.init(yaml: text, file: file)
    }

    /// The text of a small file, its size looked at before it is read.
    static func text(ofFile file: String, limit: Int) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw ParameterError.unreadable(file: file, problem: String(cString: strerror(errno)))
        }
        defer { try? handle.close() }
        let data: Data?
        do {
            data = try handle.read(upToCount: limit + 1)
        } catch {
            throw ParameterError.unreadable(file: file, problem: "it cannot be read (is it a folder?)")
        }
        let bytes = data ?? Data()
        guard bytes.count <= limit else { throw ParameterError.tooLong(file: file, limit: limit) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ParameterError.syntax(file: file, line: nil, problem: "the text is not UTF-8")
        }
        return text
    }
}

/// Turns Yams' nodes into trees, refusing what is not wanted.
private struct YAMLReader {
    let file: String

    /// Keeps from the parser what could exhaust it: long texts, and webs of aliases, which it expands when it
    /// compares the keys of a map.
    func check(_ yaml: String) throws {
        guard yaml.utf8.count <= Tree.maximumYAMLSize else {
            throw ParameterError.tooLong(file: file, limit: Tree.maximumYAMLSize)
        }
        var line = 1
        var aliases = 0
        var previous = UInt8(ascii: "\n")
        var beforePrevious = previous
        for byte in yaml.utf8 {
            if previous == UInt8(ascii: "*"), !isSpace(byte), opensToken(beforePrevious) { aliases += 1 }
            guard aliases <= 32 else { throw refused("aliases (*)", line: line) }
            if byte == UInt8(ascii: "\n") { line += 1 }
            (beforePrevious, previous) = (previous, byte)
        }
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte <= UInt8(ascii: " ") }

    private func opensToken(_ byte: UInt8) -> Bool { isSpace(byte) || "[{,".utf8.contains(byte) }

    func tree(_ node: Node, path: String, depth: Int) throws -> Tree {
        let line = node.mark?.line
        guard depth <= Tree.maximumDepth else { throw tooDeep(line: line) }
        if node.anchor != nil { throw refused("anchors (&) and aliases (*)", line: line) }
        switch node {
        case .scalar(let scalar): return Tree(try content(scalar, path: path), line: line)
        case .sequence(let sequence):
            try refuseTag(sequence.tag, line: line)
            let elements = try sequence.map { try tree($0, path: path, depth: depth + 1) }
            return Tree(.list(elements), line: line)
        case .mapping(let mapping):
            try refuseTag(mapping.tag, line: line)
            return Tree(.map(try entries(mapping, path: path, depth: depth)), line: line)
        case .alias: throw refused("anchors (&) and aliases (*)", line: line)
        }
    }

    private func entries(_ mapping: Node.Mapping, path: String, depth: Int) throws -> [Tree.Entry] {
        var firstLines: [String: Int?] = [:]
        return try mapping.map { keyNode, valueNode in
            let line = keyNode.mark?.line
            guard case .scalar(let scalar) = keyNode else {
                throw ParameterError.syntax(file: file, line: line, problem: "a key must be a single word")
            }
            if keyNode.anchor != nil { throw refused("anchors (&) and aliases (*)", line: line) }
            // Yams has marked every key as text when it looked for duplicates.
            try refuseTag(scalar.tag, line: line, except: .str)
            let key = scalar.string
            if key == "<<" { throw refused("merge keys (<<)", line: line) }
            let keyPath = path.isEmpty ? key : "\(path).\(key)"
            if let first = firstLines.updateValue(line, forKey: key) {
                let place = Place(file: file, line: line, path: keyPath)
                throw ParameterError.duplicateKey(place, firstLine: first)
            }
            let value = try tree(valueNode, path: keyPath, depth: depth + 1)
            return Tree.Entry(key: key, value: value, line: line)
        }
    }

    private func content(_ scalar: Node.Scalar, path: String) throws -> Tree.Content {
        let line = scalar.mark?.line
        guard scalar.style == .plain || scalar.style == .any else {
            try refuseTag(scalar.tag, line: line, except: .str)
            return .text(scalar.string)
        }
        try refuseTag(scalar.tag, line: line)
        let place = Place(file: file, line: line, path: path)
        return try PlainScalar(scalar.string).content(at: place)
    }

    private func refuseTag(_ tag: Tag, line: Int?, except allowed: Tag.Name = .implicit) throws {
        let name = tag.description
        guard name.isEmpty || name == allowed.rawValue else { throw refused("tags (\(name))", line: line) }
    }

    private func refused(_ construct: String, line: Int?) -> ParameterError {
        .syntax(file: file, line: line, problem: "\(construct) are not allowed here; write the value out")
    }

    private func tooDeep(line: Int?) -> ParameterError {
        .syntax(file: file, line: line, problem: "nested deeper than \(Tree.maximumDepth) levels")
    }

    func translated(_ error: YamlError) -> ParameterError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            if problem.contains("nesting level") { return tooDeep(line: mark.line) }
            return .syntax(file: file, line: mark.line, problem: problem)
        case .composer(_, let problem, let mark, _):
            let severalDocuments = problem.contains("another document")
            return .syntax(
                file: file, line: mark.line,
                problem: severalDocuments ? "a second document starts here; one file holds one" : problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let place = Place(file: file, line: context.mark.line, path: duplicates.first ?? "")
            return .duplicateKey(place, firstLine: nil)
        case .reader(let problem, let offset, let value, _):
            let position = offset.map { " at byte \($0)" } ?? ""
            return .syntax(file: file, line: nil, problem: "\(problem)\(position) (\(value))")
        default:
            return .syntax(file: file, line: nil, problem: "\(error)")
        }
    }
}
