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
    init?(matching type: hid_t) {
        guard let match = Self.allCases.first(where: { H5Tequal(type, $0.inFile) > 0 }) else { return nil }
        self = match
    }

    /// A datatype in words, for messages: "big-endian 32-bit integer".
    static func describe(_ type: hid_t) -> String {
        if let ours = ElementType(matching: type) { return ours.rawValue }
        let order = H5Tget_order(type) == H5T_ORDER_BE ? "big-endian " : ""
        let bits = H5Tget_size(type) * 8
        switch H5Tget_class(type) {
        case H5T_INTEGER:
            let sign = H5Tget_sign(type) == H5T_SGN_NONE ? "unsigned " : ""
            return "\(order)\(sign)\(bits)-bit integer"
        case H5T_FLOAT: return "\(order)\(bits)-bit floating point"
        case H5T_STRING: return H5Tis_variable_str(type) > 0 ? "variable-length string" : "string"
        case H5T_COMPOUND: return "compound type"
        case H5T_REFERENCE: return "reference"
        case H5T_ENUM: return "enumeration"
        case H5T_VLEN: return "variable-length type"
        case H5T_ARRAY: return "array type"
        case H5T_BITFIELD: return "bit field"
        case H5T_OPAQUE: return "opaque type"
        case H5T_TIME: return "time"
        default: return "unknown type"
        }
    }
}
