package import Files
import Glibc
internal import HDF5

/// The artifacts folder: objects named after their content, records of what produced them, and links to them.
///
///     <root>/store/<sha256>.h5              the bytes, read-only
///     <root>/runs/<key>.json                what produced what
///     <root>/<pipeline>/<branch>/<step>.h5  a relative link to an object
///
/// Any number of processes may use one folder at the same time.
package struct Store: Sendable {
    /// The artifacts folder, as it was given.
    package let root: String
    /// Called at every point of publishing; what it throws is an error of that point.
    let reached: @Sendable (PublishPoint) throws -> Void

    /// - Parameter root: the artifacts folder; it is made when something is published.
    package init(root: String) {
        self.init(root: root) { $0.reached() }
    }

    init(root: String, reached: @escaping @Sendable (PublishPoint) throws -> Void) {
        var root = root
        while root.count > 1 && root.hasSuffix("/") { root.removeLast() }
        self.root = root
        self.reached = reached
    }

    /// The folder of the objects.
    package var objects: String { root + "/store" }
    /// The folder of the run records.
    package var runs: String { root + "/runs" }

    /// Where an object stands, or would stand.
    package func objectPath(_ digest: Digest) -> String { "\(objects)/\(digest).h5" }
    /// Where a key's run record stands, or would stand.
    package func recordPath(_ key: StepKey) -> String { "\(runs)/\(key).json" }

    func lockPath(_ key: StepKey) -> String { "\(runs)/\(key).lock" }
    /// Shared while something is published, exclusive while garbage is collected.
    var publishingLockPath: String { runs + "/publishing.lock" }

    /// The file by which `make clean` knows an artifacts folder.
    package var markPath: String { objects + "/.meristem" }

    /// Puts the mark into the store, which is made if need be.
    package func mark() throws {
        try FileSystem.makeFolder(objects)
        guard FileSystem.entry(at: markPath) == nil else { return }
        try PlainFile.write(
            "Artifacts of Meristem. make clean and make distclean remove what it made here, nothing else.\n",
            to: markPath)
    }

    /// Makes the folder of a step's link or of a report.
    ///
    /// - Throws: `ArtifactError.outputOutsideArtifacts` if a link on the way leads out of the artifacts folder: what stands
    ///   there is somebody else's.
    package func makeFolder(of path: String) throws { _ = try Place(of: path, in: root) }

    // MARK: Looking up

    /// What a key's last run recorded; nil if it never ran, or its record cannot be read.
    ///
    /// That the parts have this key is checked by `relink` and `verify`, since it takes half as long as
    /// reading.
    ///
    /// - Throws: `FileError.system` if the record is there but cannot be read.
    package func record(for key: StepKey) throws -> RunRecord? {
        do {
            return try RunRecord(reading: recordPath(key))
        } catch FileError.missing, ArtifactError.invalidRecord, FileError.notAFile {
            return nil
        }
    }

    /// Whether an object is there in its full size; its bytes are not looked at.
    package func isPresent(_ digest: Digest, bytes: Int) -> Bool {
        FileSystem.entry(at: objectPath(digest)) == .file(bytes: bytes)
    }

    /// Notes that a step's result is in use, for `collectGarbage`; a day is as exact as it needs to be.
    package func noteUse(of key: StepKey) {
        let path = recordPath(key)
        if !FileSystem.isRecent(path, seconds: 86_400) { FileSystem.touch(path) }
    }

    /// Whether somebody wrote to a record's object since it was written or last hashed, as far as the file system tells:
    /// by its number and time.
    ///
    /// False where the record itself was copied, as with the whole store: its numbers are those of other files then.
    package func looksChanged(_ record: RunRecord, key: StepKey) -> Bool {
        guard let seen = record.seen, FileSystem.stamp(of: recordPath(key))?.inode == seen.record,
            let object = FileSystem.stamp(of: objectPath(record.output))
        else { return false }
        return object != seen.object
    }

    /// Every usable record, by key.
    package func records() throws -> [StepKey: RunRecord] {
        var records: [StepKey: RunRecord] = [:]
        for key in try recordKeys() { records[key] = try record(for: key) }
        return records
    }

    /// The object a step's link points to, whether or not it is there.
    ///
    /// - Throws: `FileError.missing` if there is no such link, `.notAnArtifact` if it points elsewhere.
    package func digest(ofLink path: String) throws -> Digest {
        switch FileSystem.entry(at: path) {
        case .link(let target):
            if let digest = Self.digest(ofTarget: target) { return digest }
            throw ArtifactError.notAnArtifact(path: path, found: "a link to '\(target)'")
        case nil: throw FileError.missing(path: path)
        case let other?: throw ArtifactError.notAnArtifact(path: path, found: other.description)
        }
    }

    // MARK: Reading

    /// The path of an object whose bytes were just hashed and found to be what its name says.
    ///
    /// A changed object is moved aside, so that its step counts as not done.
    /// - Throws: `ArtifactError.corruptObject` or `.missingObject`, which name the command that helps.
    package func verified(_ digest: Digest) throws -> String {
        let path = objectPath(digest)
        let found: Digest
        do {
            found = try Digest(ofFile: path)
        } catch FileError.missing {
            throw ArtifactError.missingObject(digest, store: objects, remedy: remedy(for: digest))
        } catch FileError.notAFile(_, let found) {
            throw ArtifactError.replacedObject(
                digest, found: found, movedTo: setAside(digest), remedy: remedy(for: digest))
        }
        guard found == digest else {
            throw ArtifactError.corruptObject(
                digest, found: found, movedTo: setAside(digest), remedy: remedy(for: digest))
        }
        return path
    }

    /// Whether an object is what a record says: made by the record's stage from its parameters and inputs, or one of
    /// the inputs itself.
    ///
    /// The object's bytes are to be those of its name.
    func isMade(_ object: Digest, as parts: KeyParts) -> Bool {
        if parts.inputs.values.contains(object) { return true }
        guard let header = try? Header(reading: HDF5.File(reading: objectPath(object))) else { return false }
        return header.stage == parts.stage && header.parameters == parts.parameters
            && header.inputs == parts.inputs
    }

    /// What a stage was given as an input: a link into this or another store, or a plain file.
    ///
    /// - Returns: the digest of its bytes, which are hashed either way, and the path to read them from.
    /// - Throws: `FileError.missing`, `.notAnArtifact`; for a link also what `verified` throws.
    package func input(at path: String) throws -> (digest: Digest, path: String) {
        if case .file = FileSystem.entry(at: path) { return (try Digest(ofFile: path), path) }
        let digest = try digest(ofLink: path)
        if let object = try? FileSystem.realPath(path),
            let folder = FileSystem.folder(of: object), folder != (try? FileSystem.realPath(objects)),
            let root = FileSystem.folder(of: folder)
        {
            return (digest, try Store(root: root).verified(digest))
        }
        return (digest, try verified(digest))
    }

    /// The make command that computes an object again.
    package func remedy(for digest: Digest) -> String {
        let links = (try? links()) ?? []
        return links.first { $0.digest == digest }.map { "make \($0.step)" } ?? "make all"
    }

    /// Moves a changed object aside; where to, or nil if it could not be moved.
    private func setAside(_ digest: Digest) -> String? {
        let path = objectPath(digest)
        let aside = path + ".corrupt"
        try? FileSystem.rename(path, to: aside)
        // Still there in a store that cannot be written; gone already if another process noticed it at the
        // same time.
        return FileSystem.entry(at: path) == nil ? aside : nil
    }

    // MARK: Names

    /// A link of a step to an object.
    struct Link: Equatable {
        /// The link's own path.
        let path: String
        /// The step as make knows it, `<pipeline>/<branch>/<step>`.
        let step: String
        /// The object it points to.
        let digest: Digest
    }

    /// Every link of every step, sorted by path.
    func links() throws -> [Link] {
        try entries(belowRoot: "").compactMap { path, entry in
            guard case .link(let target) = entry, let digest = Self.digest(ofTarget: target) else {
                return nil
            }
            let step = path.hasSuffix(".h5") ? String(path.dropLast(3)) : path
            return Link(path: "\(root)/\(path)", step: step, digest: digest)
        }
    }

    /// What stands in the folders of pipelines, by the path below the root.
    func entries(belowRoot folder: String) throws -> [(path: String, entry: FileSystem.Entry)] {
        var found: [(path: String, entry: FileSystem.Entry)] = []
        for name in try Self.names(in: "\(root)/\(folder)") {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            guard path != "store", path != "runs", let entry = FileSystem.entry(at: "\(root)/\(path)") else {
                continue
            }
            if entry == .folder { found += try entries(belowRoot: path) } else { found.append((path, entry)) }
        }
        return found
    }

    /// The names in a folder of the store, sorted; none if there is no such folder.
    static func names(in folder: String) throws -> [String] {
        do {
            return try FileSystem.names(in: folder)
        } catch FileError.system(_, _, ENOENT) {
            return []
        }
    }

    /// The keys that have a record, sorted.
    func recordKeys() throws -> [StepKey] {
        try Self.names(in: runs).compactMap { Self.key(named: $0, suffix: ".json") }
    }

    /// The objects by name, sorted.
    func objectDigests() throws -> [Digest] {
        try Self.names(in: objects).compactMap { $0.hasSuffix(".h5") ? Digest($0.dropLast(3)) : nil }
    }

    static func key(named name: String, suffix: String) -> StepKey? {
        guard name.hasSuffix(suffix) else { return nil }
        return Digest(name.dropLast(suffix.count)).map(StepKey.init)
    }

    private static func digest(ofTarget target: String) -> Digest? {
        let parts = target.split(separator: "/")
        guard parts.count >= 2, parts[parts.count - 2] == "store", parts[parts.count - 1].hasSuffix(".h5")
        else { return nil }
        return Digest(parts[parts.count - 1].dropLast(3))
    }
}
