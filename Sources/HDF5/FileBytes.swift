import Glibc

#if _endian(big)
    #error("the elements in a file are little-endian, and are read as they stand")
#endif

/// The bytes of a file that is open for reading.
///
/// Every structure of a sound file has bytes of its own, and is asked for once. So all that is asked for together may
/// not be larger than the file: a small file cannot take much memory or time by structures that share their bytes.
final class FileBytes {
    /// What there is to read.
    private(set) var count: Int
    let verifiesChecksums: Bool
    private let descriptor: Int32
    /// What was asked for.
    private var claimed = 0
    private(set) var checkedBlocks: [CheckedBlock] = []

    /// Takes over an open descriptor.
    init(descriptor: Int32, count: Int, verifiesChecksums: Bool = true) {
        self.descriptor = descriptor
        self.count = count
        self.verifiesChecksums = verifiesChecksums
    }

    deinit { close(descriptor) }

    /// Ends the file where its superblock says that it ends.
    func end(at count: Int) throws {
        guard count <= self.count else {
            throw Flaw.damaged("the file has \(self.count) bytes, of \(count) that its superblock tells of")
        }
        self.count = count
    }

    /// Checks that a structure lies in the file, and that the file is large enough for all structures together.
    func claim(_ count: Int, at address: UInt64) throws {
        guard count >= 0, address <= UInt64(self.count), count <= self.count - Int(address) else {
            throw Flaw.damaged("\(count) bytes at \(address) are not in a file of \(self.count) bytes")
        }
        guard count <= self.count - claimed else {
            throw Flaw.damaged(
                "the structures together are larger than the file of \(self.count) bytes: some overlap")
        }
        claimed += count
    }

    /// The bytes of a structure.
    func read(_ count: Int, at address: UInt64) throws -> [UInt8] {
        try claim(count, at: address)
        return try values(count, at: address)
    }

    /// `count` elements from an address on, whose bytes were claimed, as they stand in the file.
    func values<Element: BitwiseCopyable>(_ count: Int, at address: UInt64) throws -> [Element] {
        var failure: Flaw?
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            failure = fill(UnsafeMutableRawBufferPointer(buffer), from: address)
            initialized = failure == nil ? count : 0
        }
        if let failure { throw failure }
        return values
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer, from address: UInt64) -> Flaw? {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, Int(address) + done)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .damaged(String(cString: strerror(errno))) }
            guard count > 0 else { return .damaged("the file became shorter while it was read") }
            done += count
        }
        return nil
    }

    /// The bytes of a structure that has a checksum, with zeros in its place.
    ///
    /// - Parameter checksum: where it begins; nil: at the end, and not among what is returned.
    func readChecked(
        _ count: Int, at address: UInt64, checksum: Int? = nil, _ name: String
    ) throws -> ArraySlice<UInt8> {
        var bytes = try read(count, at: address)
        let place = checksum ?? count - 4
        guard place >= 0, place + 4 <= count else {
            throw Flaw.damaged("a \(name) of \(count) bytes is too short")
        }
        checkedBlocks.append(CheckedBlock(start: Int(address), count: count, checksum: checksum))
        var expected = Cursor(bytes[place..<place + 4], name)
        bytes.replaceSubrange(place..<place + 4, with: repeatElement(0, count: 4))
        let covered = checksum == nil ? bytes.dropLast(4) : bytes[...]
        guard try !verifiesChecksums || expected.unsigned(4) == UInt64(metadataChecksum(covered)) else {
            throw Flaw.damaged("the checksum of a \(name) at \(address) does not fit")
        }
        return covered
    }
}

/// Bytes of a file that a checksum stands for.
package struct CheckedBlock: Hashable, Sendable {
    package var start: Int
    package var count: Int
    /// Where in the block its checksum is, which is taken with zeros there; nil: behind the bytes that it is of.
    package var checksum: Int?
}
