import Glibc

/// A file that did not exist before, and does not afterwards unless it is `keep`t.
struct NewFile: ~Copyable {
    let descriptor: Int32
    private let path: String
    private var isClosed = false
    private var isKept = false

    init(creating path: String, at place: Place) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw errno == EEXIST ? HDF5Error.exists(file: path) : place.failed("create the file")
        }
        self.path = path
    }

    deinit {
        if !isClosed { close(descriptor) }
        if !isKept { unlink(path) }
    }

    /// Appends all of `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer, at place: Place) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            guard count >= 0 || errno == EINTR else { throw place.failed("write the file") }
            rest = UnsafeRawBufferPointer(rebasing: rest[max(0, count)...])
        }
    }

    /// Closes the file and leaves it in place. Some file systems tell only now that the disk is full.
    consuming func keep(at place: Place) throws {
        isClosed = true
        guard close(descriptor) == 0 else { throw place.failed("close the file") }
        isKept = true
    }
}

extension Place {
    /// The error for what `errno` says now.
    fileprivate func failed(_ action: String) -> HDF5Error {
        .cannotWrite(file: file, path: path, action: action, reason: String(cString: strerror(errno)))
    }
}
