import Glibc

/// A file descriptor that closes itself.
package struct OpenFile: ~Copyable {
    private let descriptor: Int32
    package let path: String
    /// As it was when the file was opened.
    private let status: stat

    /// Bytes of content.
    package var size: Int { Int(status.st_size) }
    /// Bytes that the content takes up on the disk; fewer where the file has holes.
    package var sizeOnDisk: Int { Int(status.st_blocks) * 512 }
    /// The file's number in its file system, and its time.
    package var stamp: FileStamp { FileStamp(status) }

    /// Opens a regular file for reading.
    ///
    /// - Throws: `FileError.missing`, `.system`; `.notAFile` at once for a pipe or device, which could keep a reader waiting for ever.
    package init(reading path: String) throws {
        try self.init(path, O_RDONLY, operation: "read")
    }

    /// Opens a folder, to bring its names to the disk.
    package init(folder path: String) throws {
        try self.init(path, O_RDONLY | O_DIRECTORY, kind: S_IFDIR, operation: "read")
    }

    /// Creates a new file; one that exists already is an error.
    package init(creating path: String) throws {
        try self.init(path, O_WRONLY | O_CREAT | O_EXCL, operation: "write")
    }

    /// Opens a lock file, which is created when it is not there. What else has its name, a link too, is moved aside:
    /// the file is written to.
    package static func locking(_ path: String) throws -> OpenFile {
        while true {
            do {
                // In a folder that all may write, an existing file of somebody else cannot be opened with O_CREAT.
                return try OpenFile(path, O_RDWR | O_NOFOLLOW, operation: "lock")
            } catch FileError.missing {
                do {
                    return try OpenFile(path, O_RDWR | O_NOFOLLOW | O_CREAT | O_EXCL, operation: "lock")
                } catch FileError.system(_, _, EEXIST) {
                    // Another process made it first.
                }
            } catch FileError.notAFile {
                try FileSystem.moveAside(path)
            }
        }
    }

    private init(_ path: String, _ flags: Int32, kind: mode_t = S_IFREG, operation: String) throws {
        let descriptor = retryingInterrupts { open(path, flags | O_CLOEXEC | O_NONBLOCK, 0o666) }
        guard descriptor >= 0 else {
            let code = errno
            switch code {
            case ENOENT where flags & O_CREAT == 0:
                guard case .link(let target) = FileSystem.entry(at: path) else {
                    throw FileError.missing(path: path)
                }
                throw FileError.notAFile(path: path, found: "a link to '\(target)' (nothing is there)")
            case EISDIR, ELOOP, ENXIO, ENODEV: throw Self.notAFile(path)
            default: throw FileError.system(operation: operation, path: path, code: code)
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == kind else {
            close(descriptor)
            throw Self.notAFile(path)
        }
        self.descriptor = descriptor
        self.path = path
        self.status = status
    }

    private static func notAFile(_ path: String) -> FileError {
        .notAFile(path: path, found: FileSystem.entry(at: path)?.description ?? "gone")
    }

    deinit { close(descriptor) }

    /// Fills the buffer, or as much of it as the file still has.
    ///
    /// - Returns: the number of bytes read; less than the buffer's only at the end of the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = retryingInterrupts { Glibc.read(descriptor, rest.baseAddress, rest.count) }
            guard count >= 0 else { throw failure("read") }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// The next bytes, fewer at the end of the file.
    package func read(_ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Hands the whole content to `body`, at most 1 MiB at a time.
    package func readAll(_ body: (UnsafeRawBufferPointer) -> Void) throws {
        // Files of the kernel say that they hold nothing; only reading on finds their end.
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(max(size + 1, 4096), 1 << 20), alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try read(into: buffer)
            body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if count < buffer.count { return }
        }
    }

    /// Appends bytes.
    package func write(_ bytes: some Collection<UInt8>) throws {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { piece in
                retryingInterrupts { Glibc.write(descriptor, piece.baseAddress, piece.count) }
            }
            guard count > 0 else { throw failure("write") }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes the file hold these bytes and nothing else.
    package func replaceContent(with bytes: some Collection<UInt8>) throws {
        guard ftruncate(descriptor, 0) == 0 else { throw failure("write") }
        try write(bytes)
    }

    /// Returns once everything written has reached the disk.
    package func synchronize() throws {
        guard retryingInterrupts({ fsync(descriptor) }) == 0 else { throw failure("write") }
    }

    /// Takes a lock; false if another holder has it and `wait` is off.
    package func lock(exclusive: Bool, wait: Bool) throws -> Bool {
        let mode = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB)
        if retryingInterrupts({ flock(descriptor, mode) }) == 0 { return true }
        switch errno {
        case EWOULDBLOCK: return false
        case ENOLCK, ENOSYS, EOPNOTSUPP: throw FileError.noLocks(path: path)
        default: throw failure("lock")
        }
    }

    /// Whether the path still names the file that is open here.
    package func isStillNamed() -> Bool {
        var here = stat()
        var there = stat()
        return fstat(descriptor, &here) == 0 && stat(path, &there) == 0
            && here.st_dev == there.st_dev && here.st_ino == there.st_ino
    }

    private func failure(_ operation: String) -> FileError {
        .system(operation: operation, path: path, code: errno)
    }
}

/// Calls again as long as a signal interrupts the call.
private func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
