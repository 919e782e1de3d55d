/// How the elements of a dataset or attribute are encoded.
struct Datatype: Equatable {
    /// 0 integer, 1 floating point, 3 string, …
    var kind: UInt8
    var version: UInt8
    /// Byte order, sign, padding and the like, by kind.
    var flags: UInt32
    /// Bytes per element.
    var size: Int
    /// What the kind needs beyond: positions and numbers of bits; the rest of the message behind them.
    var properties: ArraySlice<UInt8>

    init(_ message: ArraySlice<UInt8>) throws {
        var fields = Cursor(message, "datatype")
        let first = try fields.byte()
        kind = first & 0x0f
        version = first >> 4
        flags = UInt32(try fields.unsigned(3))
        size = try fields.count(4)
        properties = fields.rest
    }
}

/// How many elements there are, and in which shape.
struct Dataspace: Equatable {
    /// The extents, outermost first; [] for one element, nil for none at all.
    var extents: [UInt64]?

    init(_ message: ArraySlice<UInt8>) throws {
        var fields = Cursor(message, "dataspace")
        let version = try fields.version(1...2)
        let rank = Int(try fields.byte())
        _ = try fields.byte()
        let kind = version == 1 ? 1 : try fields.byte()
        if version == 1 { _ = try fields.bytes(5) }
        guard rank <= Limits.rank, kind <= 2, kind == 1 || rank == 0 else {
            throw fields.damaged("of kind \(kind) has rank \(rank)")
        }
        guard kind != 2 else { return }
        extents = try (0..<rank).map { _ in try fields.unsigned(8) }
    }
}

/// Where the elements of a dataset are.
enum Storage: Equatable {
    /// In one piece of the file; nil where there is none yet.
    case contiguous(address: UInt64?, count: UInt64)
    /// In the object header itself.
    case compact(ArraySlice<UInt8>)
    case chunked, virtual, unknown

    init(_ message: ArraySlice<UInt8>) throws {
        var fields = Cursor(message, "layout")
        _ = try fields.version(3...4)
        switch try fields.byte() {
        case 0: self = .compact(try fields.bytes(try fields.count(2)))
        case 1: self = .contiguous(address: try fields.address(), count: try fields.unsigned(8))
        case 2: self = .chunked
        case 3: self = .virtual
        default: self = .unknown
        }
    }
}

/// A name in a group, and what it leads to.
struct Link {
    enum Target: Equatable {
        case hard(UInt64)
        case soft, external, userDefined
    }

    var name: ArraySlice<UInt8>
    var target: Target

    init(_ message: ArraySlice<UInt8>) throws {
        var fields = Cursor(message, "link")
        _ = try fields.version(1...1)
        let flags = try fields.byte()
        let kind = flags & 0x08 == 0 ? 0 : try fields.byte()
        if flags & 0x04 != 0 { _ = try fields.bytes(8) }
        if flags & 0x10 != 0 { _ = try fields.byte() }
        name = try fields.bytes(try fields.count(1 << Int(flags & 3)))
        switch kind {
        case 0:
            guard let address = try fields.address() else { throw fields.damaged("leads nowhere") }
            target = .hard(address)
        case 1: target = .soft
        case 64: target = .external
        default: target = .userDefined
        }
    }
}

/// An attribute as it stands in the file.
struct StoredAttribute {
    var name: ArraySlice<UInt8>
    var type: Datatype
    var space: Dataspace
    /// The elements, and perhaps padding.
    var content: ArraySlice<UInt8>

    init(_ message: ArraySlice<UInt8>) throws {
        var fields = Cursor(message, "attribute")
        let version = try fields.version(1...3)
        let flags = try fields.byte()
        guard version == 1 || flags & 3 == 0 else {
            throw Flaw.refused(
                found: "an attribute of a named datatype", allowed: "types in the attribute itself")
        }
        let counts = try (fields.count(2), fields.count(2), fields.count(2))
        if version == 3 { _ = try fields.byte() }
        func field(_ count: Int) throws -> ArraySlice<UInt8> {
            let bytes = try fields.bytes(count)
            if version == 1 { _ = try fields.bytes((8 - count % 8) % 8) }
            return bytes
        }
        name = try field(counts.0)
        guard name.popLast() == 0 else { throw fields.damaged("has a name without an end") }
        type = try Datatype(try field(counts.1))
        space = try Dataspace(try field(counts.2))
        content = fields.rest
    }
}
