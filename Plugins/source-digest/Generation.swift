import Files

/// Why no digest could be written.
enum DigestFailure: Error, CustomStringConvertible {
    case usage(String)
    case outside(path: String, package: String)
    case unknownModule(String, stage: String)

    var description: String {
        switch self {
        case .usage(let problem): problem
        case .outside(let path, let package): "'\(path)' is not in the package '\(package)'"
        case .unknownModule(let module, let stage):
            "stage '\(stage)' uses '\(module)', which no --module lists"
        }
    }
}

/// One `generate` command: the digests of some stages, written as Swift.
struct Generation {
    private var output = ""
    private var package = ""
    private var modules: [String: [String]] = [:]
    private var stages: [String: [String]] = [:]

    init(_ arguments: ArraySlice<String>) throws {
        var rest = arguments
        while let option = rest.popFirst() {
            var values = rest.prefix { !$0.hasPrefix("--") }
            rest = rest.dropFirst(values.count)
            guard let first = values.popFirst() else { throw DigestFailure.usage("\(option) needs a value") }
            switch option {
            case "--output": output = first
            case "--package": package = first
            case "--module": modules[first] = Array(values)
            case "--stage": stages[first] = Array(values)
            default: throw DigestFailure.usage("unknown option '\(option)'")
            }
        }
        guard !output.isEmpty, !package.isEmpty else {
            throw DigestFailure.usage("--output and --package are needed")
        }
    }

    /// Writes the file; one that says the same already is left alone, so that nothing is compiled again.
    func run() throws {
        let moduleDigests = try modules.mapValues { try digest(ofFiles: $0) }
        let entries = try stages.sorted { $0.key < $1.key }.map { stage, parts in
            "    \"\(stage)\": \"\(try digest(of: parts, stage: stage, modules: moduleDigests))\","
        }
        let text = """
            /// SHA-256 of the sources each stage is built from, comments aside; part of every step's key.
            let sourceDigests: [String: String] = [
            \(entries.joined(separator: "\n"))
            ]

            """
        try PlainFile.write(text, to: output)
    }

    /// Over the digests of all modules and the versions of other packages, in the order of their names.
    private func digest(of parts: [String], stage: String, modules: [String: String]) throws -> String {
        let lines = try parts.sorted().map { part in
            if part.hasPrefix("package:") { return "\(part)\n" }
            guard let digest = modules[part] else { throw DigestFailure.unknownModule(part, stage: stage) }
            return "module:\(part) \(digest)\n"
        }
        return Digest(of: lines.joined()).hexadecimal
    }

    /// Over every file's path in the package, length and stripped content, in the order of the paths; a file
    /// that holds nothing but comments counts as none.
    private func digest(ofFiles paths: [String]) throws -> String {
        let root = package.hasSuffix("/") ? package : package + "/"
        var bytes: [UInt8] = []
        for path in paths.sorted() {
            guard path.hasPrefix(root) else { throw DigestFailure.outside(path: path, package: package) }
            let content = try Stripper.strip(file: path)
            guard !content.isEmpty else { continue }
            bytes += Array("\(path.dropFirst(root.count))\n\(content.count)\n".utf8)
            bytes += content
        }
        return Digest(of: bytes).hexadecimal
    }
}

extension Stripper {
    /// A source file as it is hashed, by the comments of its language.
    static func strip(file path: String) throws -> [UInt8] {
        strip(try FileSystem.bytes(of: path), language: path.hasSuffix(".swift") ? .swift : .c)
    }
}
