import Glibc

/// What the planner asks the file system; nothing here throws, an unreadable name counts as absent.
enum Files {
    /// A moment of the file system's clock, in nanoseconds.
    struct Time: Comparable {
        var nanoseconds: Int

        fileprivate init(_ time: timespec) { nanoseconds = time.tv_sec * 1_000_000_000 + time.tv_nsec }

        var before: Time { Time(nanoseconds: nanoseconds - 1) }

        private init(nanoseconds: Int) { self.nanoseconds = nanoseconds }

        static func < (left: Time, right: Time) -> Bool { left.nanoseconds < right.nanoseconds }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// When a name was changed; of a link, the link itself.
    static func time(of path: String) -> Time? {
        var status = stat()
        return lstat(path, &status) == 0 ? Time(status.st_mtim) : nil
    }

    /// Size and time of a file, links followed.
    static func file(at path: String) -> (bytes: Int, time: Time)? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return (Int(status.st_size), Time(status.st_mtim))
    }

    static func target(ofLink path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, buffer.count)
            return count > 0 ? String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self) : nil
        }
    }

    /// Gives a file the present time.
    static func touch(_ path: String) { utimensat(AT_FDCWD, path, nil, 0) }

    /// Gives a link itself a time.
    static func setTime(ofLink path: String, to time: Time) {
        let moment = timespec(
            tv_sec: time.nanoseconds / 1_000_000_000, tv_nsec: time.nanoseconds % 1_000_000_000)
        let times = [moment, moment]
        utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW)
    }

    static func remove(_ path: String) { unlink(path) }

    /// The names in a folder that end so, without the ending, sorted.
    static func names(in folder: String, suffix: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(suffix), !name.hasPrefix(".") {
                names.append(String(name.dropLast(suffix.count)))
            }
        }
        return names.sorted()
    }
}
