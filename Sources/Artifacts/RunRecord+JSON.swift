import Files
import Parameters

extension RunRecord {
    /// Reads runs/<key>.json.
    ///
    /// - Throws: `FileError.missing` or `.invalidRecord`.
    package init(reading path: String) throws {
        let text = try FileSystem.text(of: path)
        do {
            try self.init(RecordFields(Tree(json: text, file: path), path: path))
        } catch let error as ParameterError {
            throw ArtifactError.invalidRecord(path: path, found: "\(error)")
        }
    }

    /// The record as canonical JSON.
    package var canonicalJSON: String {
        let entries = [
            Tree.Entry(key: "bytes", value: Tree(.integer(bytes))),
            Tree.Entry(key: "measurements", value: measurements.tree),
            Tree.Entry(key: "output", value: Tree(.text(output.hexadecimal))),
            Tree.Entry(key: "unchanged", value: Tree(.boolean(unchanged))),
        ]
        let sighting = seen.map { [Tree.Entry(key: "seen", value: $0.tree)] } ?? []
        return Tree(.map(entries + sighting + parts.entries)).canonicalJSON
    }

    private init(_ fields: RecordFields) throws {
        let schema = try fields.get("schema", \.integer)
        guard schema == KeyParts.schema else { throw fields.invalid("schema", allowed: "\(KeyParts.schema)") }
        guard let output = Digest(try fields.get("output", \.text)) else {
            throw fields.invalid("output", allowed: "a SHA-256")
        }
        self.init(
            parts: KeyParts(
                stage: try fields.get("stage", \.text), source: try fields.get("source", \.text),
                platform: try fields.get("platform", \.text), parameters: try fields.get("parameters") { $0 },
                inputs: try fields.get("inputs", \.inputs)),
            output: output, bytes: try fields.get("bytes", \.integer),
            unchanged: try fields.get("unchanged", \.boolean),
            measurements: try Measurements(fields.inside("measurements")))
        seen = (try? fields.inside("seen")).flatMap { try? Sighting($0) }
    }
}

extension RunRecord.Sighting {
    fileprivate var tree: Tree {
        let numbers = [
            ("inode", object.inode), ("nanoseconds", object.nanoseconds), ("record", record),
            ("seconds", object.seconds),
        ]
        return Tree(.map(numbers.map { Tree.Entry(key: $0.0, value: Tree(.integer($0.1))) }))
    }

    fileprivate init(_ fields: RecordFields) throws {
        object = FileStamp(
            inode: try fields.get("inode", \.integer), seconds: try fields.get("seconds", \.integer),
            nanoseconds: try fields.get("nanoseconds", \.integer))
        record = try fields.get("record", \.integer)
    }
}

extension Measurements {
    fileprivate var tree: Tree {
        Tree(
            .map([
                Tree.Entry(key: "cpu", value: Tree(.text(cpu))),
                Tree.Entry(
                    key: "libraries",
                    value: Tree(.map(libraries.map { Tree.Entry(key: $0.key, value: Tree(.text($0.value))) }))
                ),
                Tree.Entry(key: "peak-memory-bytes", value: Tree(.integer(peakMemoryBytes))),
                Tree.Entry(key: "seconds", value: Tree(.real(seconds))),
                Tree.Entry(key: "start", value: Tree(.text(start))),
                Tree.Entry(key: "threads", value: Tree(.integer(threads))),
            ]))
    }

    fileprivate init(_ fields: RecordFields) throws {
        self.init(
            start: try fields.get("start", \.text), seconds: try fields.get("seconds", \.real),
            peakMemoryBytes: try fields.get("peak-memory-bytes", \.integer),
            threads: try fields.get("threads", \.integer), cpu: try fields.get("cpu", \.text),
            libraries: try fields.get("libraries", \.texts))
    }
}

/// A map of a record, read by key. Keys that are not asked for are left alone: a later version may write
/// more.
private struct RecordFields {
    private let entries: [Tree.Entry]
    private let path: String

    init(_ tree: Tree, path: String) throws {
        guard let entries = tree.entries else {
            throw ArtifactError.invalidRecord(path: path, found: "it holds \(tree.summary), not a map")
        }
        self.entries = entries
        self.path = path
    }

    func inside(_ key: String) throws -> RecordFields {
        try RecordFields(get(key) { $0 }, path: path)
    }

    func get<Value>(_ key: String, _ read: (Tree) -> Value?) throws -> Value {
        guard let value = value(of: key).flatMap(read) else { throw invalid(key, allowed: "\(Value.self)") }
        return value
    }

    private func value(of key: String) -> Tree? { entries.first { $0.key == key }?.value }

    func invalid(_ key: String, allowed: String) -> ArtifactError {
        .invalidRecord(
            path: path, found: "'\(key)' is \(value(of: key)?.summary ?? "missing"); allowed is \(allowed)")
    }
}

extension Tree {
    /// Names and texts, if this is a map of just these.
    fileprivate var texts: [String: String]? {
        guard let entries else { return nil }
        var texts: [String: String] = [:]
        for entry in entries {
            guard let text = entry.value.text else { return nil }
            texts[entry.key] = text
        }
        return texts
    }
}
