internal import Files
internal import Foundation

/// Fetches the files of a dataset into its cache with curl: resumed, checked, and only then given their names.
struct Download {
    let descriptor: DatasetDescriptor
    let url: String
    let environment: DataEnvironment

    /// Fetches what the cache lacks. Only one process at a time does it; the others wait.
    /// - Throws: `DatasetError.downloadFailed`, `.wrongDigest`, `.brokenCompression`, `FileError`.
    func run() throws {
        let cache = descriptor.cache
        try FileSystem.makeFolder(cache)
        let lock = try OpenFile.locking(cache + "/.lock")
        _ = try lock.lock(exclusive: true, wait: true)
        try withExtendedLifetime(lock) {
            for file in descriptor.archive.map({ [$0.file] }) ?? descriptor.files {
                let path = "\(cache)/\(file)"
                let isThere = ByteStream.suffixes.contains {
                    FileManager.default.fileExists(atPath: path + $0)
                }
                if !isThere { try fetch(file, to: path + ".gz") }
            }
        }
    }

    private func fetch(_ file: String, to path: String) throws {
        let source = url + file + ".gz"
        let partial = (path as NSString).deletingPathExtension + ".part.gz"
        environment.log("downloading \(source)")
        let resumes = FileManager.default.fileExists(atPath: partial)
        do {
            try curl(source, to: partial)
        } catch let error as DatasetError where resumes {
            environment.log("starting again: \(error)")
            try FileSystem.remove(partial)
            try curl(source, to: partial)
        }
        do {
            try verify(partial, as: file)
        } catch {
            try FileSystem.remove(partial)
            throw DatasetError.downloadFailed(url: source, reason: "\(error)", help: descriptor.help(offline))
        }
        try FileSystem.rename(partial, to: path)
    }

    private var offline: DataEnvironment {
        DataEnvironment(mirror: environment.mirror, offline: false)
    }

    private func curl(_ source: String, to path: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "curl", "--fail", "--location", "--silent", "--show-error", "--proto", "=https,http,file",
            "--connect-timeout", "20", "--speed-limit", "1000", "--speed-time", "60", "--retry", "3",
            "--max-filesize", "\(descriptor.largestArchive)", "--continue-at", "-", "--output", path, source,
        ]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch {
            throw failure(source, "curl cannot be started: \(error.localizedDescription)")
        }
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        switch process.terminationStatus {
        case 0: return
        case 127: throw failure(source, "curl is not installed (`apt-get install curl`)")
        case let status:
            let text = String(decoding: said, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            throw failure(source, text.isEmpty ? "curl ended with status \(status)" : text)
        }
    }

    private func failure(_ source: String, _ reason: String) -> DatasetError {
        .downloadFailed(url: source, reason: reason, help: descriptor.help(offline))
    }

    /// Checks the archive's files, or the file itself.
    private func verify(_ path: String, as file: String) throws {
        if descriptor.archive != nil {
            try LocatedMembers(place: path, source: .archive).verify(descriptor)
        } else {
            var stream = try ByteStream(opening: path)
            for (role, _, member) in descriptor.allMembers where member.file == file {
                try member.check(stream.digest(limit: descriptor.largestFile(role)), file: path)
            }
        }
    }
}
