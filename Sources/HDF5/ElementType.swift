import CHDF5

/// The four element types of our datasets, little-endian in the file.
package enum ElementType: String, Sendable, CaseIterable {
    case uint8, int64, float32, float64

    /// Bytes per element.
    package var size: Int {
        switch self {
        case .uint8: 1
        case .float32: 4
        case .int64, .float64: 8
        }
    }

    /// The type as it stands in a file. Belongs to libhdf5: never closed.
    var inFile: hid_t {
        switch self {
        case .uint8: chdf5_uint8_little()
        case .int64: chdf5_int64_little()
        case .float32: chdf5_float32_little()
        case .float64: chdf5_float64_little()
        }
    }

    /// The type as it stands in memory.
    var inMemory: hid_t {
        switch self {
        case .uint8: chdf5_uint8_native()
        case .int64: chdf5_int64_native()
        case .float32: chdf5_float32_native()
        case .float64: chdf5_float64_native()
        }
    }

    /// The element type that equals a datatype of a file exactly, if one does.
    init?(matching type: Datatype) {
        guard (1...3).contains(type.version),
            let match = Self.allCases.first(where: { match in
                guard type.size == match.size else { return false }
                let (kind, flags, properties) = match.encoding
                return type.kind == kind && type.flags == flags && type.properties.starts(with: properties)
            })
        else { return nil }
        self = match
    }

    /// How the type is described in a file: kind, flags, and the places and numbers of bits.
    private var encoding: (kind: UInt8, flags: UInt32, properties: [UInt8]) {
        switch self {
        case .uint8: (0, 0, [0, 0, 8, 0])
        case .int64: (0, 8, [0, 0, 64, 0])
        case .float32: (1, 31 << 8 | 0x20, [0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0])
        case .float64: (1, 63 << 8 | 0x20, [0, 0, 64, 0, 52, 11, 0, 52, 0xff, 0x03, 0, 0])
        }
    }

    /// A datatype in words, for messages: "big-endian 32-bit integer".
    static func describe(_ type: Datatype) -> String {
        if let ours = ElementType(matching: type) { return ours.rawValue }
        let order = type.flags & 1 == 1 ? "big-endian " : ""
        let bits = type.size * 8
        switch type.kind {
        case 0: return "\(order)\(type.flags & 8 == 0 ? "unsigned " : "")\(bits)-bit integer"
        case 1: return "\(order)\(bits)-bit floating point"
        case 2: return "time"
        case 3: return "string"
        case 4: return "bit field"
        case 5: return "opaque type"
        case 6: return "compound type"
        case 7: return "reference"
        case 8: return "enumeration"
        case 9: return type.flags & 0x0f == 1 ? "variable-length string" : "variable-length type"
        case 10: return "array type"
        default: return "unknown type"
        }
    }
}

extension Datatype {
    var isFixedLengthString: Bool { kind == 3 }
}
