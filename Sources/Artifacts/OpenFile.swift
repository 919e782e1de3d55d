import Glibc

/// A file descriptor that closes itself.
struct OpenFile: ~Copyable {
    let descriptor: Int32
    let path: String

    /// Opens a regular file for reading.
    ///
    /// - Throws: `ArtifactError.notAFile` at once for a pipe or device, which could keep a reader waiting for ever.
    init(reading path: String) throws {
        try self.init(path, O_RDONLY, operation: "read")
    }

    /// Opens a folder, to bring its names to the disk.
    init(folder path: String) throws {
        try self.init(path, O_RDONLY | O_DIRECTORY, kind: S_IFDIR, operation: "read")
    }

    /// Creates a new file; one that exists already is an error.
    init(creating path: String) throws {
        try self.init(path, O_WRONLY | O_CREAT | O_EXCL, operation: "write")
    }

    /// Opens a lock file, which is created when it is not there. What else has its name, a link too, is moved aside:
    /// the file is written to.
    static func locking(_ path: String) throws -> OpenFile {
        while true {
            do {
                // In a folder that all may write, an existing file of somebody else cannot be opened with O_CREAT.
                return try OpenFile(path, O_RDWR | O_NOFOLLOW, operation: "lock")
            } catch ArtifactError.missing {
                do {
                    return try OpenFile(path, O_RDWR | O_NOFOLLOW | O_CREAT | O_EXCL, operation: "lock")
                } catch ArtifactError.system(_, _, EEXIST) {
                    // Another process made it first.
                }
            } catch ArtifactError.notAFile {
                try FileSystem.moveAside(path)
            }
        }
    }

    private init(_ path: String, _ flags: Int32, kind: mode_t = S_IFREG, operation: String) throws {
        let descriptor = retryingInterrupts { open(path, flags | O_CLOEXEC | O_NONBLOCK, 0o666) }
        guard descriptor >= 0 else {
            let code = errno
            switch code {
            case ENOENT where flags & O_CREAT == 0: throw ArtifactError.missing(path: path)
            case EISDIR, ELOOP, ENXIO, ENODEV: throw Self.notAFile(path)
            default: throw ArtifactError.system(operation: operation, path: path, code: code)
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == kind else {
            close(descriptor)
            throw Self.notAFile(path)
        }
        self.descriptor = descriptor
        self.path = path
    }

    private static func notAFile(_ path: String) -> ArtifactError {
        .notAFile(path: path, found: FileSystem.entry(at: path)?.description ?? "gone")
    }

    deinit { close(descriptor) }

    /// The file's number in its file system.
    func inode() throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read") }
        return FileStamp(status).inode
    }

    /// Hands the whole content to `body`, at most 1 MiB at a time.
    func readAll(_ body: (UnsafeRawBufferPointer) -> Void) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read") }
        // Files of the kernel say that they hold nothing; only reading on finds their end.
        let size = Int(status.st_size)
        let piece = min(max(size + 1, 4096), 1 << 20)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer { buffer.deallocate() }
        var total = 0
        while true {
            let count = retryingInterrupts { read(descriptor, buffer.baseAddress, piece) }
            guard count >= 0 else { throw failure("read") }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            total += count
            if count == 0 || total == size { return }
        }
    }

    /// Appends bytes.
    func write(_ bytes: some Collection<UInt8>) throws {
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
    func replaceContent(with bytes: some Collection<UInt8>) throws {
        guard ftruncate(descriptor, 0) == 0 else { throw failure("write") }
        try write(bytes)
    }

    /// Returns once everything written has reached the disk.
    func synchronize() throws {
        guard retryingInterrupts({ fsync(descriptor) }) == 0 else { throw failure("write") }
    }

    /// Takes a lock; false if another holder has it and `wait` is off.
    func lock(exclusive: Bool, wait: Bool) throws -> Bool {
        let mode = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB)
        if retryingInterrupts({ flock(descriptor, mode) }) == 0 { return true }
        switch errno {
        case EWOULDBLOCK: return false
        case ENOLCK, ENOSYS, EOPNOTSUPP: throw ArtifactError.noLocks(path: path)
        default: throw failure("lock")
        }
    }

    /// Whether the path still names the file that is open here.
    func isStillNamed() -> Bool {
        var here = stat()
        var there = stat()
        return fstat(descriptor, &here) == 0 && stat(path, &there) == 0
            && here.st_dev == there.st_dev && here.st_ino == there.st_ino
    }

    private func failure(_ operation: String) -> ArtifactError {
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
