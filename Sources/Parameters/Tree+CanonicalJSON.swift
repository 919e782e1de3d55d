extension Tree {
    /// The one JSON text of a value: keys sorted by their bytes, no spaces, the shortest digits that read back as the
    /// same number, whole reals without a fraction (`1.0` is `1`). Step keys are hashes of it.
    package var canonicalJSON: String {
        var text: [UInt8] = []
        text.reserveCapacity(512)
        writeCanonicalJSON(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private func writeCanonicalJSON(to text: inout [UInt8]) {
        switch content {
        case .null: text += "null".utf8
        case .boolean(let value): text += (value ? "true" : "false").utf8
        case .integer(let value): text += String(value).utf8
        case .real(let value):
            precondition(value.isFinite, "\(value) cannot be written as JSON")
            text += (Int(exactly: value).map(String.init) ?? "\(value)").utf8
        case .text(let value): Self.writeQuoted(value, to: &text)
        case .list(let elements):
            text.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                element.writeCanonicalJSON(to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .map(let entries):
            text.append(UInt8(ascii: "{"))
            for (index, entry) in Self.sorted(entries).enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                Self.writeQuoted(entry.key, to: &text)
                text.append(UInt8(ascii: ":"))
                entry.value.writeCanonicalJSON(to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
    }

    private static func sorted(_ entries: [Entry]) -> [Entry] {
        func inOrder(_ first: Entry, _ second: Entry) -> Bool {
            first.key.utf8.lexicographicallyPrecedes(second.key.utf8)
        }
        // Most maps come sorted already, from a text of this kind.
        return zip(entries, entries.dropFirst()).allSatisfy(inOrder) ? entries : entries.sorted(by: inOrder)
    }

    private static func writeQuoted(_ value: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): text += #"\n"#.utf8
            case UInt8(ascii: "\r"): text += #"\r"#.utf8
            case UInt8(ascii: "\t"): text += #"\t"#.utf8
            case ..<0x20:
                let digits = String(byte, radix: 16)
                text += (#"\u"# + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}

extension Tree {
    /// As one writes it in YAML on one line, where no text needs quotes: `{kind: tiny-joint, ridge: 0.1}`.
    package var flowText: String {
        switch content {
        case .text(let text): text
        case .list(let elements): "[\(elements.map(\.flowText).joined(separator: ", "))]"
        case .map(let entries):
            "{\(entries.map { "\($0.key): \($0.value.flowText)" }.joined(separator: ", "))}"
        default: canonicalJSON
        }
    }
}
