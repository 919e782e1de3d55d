/// The messages of an object header of version 2: what an object is, as a list of small structures.
struct ObjectHeader {
    struct Message {
        var type: UInt8
        var body: ArraySlice<UInt8>
    }

    private(set) var messages: [Message] = []
    /// Whether messages carry the order of their creation.
    private var hasOrder = false
    /// The blocks that other messages are in.
    private var continuations: [(address: UInt64, count: Int)] = []

    init(at address: UInt64, in bytes: FileBytes) throws {
        // The fields before the messages are 7 to 34 bytes; how many, and how many messages, the flags tell.
        let lead: [UInt8] = try Self.lead(at: address, in: bytes)
        var fields = Cursor(lead[...], "object header")
        guard lead.first != 1 else { throw Flaw.oldFormat("header", version: 1) }
        try fields.signature("OHDR")
        _ = try fields.version(2...2)
        let flags = try fields.byte()
        if flags & 0x20 != 0 { _ = try fields.bytes(16) }
        if flags & 0x10 != 0 { _ = try fields.bytes(4) }
        hasOrder = flags & 0x04 != 0
        let size = try fields.count(1 << Int(flags & 3))
        let start = lead.count - fields.rest.count
        guard size <= bytes.count else { throw fields.damaged("is of \(size) bytes") }
        let block = try bytes.readChecked(start + size + 4, at: address, "object header")
        try append(block.dropFirst(start))
        // A block may name others. None is read twice: together they are not larger than the file.
        while let next = continuations.popLast() {
            let block = try bytes.readChecked(next.count, at: next.address, "continued object header")
            var fields = Cursor(block, "continued object header")
            try fields.signature("OCHK")
            try append(fields.rest)
        }
    }

    private static func lead(at address: UInt64, in bytes: FileBytes) throws -> [UInt8] {
        guard address < UInt64(bytes.count) else {
            throw Flaw.damaged("an object at \(address) is not in a file of \(bytes.count) bytes")
        }
        return try bytes.values(min(34, bytes.count - Int(address)), at: address)
    }

    /// The messages of a block. What is left at its end and is too short for a message is a gap.
    private mutating func append(_ block: ArraySlice<UInt8>) throws {
        var fields = Cursor(block, "object header")
        let lead = hasOrder ? 6 : 4
        while fields.rest.count >= lead {
            let type = try fields.byte()
            let size = try fields.count(2)
            let flags = try fields.byte()
            _ = try fields.bytes(lead - 4)
            let body = try fields.bytes(size)
            guard flags & 2 == 0 else { throw Flaw.sharedMessage }
            if type == MessageType.continuation {
                var target = Cursor(body, "continuation")
                guard let address = try target.address() else { throw target.damaged("leads nowhere") }
                let count = try target.count(8)
                guard count >= 8 else { throw target.damaged("of \(count) bytes is too short") }
                continuations.append((address, count))
            } else {
                messages.append(Message(type: type, body: body))
            }
        }
    }
}

/// The messages that a sound file of ours, or of other programs, may have.
enum MessageType {
    static let dataspace: UInt8 = 0x01
    static let linkInformation: UInt8 = 0x02
    static let datatype: UInt8 = 0x03
    static let link: UInt8 = 0x06
    static let externalFiles: UInt8 = 0x07
    static let layout: UInt8 = 0x08
    static let filters: UInt8 = 0x0b
    static let attribute: UInt8 = 0x0c
    static let continuation: UInt8 = 0x10
    static let symbolTable: UInt8 = 0x11
    static let attributeInformation: UInt8 = 0x15
    /// In the superblock's extension alone.
    static let treeSizes: UInt8 = 0x13
    static let freeSpace: UInt8 = 0x17
    /// Nothing, fill values (old and new), group information, a comment, times (old and new), a count of links: they do
    /// not change what is read.
    static let withoutEffect: [UInt8] = [0x00, 0x04, 0x05, 0x0a, 0x0d, 0x0e, 0x12, 0x16]
}
