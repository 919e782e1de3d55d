import Files
import Parameters

/// What `Store.verify` found.
package struct VerificationReport: Equatable, Sendable {
    /// A problem, with what to do about it.
    package struct Problem: Equatable, Sendable {
        /// The file that is wrong.
        package let path: String
        /// A sentence for the user.
        package let message: String
    }

    /// How many objects were hashed.
    package fileprivate(set) var objects = 0
    /// Their size together.
    package fileprivate(set) var bytes = 0
    /// Objects whose bytes changed, links without an object, records that cannot be read or that name the object of
    /// another step.
    package fileprivate(set) var problems: [Problem] = []

    /// Whether everything is as it was published.
    package var isIntact: Bool { problems.isEmpty }
    /// 0, or 65 for bad data.
    package var exitCode: Int32 { isIntact ? 0 : 65 }
}

extension Store {
    /// Hashes every object and looks at every link and record.
    ///
    /// Changed objects are moved aside, so that the next make computes them again.
    ///
    /// - Parameter progress: called after each object with how many are done, and how many there are.
    /// - Complexity: reads every byte of the store once.
    package func verify(progress: (Int, Int) -> Void = { _, _ in }) throws -> VerificationReport {
        var report = VerificationReport()
        let digests = try objectDigests()
        for (index, digest) in digests.enumerated() {
            report.objects += 1
            if case .file(let bytes) = FileSystem.entry(at: objectPath(digest)) { report.bytes += bytes }
            do {
                _ = try verified(digest)
            } catch let error as any ReportableError {
                report.problems.append(.init(path: objectPath(digest), message: error.description))
            }
            progress(index + 1, digests.count)
        }
        let present = Set(digests)
        for link in try links() where !present.contains(link.digest) {
            let error = ArtifactError.missingObject(link.digest, store: objects, remedy: "make \(link.step)")
            report.problems.append(.init(path: link.path, message: error.description))
        }
        for key in try recordKeys() {
            do {
                try verifyRecord(of: key)
            } catch let error as any ReportableError {
                report.problems.append(.init(path: recordPath(key), message: error.description))
            }
        }
        return report
    }

    /// Compares a record with its key and its object, which was just hashed, and notes how the object looks now.
    private func verifyRecord(of key: StepKey) throws {
        let record = try RunRecord(reading: recordPath(key))
        guard record.parts.key == key else {
            throw ArtifactError.invalidRecord(
                path: recordPath(key), found: "its parts have the key \(record.parts.key)")
        }
        guard isPresent(record.output, bytes: record.bytes) else { return }
        guard isMade(record.output, as: record.parts) else {
            throw ArtifactError.invalidRecord(
                path: recordPath(key),
                found: "another step than \(record.parts.stage) with these parameters and inputs made "
                    + "\(record.output).h5, which it names")
        }
        if record.seen == nil || looksChanged(record, key: key) || isCopied(record, key: key) {
            // In a store that cannot be written, nothing is noted. That the record is looked at is no use of its result.
            let before = FileSystem.stamp(of: recordPath(key))
            guard try !isLocked(key), (try? publishRecord(record, key: key)) != nil, let before else {
                return
            }
            FileSystem.setTime(recordPath(key), to: before)
        }
    }

    private func isCopied(_ record: RunRecord, key: StepKey) -> Bool {
        record.seen?.record != FileSystem.stamp(of: recordPath(key))?.inode
    }
}
