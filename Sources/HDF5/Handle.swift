import CHDF5

/// An open libhdf5 identifier that closes itself.
struct Handle: ~Copyable {
    typealias Close = @convention(c) (hid_t) -> herr_t

    let id: hid_t
    private let close: Close

    /// Takes over `id`, or throws what libhdf5 says about why there is none.
    init(_ id: hid_t, closedBy close: @escaping Close, at place: Place, _ action: String) throws {
        try place.check(id >= 0, action)
        self.id = id
        self.close = close
    }

    deinit {
        Library.exclusively { _ = close(id) }
    }

    /// Closes now, so that a failure (data that could not be flushed) is seen.
    consuming func close(at place: Place, _ action: String) throws {
        let status = close(id)
        discard self
        try place.check(status >= 0, action)
    }
}

/// Where something happens: the file, and the object inside it. Turns what is wrong there into errors.
struct Place {
    var file: String
    var path: String

    /// Throws `HDF5Error.cannotWrite` with what libhdf5 says unless `succeeded`.
    func check(_ succeeded: Bool, _ action: String) throws {
        guard !succeeded else { return }
        throw HDF5Error.cannotWrite(file: file, path: path, action: action, reason: ErrorStack.summary())
    }

    func refused(found: String, allowed: String) -> HDF5Error {
        .refused(file: file, path: path, found: found, allowed: allowed)
    }

    /// The same file, one name further down.
    func child(_ name: String) -> Place {
        var copy = self
        copy.path = path == "/" ? "/" + name : path + "/" + name
        return copy
    }

    /// The attribute `name` of the object here.
    func attribute(_ name: String) -> Place {
        var copy = self
        copy.path = path + "@" + name
        return copy
    }
}
