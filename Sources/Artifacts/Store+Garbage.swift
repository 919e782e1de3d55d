import Files

/// What `Store.collectGarbage` dropped, or would drop.
package struct GarbageReport: Equatable, Sendable {
    /// The files, sorted by path.
    package fileprivate(set) var dropped: [String] = []
    /// Their size together, in bytes.
    package fileprivate(set) var bytes = 0
    /// How many objects stay.
    package fileprivate(set) var keptObjects = 0
    /// How many of them no link reaches; they were used lately.
    package fileprivate(set) var keptUnlinked = 0
}

extension Store {
    /// Drops what no link of a step reaches and nobody used lately: objects, their records, and what killed processes
    /// left behind.
    ///
    /// A result is used when it is published, linked, planned with or read by a step; its record's time tells when
    /// (`noteUse`), so that other checkouts that share the folder keep what they use. What a running process works on
    /// stays: its temporary, its lock and the objects it reads. Publishing waits until the collection is over.
    ///
    /// - Parameters:
    ///   - unusedDays: for so many days what no link reaches must not have been used; 0 for whatever no link reaches.
    ///   - dryRun: only report.
    ///   - announce: called with what will be dropped, before it is.
    /// - Throws: `FileError.system` if a folder cannot be read or changed.
    @discardableResult
    package func collectGarbage(
        unusedDays: Int, dryRun: Bool, announce: (GarbageReport) -> Void = { _ in }
    ) throws -> GarbageReport {
        guard FileSystem.isFolder(runs) else { return GarbageReport() }
        let publishing = try OpenFile.locking(publishingLockPath)
        _ = try publishing.lock(exclusive: true, wait: true)
        return try withExtendedLifetime(publishing) {
            let running = try runningSteps()
            var report = GarbageReport()
            let kept = running.inputs.union(try objectsInUse(days: unusedDays))
            var garbage = try garbageInStore(running: running, kept: kept, report: &report)
            garbage += try garbageInRuns(running: running, droppedObjects: Set(garbage))
            garbage += try leftoversOfLinks()
            // What is a folder is none of ours.
            report.dropped = garbage.filter { FileSystem.entry(at: $0) != .folder }.sorted()
            for path in report.dropped {
                if case .file(let bytes) = FileSystem.entry(at: path) { report.bytes += bytes }
            }
            announce(report)
            if !dryRun { report.dropped = try report.dropped.filter(drop) }
            return report
        }
    }

    /// Results of the last so many days, and what they were made from.
    private func objectsInUse(days: Int) throws -> Set<Digest> {
        var objects: Set<Digest> = []
        guard days > 0 else { return objects }
        for key in try recordKeys() where FileSystem.isRecent(recordPath(key), seconds: days * 86_400) {
            guard let record = try record(for: key) else { continue }
            objects.insert(record.output)
            objects.formUnion(record.parts.inputs.values)
        }
        return objects
    }

    /// Keys that processes hold locked now, and the objects these read.
    private struct Running {
        var keys: Set<StepKey> = []
        var inputs: Set<Digest> = []
    }

    private func runningSteps() throws -> Running {
        var running = Running()
        for name in try Self.names(in: runs) {
            guard let key = Self.key(named: name, suffix: ".lock"), try isLocked(key) else { continue }
            running.keys.insert(key)
            running.inputs.formUnion(try StepLock.inputs(inLockFile: lockPath(key)))
        }
        return running
    }

    func isLocked(_ key: StepKey) throws -> Bool {
        do {
            let file = try OpenFile(reading: lockPath(key))
            return try !file.lock(exclusive: true, wait: false)
        } catch FileError.missing, FileError.notAFile {
            return false
        }
    }

    private func garbageInStore(
        running: Running, kept: Set<Digest>, report: inout GarbageReport
    ) throws -> [String] {
        let linked = Set(try links().map(\.digest))
        var garbage: [String] = []
        for name in try Self.names(in: objects) {
            let path = "\(objects)/\(name)"
            if let digest = name.hasSuffix(".h5") ? Digest(name.dropLast(3)) : nil {
                if linked.contains(digest) {
                    report.keptObjects += 1
                } else if kept.contains(digest) {
                    report.keptObjects += 1
                    report.keptUnlinked += 1
                } else {
                    garbage.append(path)
                }
            } else if name.hasSuffix(".corrupt") || isLeftOver(name, running: running) {
                garbage.append(path)
            }
        }
        return garbage
    }

    private func garbageInRuns(running: Running, droppedObjects: Set<String>) throws -> [String] {
        var garbage: [String] = []
        for name in try Self.names(in: runs) {
            let path = "\(runs)/\(name)"
            if let key = Self.key(named: name, suffix: ".json") {
                let record = try record(for: key)
                let isUseful =
                    record.map {
                        isPresent($0.output, bytes: $0.bytes)
                            && !droppedObjects.contains(objectPath($0.output))
                    } ?? false
                if !isUseful { garbage.append(path) }
            } else if let key = Self.key(named: name, suffix: ".lock") {
                if !running.keys.contains(key) { garbage.append(path) }
            } else if isLeftOver(name, running: running) {
                garbage.append(path)
            }
        }
        return garbage
    }

    /// Removes a file; false for a lock that somebody took in the meantime.
    private func drop(_ path: String) throws -> Bool {
        guard path.hasSuffix(".lock") else {
            try FileSystem.remove(path)
            return true
        }
        // Removed while it is held, so that nobody can lock the name and lose it.
        let file = try OpenFile.locking(path)
        guard try file.lock(exclusive: true, wait: false) else { return false }
        return try withExtendedLifetime(file) {
            if file.isStillNamed() { try FileSystem.remove(path) }
            return true
        }
    }

    /// Links are renamed only while garbage is not collected, so every temporary one is left over; a file is
    /// when nobody wrote to it for an hour.
    private func leftoversOfLinks() throws -> [String] {
        try entries(belowRoot: "").compactMap { path, entry in
            // Deeper or higher than the files of steps and reports, it is somebody else's.
            guard (2...3).contains(path.split(separator: "/").count) else { return nil }
            let path = "\(root)/\(path)"
            guard TemporaryName.isTemporary(FileSystem.name(of: path)) else { return nil }
            if case .link = entry { return path }
            return FileSystem.isRecent(path, seconds: 3600) ? nil : path
        }
    }

    private func isLeftOver(_ name: String, running: Running) -> Bool {
        TemporaryName.isTemporary(name) && !(TemporaryName.key(of: name).map(running.keys.contains) ?? false)
    }
}
