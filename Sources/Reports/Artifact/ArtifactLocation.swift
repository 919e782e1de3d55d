package import Artifacts
internal import Foundation
internal import Parameters

/// An artifact that was named on a command line, found and hashed.
package struct ArtifactLocation: Equatable, Sendable {
    /// Where its bytes are read from.
    package let path: String
    package let digest: Digest
    /// The artifacts folder whose store holds it; nil for a plain file.
    package let root: String?
    /// The step's name, `<pipeline>/<branch>-<seed>/<step>`, if it was found by its link.
    package let step: String?
    /// What to call it in messages.
    package let name: String

    /// Finds what `argument` names: a file (a link of a step, an object, a plain file), a step below `artifacts`, or
    /// an object of its store by the first eight or more digits of its name.
    ///
    /// The bytes of an object are compared with its name.
    /// - Throws: `ReportError.noSuchArtifact`, `.ambiguousObject`; `ArtifactError` for objects that are gone or changed.
    package init(_ argument: String, artifacts: String) throws {
        let link = "\(artifacts)/\(argument).h5"
        if Self.isThere(argument) {
            try self.init(file: argument)
        } else if Self.isThere(link) {
            try self.init(file: link)
        } else {
            try self.init(object: Self.object(argument, artifacts: artifacts), in: artifacts, name: argument)
        }
    }

    private init(object digest: Digest, in root: String, name: String, step: String? = nil) throws {
        let path = try Store(root: root).verified(digest)
        self.init(path: path, digest: digest, root: root, step: step, name: name)
    }

    private init(file: String) throws {
        if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: file),
            let root = Self.root(
                ofObject: target.hasPrefix("/") ? target : "\(Self.folder(of: file))/\(target)")
        {
            let digest = try Store(root: root).digest(ofLink: file)
            try self.init(object: digest, in: root, name: file, step: Self.step(of: file, in: root))
        } else if let root = Self.root(ofObject: file), let digest = Self.digest(named: file) {
            try self.init(object: digest, in: root, name: file)
        } else {
            self.init(path: file, digest: try Digest(ofFile: file), root: nil, step: nil, name: file)
        }
    }

    private init(path: String, digest: Digest, root: String?, step: String?, name: String) {
        self.path = path
        self.digest = digest
        self.root = root
        self.step = step
        self.name = name
    }

    private static func folder(of file: String) -> String {
        let folder = (file as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    /// The artifacts folder of `<folder>/store/<sha256>.h5`; nil for files elsewhere.
    private static func root(ofObject path: String) -> String? {
        let store = folder(of: path) as NSString
        guard store.lastPathComponent == "store" else { return nil }
        return (folder(of: store as String) as NSString).standardizingPath
    }

    private static func digest(named file: String) -> Digest? {
        let name = (file as NSString).lastPathComponent
        return name.hasSuffix(".h5") ? Digest(name.dropLast(3)) : nil
    }

    private static func step(of link: String, in root: String) -> String? {
        let path = URL(filePath: link).standardizedFileURL.path
        let base = URL(filePath: root).standardizedFileURL.path + "/"
        guard path.hasPrefix(base), path.hasSuffix(".h5") else { return nil }
        return String(path.dropFirst(base.count).dropLast(3))
    }

    /// Whether a file or a link stands there, even one that points nowhere.
    private static func isThere(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) { return !isFolder.boolValue }
        return (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    }

    /// The one object whose name begins so.
    private static func object(_ prefix: String, artifacts: String) throws -> Digest {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(artifacts)/store")) ?? []
        let digests = names.filter { $0.hasSuffix(".h5") && $0.hasPrefix(prefix) }
            .compactMap { Digest($0.dropLast(3)) }
        guard prefix.count >= 8, let digest = digests.first else {
            let steps = StepLinks(in: artifacts).steps.values.flatMap { $0 }.sorted()
            throw ReportError.noSuchArtifact(
                argument: prefix, artifacts: artifacts,
                suggestion: Spelling.nearest(to: prefix, among: steps) ?? steps.last)
        }
        guard digests.count == 1 else {
            throw ReportError.ambiguousObject(prefix: prefix, count: digests.count)
        }
        return digest
    }
}

/// The steps of an artifacts folder by the objects they point to.
struct StepLinks {
    /// Sorted names of steps, `<pipeline>/<branch>-<seed>/<step>`.
    private(set) var steps: [Digest: [String]] = [:]

    init(in root: String) {
        let store = Store(root: root)
        for pipeline in Self.names(in: root) where pipeline != "store" && pipeline != "runs" {
            for chain in Self.names(in: "\(root)/\(pipeline)") {
                for name in Self.names(in: "\(root)/\(pipeline)/\(chain)") where name.hasSuffix(".h5") {
                    let link = "\(root)/\(pipeline)/\(chain)/\(name)"
                    guard let digest = try? store.digest(ofLink: link) else { continue }
                    steps[digest, default: []].append("\(pipeline)/\(chain)/\(name.dropLast(3))")
                }
            }
        }
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
