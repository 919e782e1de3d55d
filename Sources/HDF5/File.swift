import Glibc

/// A file opened for reading that is trusted in nothing.
///
/// It is read by this module alone: libhdf5 trusts what the metadata of a file say, and a file made for it crashes it. Only
/// hard links are followed, one name at a time, and one to each object; soft, external and user-defined links are refused, as
/// are filters, chunks, external and virtual storage, and every type but ours. Sizes are compared with what the file really
/// holds before memory is allocated. Paths are written "train/images"; a leading slash does not matter; "" or "/" is the root.
package struct File: ~Copyable {
    /// The path of the file.
    package let path: String
    let limits: Limits
    let objects: ObjectTable

    /// Opens the file `path`, which must be a regular HDF5 file.
    ///
    /// - Throws: `HDF5Error.noSuchFile`, `.cannotOpen`, `.notHDF5`, `.refused` (too large, not a regular file, of the format
    ///   before HDF5 1.8) or `.cannotRead` (truncated, corrupt).
    package init(reading path: String, limits: Limits = .standard) throws {
        let bytes = try Self.open(path, limits: limits)
        let superblock = try Place(file: path, path: "/").reading("open the file") { try Superblock(bytes) }
        self.path = path
        self.limits = limits
        objects = ObjectTable(bytes, root: superblock.root)
    }

    /// The blocks of metadata that were read so far, with their checksums.
    package var checkedBlocks: [CheckedBlock] { objects.bytes.checkedBlocks }

    /// The version of libhdf5 that is loaded, as "1.10.8".
    package static var libraryVersion: String { Library.version }

    /// Looks at kind, size and signature.
    private static func open(_ path: String, limits: Limits) throws -> FileBytes {
        let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? HDF5Error.noSuchFile(file: path)
                : HDF5Error.cannotOpen(file: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        let isKnown = fstat(descriptor, &status) == 0
        let reason = String(cString: strerror(errno))
        let bytes = FileBytes(
            descriptor: descriptor, count: Int(status.st_size), verifiesChecksums: limits.verifiesChecksums)
        guard isKnown else { throw HDF5Error.cannotOpen(file: path, reason: reason) }
        let place = Place(file: path, path: "/")
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw place.refused(found: "a folder, pipe or device", allowed: "a regular file")
        }
        guard bytes.count <= limits.fileBytes else {
            throw place.refused(
                found: "a file of \(bytes.count) bytes", allowed: "files of at most \(limits.fileBytes) bytes"
            )
        }
        let start: [UInt8] = try place.reading("open the file") {
            try bytes.values(min(8, bytes.count), at: 0)
        }
        guard start == Superblock.signature else {
            throw HDF5Error.notHDF5(file: path, found: describe(start))
        }
        return bytes
    }

    /// The bytes as they would stand in a string literal.
    private static func describe(_ bytes: [UInt8]) -> String {
        guard !bytes.isEmpty else { return "nothing (it is empty)" }
        return bytes.map { byte in
            if (0x20..<0x7f).contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16)
            return "\\x" + (digits.count == 1 ? "0" + digits : digits)
        }.joined()
    }
}

/// The objects of a file, each read once.
final class ObjectTable {
    let bytes: FileBytes
    let root: UInt64
    private var known: [UInt64: (object: StoredObject, path: String)] = [:]

    init(_ bytes: FileBytes, root: UInt64) {
        self.bytes = bytes
        self.root = root
    }

    /// The object at an address, which a link at `place` leads to.
    ///
    /// An object that two links lead to is refused: a tree has none, and a file could make a loop of it.
    func object(at address: UInt64, _ limits: Limits, place: Place) throws -> StoredObject {
        if let (object, path) = known[address] {
            guard path == place.path else {
                throw place.refused(
                    found: "a second link to an object met before, at \(path)",
                    allowed: "one link to each object")
            }
            return object
        }
        let object = try place.reading("open the object") {
            try StoredObject(at: address, in: bytes, limits: limits)
        }
        known[address] = (object, place.path)
        return object
    }
}

/// How much a file may ask of the reader before it is refused.
package struct Limits: Sendable, Equatable {
    /// The size of the file, in bytes.
    package var fileBytes = 1 << 34
    /// The elements of one dataset, in bytes.
    package var datasetBytes = 1 << 33
    /// One attribute, in bytes.
    package var attributeBytes = 1 << 24
    /// The name of an object or attribute, in bytes of UTF-8.
    package var nameBytes = 255
    /// The children of one group, and the attributes of one object.
    package var children = 65_536
    /// The groups below each other.
    package var depth = 32

    /// Whether the checksums of metadata are looked at. They find accidents; tests that change files on purpose do without.
    package var verifiesChecksums = true

    /// The most dimensions a dataset may have: as many as HDF5 knows.
    static let rank = 32

    package init() {}

    /// 16 GiB files, 8 GiB datasets, 16 MiB attributes, 255-byte names, 65,536 children, 32 levels.
    package static let standard = Limits()
}
