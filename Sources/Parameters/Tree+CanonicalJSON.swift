import Foundation

extension Tree {
    /// The one JSON text of a value: keys sorted by their bytes, no spaces, the shortest digits that read back as the
    /// same number, whole reals without a fraction (`1.0` is `1`). Step keys are hashes of it.
    package var canonicalJSON: String {
        var text = ""
        writeCanonicalJSON(to: &text)
        return text
    }

    private func writeCanonicalJSON(to text: inout String) {
        switch content {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .real(let value): text += Int(exactly: value).map(String.init) ?? "\(value)"
        case .text(let value): Self.writeQuoted(value, to: &text)
        case .list(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.writeCanonicalJSON(to: &text)
            }
            text += "]"
        case .map(let entries):
            text += "{"
            let sorted = entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, entry) in sorted.enumerated() {
                if index > 0 { text += "," }
                Self.writeQuoted(entry.key, to: &text)
                text += ":"
                entry.value.writeCanonicalJSON(to: &text)
            }
            text += "}"
        }
    }

    private static func writeQuoted(_ value: String, to text: inout String) {
        text += "\""
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            text += value
        } else {
            for scalar in value.unicodeScalars { writeEscaped(scalar, to: &text) }
        }
        text += "\""
    }

    private static func writeEscaped(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: text.unicodeScalars.append(scalar)
        }
    }
}

extension Tree {
    /// The tree of any encodable value; keys are those the value encodes.
    ///
    /// - Throws: `ParameterError.notEncodable`, for instance for a number that is not finite.
    package init<Value: Encodable>(encoding value: Value) throws {
        try self.init(encoding: value, with: JSONEncoder())
    }

    init<Value: Encodable>(encoding value: Value, with encoder: JSONEncoder) throws {
        let name = "\(Value.self)"
        do {
            try self.init(json: try encoder.encode(value), file: name)
        } catch EncodingError.invalidValue(let found, let context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw ParameterError.notEncodable(type: name, path: path, found: "\(found)")
        }
    }
}
