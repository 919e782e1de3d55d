package import Files
import Glibc

extension Store {
    /// Works on one key while nobody else does.
    ///
    /// Ask `record(for:)` inside: another process may have done the work while this one waited.
    ///
    /// - Parameters:
    ///   - parts: what the key is made of.
    ///   - link: the step's path below the artifacts folder, `<root>/<pipeline>/<branch>/<step>.h5`.
    ///   - waiting: called once if another process has the lock.
    ///   - work: gets the lock, which `publish`, `publishUnchanged` and `relink` ask for.
    /// - Throws: `ArtifactError` if the folder cannot be written or the link would lie outside; what `work`
    ///   throws.
    @discardableResult
    package func withLock<Result>(
        on parts: KeyParts, publishingTo link: String, waiting: () -> Void = {},
        _ work: (borrowing StepLock) throws -> Result
    ) throws -> Result {
        try mark()
        try FileSystem.makeFolder(runs)
        let place = try Place(of: link, in: root)
        let lock = try StepLock(
            parts: parts, place: place, path: lockPath(parts.key), waiting: waiting)
        try reached(.lockTaken)
        return try work(lock)
    }

    /// Publishes a step's output: the object, then its record, then the link.
    ///
    /// A kill between any two of these leaves either the old state or the new one.
    ///
    /// - Parameters:
    ///   - step: the lock on the step's key.
    ///   - stopwatch: started when the work began.
    ///   - write: creates a new file at the path it is given.
    /// - Throws: `FileError.system` if the disk is full or read-only; what `write` throws. No partial
    ///   object stays.
    @discardableResult
    package func publish(
        _ step: borrowing StepLock, stopwatch: Stopwatch, write: (String) throws -> Void
    ) throws -> RunRecord {
        let temporary = "\(objects)/\(TemporaryName.of(step.key))"
        return try FileSystem.withTemporary(temporary) {
            try writeObject(temporary, write)
            return try whileNothingIsCollected {
                let (digest, bytes) = try placeObject(temporary)
                let record = RunRecord(
                    parts: step.parts, output: digest, bytes: bytes, unchanged: false,
                    measurements: stopwatch.measurements())
                let published = try publishRecord(record, key: step.key)
                try publishLink(to: digest, at: step.place)
                return published
            }
        }
    }

    /// Publishes that a step's output is one of its inputs: a record that says so, and the link.
    ///
    /// - Throws: `ArtifactError.missingObject` if the store does not hold it.
    @discardableResult
    package func publishUnchanged(
        _ step: borrowing StepLock, output: Digest, stopwatch: Stopwatch
    ) throws -> RunRecord {
        try whileNothingIsCollected {
            guard case .file(let bytes) = FileSystem.entry(at: objectPath(output)) else {
                throw ArtifactError.missingObject(output, store: objects, remedy: remedy(for: output))
            }
            let record = RunRecord(
                parts: step.parts, output: output, bytes: bytes, unchanged: true,
                measurements: stopwatch.measurements())
            let published = try publishRecord(record, key: step.key)
            try publishLink(to: output, at: step.place)
            return published
        }
    }

    /// Points a step's link at what an earlier run of the same key produced.
    ///
    /// The object is hashed and its header compared with the record before a link leads to it.
    /// - Parameter isChecked: whether that was just done for this record.
    /// - Returns: false, with no link made, if the record is of another key, the object is not there with its bytes, or
    ///   another step made it.
    package func relink(
        _ step: borrowing StepLock, to record: RunRecord, isChecked: Bool = false
    ) throws -> Bool {
        guard isChecked || record.parts.key == step.key else { return false }
        let key = step.key
        let place = step.place
        return try whileNothingIsCollected {
            guard isPresent(record.output, bytes: record.bytes) else { return false }
            if !isChecked {
                guard (try? verified(record.output)) != nil, isMade(record.output, as: record.parts) else {
                    return false
                }
            }
            try publishLink(to: record.output, at: place)
            noteUse(of: key)
            return true
        }
    }

    // MARK: The order

    private func writeObject(_ temporary: String, _ write: (String) throws -> Void) throws {
        try write(temporary)
        try reached(.objectWritten)
        try FileSystem.synchronize(temporary)
        try reached(.objectSynchronized)
    }

    /// Gives a complete file its name in the store.
    private func placeObject(_ temporary: String) throws -> (digest: Digest, bytes: Int) {
        let digest = try Digest(ofFile: temporary)
        guard case .file(let bytes) = FileSystem.entry(at: temporary) else {
            throw FileError.missing(path: temporary)
        }
        try FileSystem.makeReadOnly(temporary)
        try reached(.objectProtected)
        if try isIntact(digest, bytes: bytes) {
            // The old file stays: a new time stamp would make every link to it look new to make.
            try FileSystem.remove(temporary)
        } else {
            try FileSystem.rename(temporary, to: objectPath(digest))
        }
        try reached(.objectRenamed)
        try FileSystem.synchronize(objects)
        try reached(.storeSynchronized)
        return (digest, bytes)
    }

    /// - Returns: the record as it was written, with what the files look like.
    @discardableResult
    func publishRecord(_ record: RunRecord, key: StepKey) throws -> RunRecord {
        let temporary = "\(runs)/\(TemporaryName.of(key))"
        var record = record
        try FileSystem.withTemporary(temporary) {
            let file = try OpenFile(creating: temporary)
            let number = file.stamp.inode
            record.seen = FileSystem.stamp(of: objectPath(record.output)).map {
                RunRecord.Sighting(object: $0, record: number)
            }
            try file.write((record.canonicalJSON + "\n").utf8)
            try reached(.recordWritten)
            try file.synchronize()
            try reached(.recordSynchronized)
            try FileSystem.rename(temporary, to: recordPath(key))
        }
        try reached(.recordRenamed)
        try FileSystem.synchronize(runs)
        try reached(.runsSynchronized)
        return record
    }

    private func publishLink(to digest: Digest, at place: Place) throws {
        // The lock is on the key: another checkout may link another result of the same name at the same time.
        let temporary = "\(place.folder)/\(TemporaryName.of("\(place.name).\(getpid())"))"
        try keepForeignFile("\(place.folder)/\(place.name)", unless: digest)
        try FileSystem.withTemporary(temporary) {
            try FileSystem.makeLink(at: temporary, to: "\(place.wayToRoot)store/\(digest).h5")
            try reached(.linkMade)
            try FileSystem.rename(temporary, to: "\(place.folder)/\(place.name)")
        }
        try reached(.linkRenamed)
    }

    /// Moves a file in a link's place aside, unless it is just a copy of the object.
    private func keepForeignFile(_ path: String, unless digest: Digest) throws {
        guard case .file(let bytes) = FileSystem.entry(at: path) else { return }
        let isCopy = try isPresent(digest, bytes: bytes) && Digest(ofFile: path) == digest
        if !isCopy { try FileSystem.moveAside(path) }
    }

    /// Whether the object is there with the right bytes.
    private func isIntact(_ digest: Digest, bytes: Int) throws -> Bool {
        try isPresent(digest, bytes: bytes) && Digest(ofFile: objectPath(digest)) == digest
    }

    /// Keeps `collectGarbage` away while an object may be in the store that no link reaches yet.
    private func whileNothingIsCollected<Result>(_ body: () throws -> Result) throws -> Result {
        let file = try OpenFile.locking(publishingLockPath)
        _ = try file.lock(exclusive: false, wait: true)
        return try withExtendedLifetime(file, body)
    }
}

/// Where a step's link stands.
struct Place: Sendable {
    /// The folder, which exists, as given.
    let folder: String
    /// The link's name in it.
    let name: String
    /// `../` for every folder between the link and the artifacts folder.
    let wayToRoot: String

    /// Makes the folder if need be.
    init(of link: String, in root: String) throws {
        let outside = ArtifactError.outputOutsideArtifacts(path: link, root: root)
        guard let folder = FileSystem.folder(of: link) else { throw outside }
        try FileSystem.makeFolder(root)
        let realRoot = try FileSystem.realPath(root).split(separator: "/")
        // Looked at before anything is made: a link may lead elsewhere.
        var existing = folder
        while !FileSystem.isFolder(existing), let above = FileSystem.folder(of: existing) { existing = above }
        guard try FileSystem.realPath(existing).split(separator: "/").starts(with: realRoot) else {
            throw outside
        }
        try FileSystem.makeFolder(folder)
        let real = try FileSystem.realPath(folder).split(separator: "/")
        let below = real.dropFirst(realRoot.count)
        guard let pipeline = below.first, pipeline != "store", pipeline != "runs" else { throw outside }
        self.folder = folder
        self.name = FileSystem.name(of: link)
        self.wayToRoot = String(repeating: "../", count: below.count)
    }
}

/// `collectGarbage` drops those that are left over.
extension TemporaryName {
    static func of(_ key: StepKey) -> String { of(key.description) }

    /// The key a temporary belongs to, if it belongs to one.
    static func key(of name: String) -> StepKey? {
        isTemporary(name) ? Digest(name.dropFirst().dropLast(".temporary".count)).map(StepKey.init) : nil
    }
}
