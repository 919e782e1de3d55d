internal import Artifacts
package import Files
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
            try self.init(file: argument, artifacts: artifacts)
        } else if Self.isThere(link) {
            try self.init(file: link, artifacts: artifacts)
        } else {
            try self.init(object: Self.object(argument, artifacts: artifacts), in: artifacts, name: argument)
        }
    }

    private init(object digest: Digest, in root: String, name: String, step: String? = nil) throws {
        let path = try Store(root: root).verified(digest)
        self.init(path: path, digest: digest, root: root, step: step, name: name)
    }

    private init(file: String, artifacts: String) throws {
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: file)
        let object = target.map { $0.hasPrefix("/") ? $0 : "\(Self.folder(of: file))/\($0)" } ?? file
        if let (root, digest) = Self.place(ofObject: object, artifacts: artifacts) {
            let step = target == nil ? nil : Self.step(of: file, in: root)
            try self.init(object: digest, in: root, name: file, step: step)
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

    /// The artifacts folder and the digest of `<folder>/store/<sha256>.h5`; nil for files elsewhere.
    ///
    /// - Parameter artifacts: how the folder is called in messages if it is this one.
    private static func place(ofObject path: String, artifacts: String) -> (root: String, digest: Digest)? {
        let name = (path as NSString).lastPathComponent
        let store = resolved(folder(of: path))
        guard name.hasSuffix(".h5"), let digest = Digest(name.dropLast(3)),
            (store as NSString).lastPathComponent == "store"
        else { return nil }
        let root = folder(of: store)
        return (root == resolved(artifacts) ? artifacts : root, digest)
    }

    /// The absolute path with every link and `..` resolved.
    private static func resolved(_ path: String) -> String {
        URL(filePath: path).resolvingSymlinksInPath().path
    }

    private static func step(of link: String, in root: String) -> String? {
        let path = "\(resolved(folder(of: link)))/\((link as NSString).lastPathComponent)"
        let base = resolved(root) + "/"
        guard path.hasPrefix(base), path.hasSuffix(".h5") else { return nil }
        return String(path.dropFirst(base.count).dropLast(3))
    }

    /// Whether a file or a link stands there, even one that points nowhere.
    private static func isThere(_ path: String) -> Bool {
        FileSystem.entry(at: path) != nil && !FileSystem.isFolder(path)
    }

    /// The one object whose name begins so.
    private static func object(_ prefix: String, artifacts: String) throws -> Digest {
        let names = (try? FileSystem.names(in: "\(artifacts)/store")) ?? []
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
        (try? FileSystem.names(in: folder)) ?? []
    }
}

extension ArtifactLocation {
    /// Copies a step's artifact into a folder under a name that tells what it is:
    /// `fashion-mlp_tiny-joint-0_tune-4.h5`.
    ///
    /// - Returns: the copy's path.
    /// - Throws: `ReportError.notAStep` for a plain file, `.alreadyThere` rather than overwrite one, `ArtifactError`
    ///   if the folder cannot be written.
    package func export(to folder: String) throws -> String {
        guard let step else { throw ReportError.notAStep(argument: name) }
        let file = step.split(separator: "/").joined(separator: "_") + ".h5"
        let path = (folder as NSString).appendingPathComponent(file)
        guard (try? FileManager.default.attributesOfItem(atPath: path)) == nil else {
            throw ReportError.alreadyThere(path: path)
        }
        try PlainFile.publish(at: path) { temporary in
            try FileManager.default.copyItem(atPath: self.path, toPath: temporary)
            // An object of the store is read-only; a copy is its user's.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: temporary)
        }
        return path
    }
}
