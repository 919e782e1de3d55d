/// What `Store.collectGarbage` dropped, or would drop.
package struct GarbageReport: Equatable, Sendable {
    /// The files, sorted by path.
    package fileprivate(set) var dropped: [String] = []
    /// Their size together, in bytes.
    package fileprivate(set) var bytes = 0
    /// How many objects stay.
    package fileprivate(set) var keptObjects = 0
}

extension Store {
    /// Drops what no link of a step reaches: objects, their records, and what killed processes left behind.
    ///
    /// What a running process works on stays: its temporary, its lock and the objects it reads. Publishing
    /// waits until the collection is over.
    ///
    /// - Parameter dryRun: only report.
    /// - Throws: `ArtifactError.system` if a folder cannot be read or changed.
    package func collectGarbage(dryRun: Bool) throws -> GarbageReport {
        guard FileSystem.entry(at: runs) == .folder else { return GarbageReport() }
        let publishing = try OpenFile(locking: publishingLockPath)
        _ = try publishing.lock(exclusive: true, wait: true)
        return try withExtendedLifetime(publishing) {
            let running = try runningSteps()
            var report = GarbageReport()
            var garbage = try garbageInStore(running: running, report: &report)
            garbage += try garbageInRuns(running: running, droppedObjects: Set(garbage))
            garbage += try leftoversOfLinks()
            for path in garbage.sorted() {
                if case .file(let bytes) = FileSystem.entry(at: path) { report.bytes += bytes }
                if try dryRun || drop(path) { report.dropped.append(path) }
            }
            return report
        }
    }

    /// Keys that processes hold locked now, and the objects these read.
    private struct Running {
        var keys: Set<StepKey> = []
        var inputs: Set<Digest> = []
    }

    private func runningSteps() throws -> Running {
        var running = Running()
        for name in try FileSystem.names(in: runs) {
            guard let key = Self.key(named: name, suffix: ".lock"), try isLocked(key) else { continue }
            running.keys.insert(key)
            running.inputs.formUnion(try StepLock.inputs(inLockFile: lockPath(key)))
        }
        return running
    }

    private func isLocked(_ key: StepKey) throws -> Bool {
        do {
            let file = try OpenFile(reading: lockPath(key))
            return try !file.lock(exclusive: true, wait: false)
        } catch ArtifactError.missing {
            return false
        }
    }

    private func garbageInStore(running: Running, report: inout GarbageReport) throws -> [String] {
        let linked = Set(try links().map(\.digest))
        var garbage: [String] = []
        for name in try FileSystem.names(in: objects) {
            let path = "\(objects)/\(name)"
            if let digest = name.hasSuffix(".h5") ? Digest(name.dropLast(3)) : nil {
                if linked.contains(digest) || running.inputs.contains(digest) {
                    report.keptObjects += 1
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
        for name in try FileSystem.names(in: runs) {
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
        let file = try OpenFile(locking: path)
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
            let path = "\(root)/\(path)"
            guard TemporaryName.isTemporary(FileSystem.name(of: path)) else { return nil }
            if case .link = entry { return path }
            return FileSystem.age(of: path) > .seconds(3600) ? path : nil
        }
    }

    private func isLeftOver(_ name: String, running: Running) -> Bool {
        TemporaryName.isTemporary(name) && !(TemporaryName.key(of: name).map(running.keys.contains) ?? false)
    }
}
