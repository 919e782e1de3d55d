import Glibc

/// A file's number and the time it was written at, to be compared for being the same and in no other way.
package struct FileStamp: Equatable, Sendable {
    package let inode: Int
    package let seconds: Int
    package let nanoseconds: Int

    package init(inode: Int, seconds: Int, nanoseconds: Int) {
        self.inode = inode
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    init(_ status: stat) {
        inode = Int(truncatingIfNeeded: status.st_ino)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

/// The few operations on names that this package needs, with errors that say which, where and why.
package enum FileSystem {
    /// What stands under a name; links are not followed.
    package enum Entry: Equatable {
        case file(bytes: Int)
        case folder
        case link(target: String)
        case other

        /// For messages.
        package var description: String {
            switch self {
            case .file: "a file of its own"
            case .folder: "a folder"
            case .link(let target): "a link to '\(target)'"
            case .other: "a pipe, socket or device"
            }
        }
    }

    /// What stands under a name; nil for nothing.
    package static func entry(at path: String) -> Entry? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file(bytes: Int(status.st_size))
        case S_IFDIR: return .folder
        case S_IFLNK: return target(ofLink: path).map { .link(target: $0) } ?? .other
        default: return .other
        }
    }

    /// The names in a folder, sorted, without `.` and `..`.
    ///
    /// - Parameter limit: so many are read; the others are left out.
    package static func names(in folder: String, limit: Int = .max) throws(FileError) -> [String] {
        guard let stream = opendir(folder) else {
            throw FileError.system(operation: "list", path: folder, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < limit, let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a folder and those above it; existing ones are left alone. Who may use it is left to the umask.
    package static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o777) == 0 || isFolder(path) { return }
        guard errno == ENOENT, let above = folder(of: path), above != path else {
            throw FileError.system(operation: "make folder", path: path, code: errno)
        }
        try makeFolder(above)
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw FileError.system(operation: "make folder", path: path, code: errno)
        }
    }

    /// Gives a complete file its name. A folder of that name is moved aside; a link is replaced, not what it leads to.
    package static func rename(_ source: String, to destination: String) throws {
        if Glibc.rename(source, destination) == 0 { return }
        let code = errno
        if [EISDIR, ENOTDIR, ENOTEMPTY, EEXIST].contains(code) {
            try moveAside(destination)
            if Glibc.rename(source, destination) == 0 { return }
        }
        throw FileError.system(operation: "rename to", path: destination, code: code)
    }

    /// Gives what has a name another one, `<path>.aside`, that nothing has yet; what is not there is no error.
    package static func moveAside(_ path: String) throws {
        var aside = path + ".aside"
        var number = 1
        while entry(at: aside) != nil {
            number += 1
            aside = "\(path).aside-\(number)"
        }
        guard Glibc.rename(path, aside) == 0 || errno == ENOENT else {
            throw FileError.system(operation: "move aside", path: path, code: errno)
        }
    }

    /// Removes a name; one that is not there is no error, and a folder is moved aside.
    package static func remove(_ path: String) throws {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard entry(at: path) == .folder else {
            throw FileError.system(operation: "remove", path: path, code: errno)
        }
        try moveAside(path)
    }

    /// Takes away every right to write, and leaves the others as the umask made them.
    package static func makeReadOnly(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, chmod(path, status.st_mode & 0o7555) == 0 else {
            throw FileError.system(operation: "protect", path: path, code: errno)
        }
    }

    /// Makes a symbolic link.
    package static func makeLink(at path: String, to target: String) throws {
        guard symlink(target, path) == 0 else {
            throw FileError.system(operation: "link", path: path, code: errno)
        }
    }

    /// Returns once a file's bytes, or a folder's names, have reached the disk.
    package static func synchronize(_ path: String) throws {
        let file = entry(at: path) == .folder ? try OpenFile(folder: path) : try OpenFile(reading: path)
        try file.synchronize()
    }

    /// The path with every link resolved; it must exist.
    package static func realPath(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else {
            if errno == ENOENT { throw FileError.missing(path: path) }
            throw FileError.system(operation: "resolve", path: path, code: errno)
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Whether a file was written to, or touched, in the last so many seconds or, by a clock that ran ahead, later.
    package static func isRecent(_ path: String, seconds: Int) -> Bool {
        var status = stat()
        // Compared, not subtracted: a time may be any number.
        return lstat(path, &status) == 0 && status.st_mtim.tv_sec > time(nil) - seconds
    }

    /// Gives a name the present time; of a link, the link itself.
    package static func touch(_ path: String) { utimensat(AT_FDCWD, path, nil, AT_SYMLINK_NOFOLLOW) }

    /// Gives a name the time of a stamp; of a link, the link itself.
    package static func setTime(_ path: String, to stamp: FileStamp) {
        let time = timespec(tv_sec: stamp.seconds, tv_nsec: stamp.nanoseconds)
        utimensat(AT_FDCWD, path, [time, time], AT_SYMLINK_NOFOLLOW)
    }

    /// What changes when somebody writes a file anew or in its place: its number and its time.
    package static func stamp(of path: String) -> FileStamp? {
        var status = stat()
        return lstat(path, &status) == 0 ? FileStamp(status) : nil
    }

    /// The content of a file.
    package static func bytes(of path: String) throws -> [UInt8] {
        let file = try OpenFile(reading: path)
        var bytes: [UInt8] = []
        try file.readAll { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// The content of a file as text.
    package static func text(of path: String) throws -> String {
        String(decoding: try bytes(of: path), as: UTF8.self)
    }

    /// Makes something under a name for the time being; if that fails, nothing of it stays.
    package static func withTemporary<Result>(_ path: String, _ make: () throws -> Result) throws -> Result {
        try remove(path)
        do {
            return try make()
        } catch {
            try? remove(path)
            throw error
        }
    }

    /// The folder a path lies in; nil for the root folder itself.
    package static func folder(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        let above = path[..<slash]
        if above.isEmpty { return path == "/" ? nil : "/" }
        return String(above)
    }

    /// The part of a path after its last slash.
    package static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Whether a path leads to a folder, links followed.
    package static func isFolder(_ path: String) -> Bool { leads(path, to: S_IFDIR) }

    /// Whether a path leads to a regular file, links followed.
    package static func isFile(_ path: String) -> Bool { leads(path, to: S_IFREG) }

    private static func leads(_ path: String, to kind: mode_t) -> Bool {
        let code = errno
        defer { errno = code }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == kind
    }

    private static func target(ofLink path: String) -> String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, buffer.count)
            return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
