import CHDF5
import Glibc

/// The bytes of a file while libhdf5 puts it together in memory.
///
/// libhdf5 1.10.8 dereferences a null pointer when the last metadata of a file do not fit on the disk, and
/// `H5Fget_file_image` gives a superblock with a wrong checksum. So the file is made in memory that this object
/// lends to libhdf5 and still has after the file is closed.
final class Image {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0

    deinit { free(memory) }

    /// Makes files opened with this access list live in this image, which must outlive them.
    func lend(to access: borrowing Handle, at place: Place) throws {
        var callbacks = H5FD_file_image_callbacks_t()
        callbacks.image_malloc = { size, _, image in Image.resize(image, to: size) }
        callbacks.image_realloc = { _, size, _, image in Image.resize(image, to: size) }
        callbacks.image_free = { _, _, _ in 0 }
        callbacks.udata_copy = { $0 }
        callbacks.udata_free = { _ in 0 }
        callbacks.udata = Unmanaged.passUnretained(self).toOpaque()
        try place.check(
            H5Pset_fapl_core(access.id, 1 << 16, false) >= 0
                && H5Pset_file_image_callbacks(access.id, &callbacks) >= 0, "set aside memory for the file")
    }

    private static func resize(_ image: UnsafeMutableRawPointer?, to size: Int) -> UnsafeMutableRawPointer? {
        guard let image else { return nil }
        return Unmanaged<Image>.fromOpaque(image).takeUnretainedValue().resize(to: size)
    }

    private func resize(to size: Int) -> UnsafeMutableRawPointer? {
        guard let resized = realloc(memory, size) else { return nil }
        memory = resized
        capacity = size
        return resized
    }

    /// The finished file: what the superblock (version 2) says is its end, which is less than the memory lent.
    func withContent(at place: Place, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let (versionOffset, endOffset, superblockSize) = (8, 28, 48)
        let bytes = UnsafeRawBufferPointer(start: memory, count: capacity)
        guard capacity >= superblockSize, bytes[versionOffset] == 2 else {
            throw place.invalid("libhdf5 \(Library.version) made a superblock of an unknown version")
        }
        let end = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: endOffset, as: UInt64.self))
        guard let count = Int(exactly: end), (superblockSize...capacity).contains(count) else {
            throw place.invalid("libhdf5 \(Library.version) wrote \(capacity) bytes of \(end)")
        }
        try body(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
}
