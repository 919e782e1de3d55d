/// The beginning of a file: where the root group is, and how long the file is.
struct Superblock {
    static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
    /// The bytes of versions 2 and 3.
    private static let size = 48

    let root: UInt64

    /// Reads a superblock of version 2 or 3, of a file whose signature was seen.
    init(_ bytes: FileBytes) throws {
        guard bytes.count >= Self.size else { throw Flaw.damaged("the superblock is cut off") }
        let all: [UInt8] = try bytes.values(Self.size, at: 0)
        var fields = Cursor(all[Self.signature.count...], "superblock")
        let version = Int(all[Self.signature.count])
        guard version >= 2 else { throw Flaw.oldFormat("superblock", version: version) }
        _ = try fields.version(2...3)
        _ = try bytes.readChecked(Self.size, at: 0, "superblock")
        let sizes = try (fields.byte(), fields.byte())
        guard sizes == (8, 8) else {
            throw Flaw.refused(
                found: "addresses of \(sizes.0) and lengths of \(sizes.1) bytes", allowed: "8 and 8")
        }
        // Version 2 has no use for the flags.
        let flags = try fields.byte()
        guard flags == 0 || version == 2 else {
            throw Flaw.refused(
                found: "a file that a program has open for writing, or had when it was stopped",
                allowed: "closed files (h5clear --status FILE)")
        }
        guard try fields.unsigned(8) == 0 else {
            throw Flaw.refused(found: "a base address", allowed: "addresses from the start of the file")
        }
        let `extension` = try fields.address()
        try bytes.end(at: try fields.count(8))
        if let `extension` { try Self.checkExtension(at: `extension`, in: bytes) }
        guard let root = try fields.address() else {
            throw Flaw.damaged("the superblock names no root group")
        }
        self.root = root
    }

    /// What else a file says of itself may tell how it manages its space, but not where else to read.
    private static func checkExtension(at address: UInt64, in bytes: FileBytes) throws {
        let harmless: Set<UInt8> = [0x00, MessageType.treeSizes, MessageType.freeSpace]
        for message in try ObjectHeader(at: address, in: bytes).messages
        where !harmless.contains(message.type) {
            throw Flaw.refused(
                found:
                    "a superblock extension with a message of type \(message.type) (metadata cache, shared messages)",
                allowed: "files without (h5repack --low=1 -l CONTI IN OUT)")
        }
    }
}
