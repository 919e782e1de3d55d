import Files

/// All files of a dataset in one place, not yet looked into.
package struct LocatedMembers: Sendable, Equatable {
    /// Where they were found: a folder, or an archive.
    package var place: String
    package var source: Source

    package enum Source: Sendable, Equatable {
        /// The path of each file, with `.gz` or `.xz` where it has it, by its name without.
        case files([String: String])
        /// One tar archive of all of them.
        case archive
    }

    /// Bytes that the files, or the archive, take up on the disk; what cannot be read counts nothing.
    var sizeOnDisk: Int {
        let paths = if case .files(let paths) = source { Array(paths.values) } else { [place] }
        return paths.reduce(0) { sum, path in
            sum + ((try? OpenFile(reading: path))?.sizeOnDisk ?? 0)
        }
    }

    /// Opens each of a dataset's files once: in the descriptor's order, or in the archive's.
    ///
    /// - Parameter body: gets what the file holds, its position among the files of that role, the file, and its
    ///   content to read.
    /// - Throws: what `body` throws; `FileError`, `DatasetError.brokenCompression`, `.brokenTar`, `.membersMissing`.
    func forEachMember(
        of descriptor: DatasetDescriptor,
        _ body: (DatasetDescriptor.Role, Int, DatasetDescriptor.Member, inout ByteStream) throws -> Void
    ) throws {
        let members = descriptor.allMembers
        switch source {
        case .files(let paths):
            for (role, index, member) in members {
                guard let path = paths[member.file] else {
                    preconditionFailure("located members have every file; \(member.file) is not there")
                }
                var stream = try ByteStream(opening: path)
                try body(role, index, member, &stream)
            }
        case .archive:
            let folder = descriptor.archive.map { $0.folder.isEmpty ? "" : $0.folder + "/" } ?? ""
            var waiting = Dictionary(uniqueKeysWithValues: members.map { (folder + $0.member.file, $0) })
            let archive = try TarArchive(opening: place, limit: descriptor.largestArchive)
            var others: [String] = []
            while let entry = try archive.next() {
                // Of two files of one name tar would keep the second, but the first has been read.
                guard let (role, index, member) = waiting.removeValue(forKey: entry.name) else {
                    if others.count < 100 { others.append(entry.name) }
                    continue
                }
                var stream = ByteStream(entry, of: archive)
                try body(role, index, member, &stream)
            }
            guard waiting.isEmpty else {
                let there = others.isEmpty ? "nothing else" : DatasetDescriptor.listed(others)
                throw DatasetError.membersMissing(
                    archive: place, members: waiting.keys.sorted(),
                    note: descriptor.note(on: others) ?? "it holds \(there); fetch the file again")
            }
        }
    }

    /// Checks every file's digest, whatever it holds.
    /// - Throws: as `forEachMember`, and `DatasetError.wrongDigest`.
    func verify(_ descriptor: DatasetDescriptor) throws {
        try forEachMember(of: descriptor) { role, _, member, stream in
            try member.check(stream.digest(limit: descriptor.largestFile(role)), file: stream.file)
        }
    }
}

extension DatasetDescriptor.Member {
    /// - Throws: `DatasetError.wrongDigest` unless these are the bytes that the descriptor pins.
    func check(_ digest: String, file: String) throws {
        guard digest == sha256 else {
            throw DatasetError.wrongDigest(file: file, expected: sha256, found: digest)
        }
    }
}
