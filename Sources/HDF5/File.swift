import CHDF5
import Glibc

/// A file opened for reading that is trusted in nothing.
///
/// Only hard links are followed, one name at a time; soft, external and user-defined links are refused, as are filters,
/// chunks, external and virtual storage, and every type but ours. Sizes are compared with what the file really
/// holds before memory is allocated. Paths are written "train/images"; a leading slash does not matter; "" or "/" is the root.
package struct File: ~Copyable {
    /// The path of the file.
    package let path: String
    let limits: Limits
    /// The size of the file when it was opened, in bytes.
    let byteCount: Int
    let handle: Handle

    /// Opens the file `path`, which must be a regular HDF5 file.
    ///
    /// - Throws: `HDF5Error.noSuchFile`, `.cannotOpen`, `.notHDF5`, `.refused` (too large, not a regular file) or
    ///   `.cannotRead` (truncated, corrupt).
    package init(reading path: String, limits: Limits = .standard) throws {
        let byteCount = try Self.inspect(path, limits: limits)
        let handle = try Library.exclusively { try Self.open(path) }
        self.path = path
        self.limits = limits
        self.byteCount = byteCount
        self.handle = handle
    }

    /// Read only, without locks (objects of the store never change), and closing takes everything below along.
    private static func open(_ path: String) throws -> Handle {
        let place = Place(file: path, path: "/")
        let access = try Handle(
            H5Pcreate(chdf5_file_access()), closedBy: H5Pclose, at: place, "make a property list")
        try place.check(
            H5Pset_fapl_sec2(access.id) >= 0
                && H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) >= 0
                && H5Pset_file_locking(access.id, false, true) >= 0, "set up the file")
        return try Handle(
            H5Fopen(path, chdf5_read_only(), access.id), closedBy: H5Fclose, at: place, "open the file")
    }

    /// The version of libhdf5 that is loaded, as "1.10.8".
    package static var libraryVersion: String { Library.version }

    /// What is looked at before libhdf5 sees the file: kind, size and signature. Returns the size.
    private static func inspect(_ path: String, limits: Limits) throws -> Int {
        let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? HDF5Error.noSuchFile(file: path)
                : HDF5Error.cannotOpen(file: path, reason: String(cString: strerror(errno)))
        }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw HDF5Error.cannotOpen(file: path, reason: String(cString: strerror(errno)))
        }
        let place = Place(file: path, path: "/")
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw place.refused(found: "a folder, pipe or device", allowed: "a regular file")
        }
        let size = Int(status.st_size)
        guard size <= limits.fileBytes else {
            throw place.refused(
                found: "a file of \(size) bytes", allowed: "files of at most \(limits.fileBytes) bytes")
        }
        var start = [UInt8](repeating: 0, count: signature.count + 1)
        let count = pread(descriptor, &start, start.count, 0)
        guard count == start.count, start.starts(with: signature) else {
            throw HDF5Error.notHDF5(file: path, found: describe(start.prefix(max(0, count)).prefix(8)))
        }
        guard let version = start.last, version >= 2 || limits.acceptsOldFormat else {
            throw place.refusedOldFormat("superblock", version: Int(start[signature.count]))
        }
        return size
    }

    private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

    /// The bytes as they would stand in a string literal.
    private static func describe(_ bytes: ArraySlice<UInt8>) -> String {
        guard !bytes.isEmpty else { return "nothing (it is empty)" }
        return bytes.map { byte in
            if (0x20..<0x7f).contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16)
            return "\\x" + (digits.count == 1 ? "0" + digits : digits)
        }.joined()
    }
}

extension Place {
    func refusedOldFormat(_ structure: String, version: Int) -> HDF5Error {
        refused(
            found: "a \(structure) of version \(version), whose metadata have no checksums",
            allowed: "version 2 or later (h5py: libver=('v108', 'v110'); or h5repack --low=1 IN OUT)")
    }
}
