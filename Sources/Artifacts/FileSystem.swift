import Glibc

/// The few operations on names that publishing needs, with typed errors.
enum FileSystem {
    /// What stands under a name; links are not followed.
    enum Entry: Equatable {
        case file(bytes: Int)
        case folder
        case link(target: String)
        case other
    }

    static func entry(at path: String) -> Entry? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file(bytes: Int(status.st_size))
        case S_IFDIR: return .folder
        case S_IFLNK: return target(ofLink: path).map { .link(target: $0) } ?? .other
        default: return .other
        }
    }

    /// The names in a folder, sorted, without `.` and `..`; none if there is no such folder.
    static func names(in folder: String) throws -> [String] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw ArtifactError.system(operation: "list", path: folder, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a folder and those above it; existing ones are left alone.
    static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o755) == 0 || isFolder(path) { return }
        guard errno == ENOENT, let above = folder(of: path), above != path else {
            throw ArtifactError.system(operation: "make folder", path: path, code: errno)
        }
        try makeFolder(above)
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw ArtifactError.system(operation: "make folder", path: path, code: errno)
        }
    }

    static func rename(_ source: String, to destination: String) throws {
        guard Glibc.rename(source, destination) == 0 else {
            throw ArtifactError.system(operation: "rename to", path: destination, code: errno)
        }
    }

    /// Removes a name; one that is not there is no error.
    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw ArtifactError.system(operation: "remove", path: path, code: errno)
        }
    }

    static func makeReadOnly(_ path: String) throws {
        guard chmod(path, 0o444) == 0 else {
            throw ArtifactError.system(operation: "protect", path: path, code: errno)
        }
    }

    static func makeLink(at path: String, to target: String) throws {
        guard symlink(target, path) == 0 else {
            throw ArtifactError.system(operation: "link", path: path, code: errno)
        }
    }

    /// Returns once a file's bytes, or a folder's names, have reached the disk.
    static func synchronize(_ path: String) throws {
        try OpenFile(reading: path).synchronize()
    }

    /// The path with every link resolved; it must exist.
    static func realPath(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else {
            if errno == ENOENT { throw ArtifactError.missing(path: path) }
            throw ArtifactError.system(operation: "resolve", path: path, code: errno)
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The time since a file was last written to; zero if it is not there.
    static func age(of path: String) -> Duration {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .zero }
        return .seconds(time(nil) - status.st_mtim.tv_sec)
    }

    /// The content of a file as text.
    static func text(of path: String) throws -> String {
        let file = try OpenFile(reading: path)
        var bytes: [UInt8] = []
        try file.readAll { bytes.append(contentsOf: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The folder a path lies in; nil for the root folder itself.
    static func folder(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        let above = path[..<slash]
        if above.isEmpty { return path == "/" ? nil : "/" }
        return String(above)
    }

    /// The part of a path after its last slash.
    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    private static func isFolder(_ path: String) -> Bool {
        let code = errno
        defer { errno = code }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func target(ofLink path: String) -> String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, buffer.count)
            return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
