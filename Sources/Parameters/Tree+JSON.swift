import Foundation

extension Tree {
    /// A JSON file may be at most this long, in bytes.
    package static let maximumJSONSize = 1 << 24

    /// Reads one JSON value, strictly (RFC 8259): no duplicate keys, no trailing commas, no comments, valid UTF-8.
    ///
    /// - Parameters:
    ///   - json: at most 16 MiB.
    ///   - file: the name that messages use.
    /// - Throws: `ParameterError` with the line.
    /// - Complexity: linear in the length, about 100 MB/s.
    package init(json: String, file: String) throws {
        guard json.utf8.count <= Self.maximumJSONSize else {
            throw ParameterError.tooLong(file: file, limit: Self.maximumJSONSize)
        }
        var json = json
        self = try json.withUTF8 { bytes in
            var reader = JSONReader(bytes: bytes, file: file)
            return try reader.document()
        }
    }

    package init(json: some Sequence<UInt8>, file: String) throws {
        guard let text = String(validating: Array(json), as: UTF8.self) else {
            throw ParameterError.syntax(file: file, line: nil, problem: "the text is not UTF-8")
        }
        try self.init(json: text, file: file)
    }

    /// Reads a JSON file.
    ///
    /// - Throws: `FileError`; `ParameterError`, also when the file is too long or not UTF-8.
    package init(jsonFile file: String) throws {
        let text = try Self.text(ofFile: file, limit: Self.maximumJSONSize)
        try self.init(json: text, file: file)
    }
}

/// A recursive-descent reader over UTF-8 that has been validated.
private struct JSONReader {
    let bytes: UnsafeBufferPointer<UInt8>
    let file: String
    var position = 0
    var line = 1
    /// The keys that lead to the value being read.
    var path: [String] = []

    init(bytes: UnsafeBufferPointer<UInt8>, file: String) {
        self.bytes = bytes
        self.file = file
    }

    mutating func document() throws -> Tree {
        let tree = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw unexpected("nothing more") }
        return tree
    }

    private mutating func value(depth: Int) throws -> Tree {
        guard depth <= Tree.maximumDepth else {
            throw failure("nested deeper than \(Tree.maximumDepth) levels")
        }
        skipSpace()
        let start = line
        switch peek {
        case UInt8(ascii: "{"): return Tree(.map(try map(depth: depth)), line: start)
        case UInt8(ascii: "["): return Tree(.list(try list(depth: depth)), line: start)
        case UInt8(ascii: "\""): return Tree(.text(try string()), line: start)
        case UInt8(ascii: "t"): return Tree(try word("true", .boolean(true)), line: start)
        case UInt8(ascii: "f"): return Tree(try word("false", .boolean(false)), line: start)
        case UInt8(ascii: "n"): return Tree(try word("null", .null), line: start)
        default: return Tree(try number(), line: start)
        }
    }

    private mutating func map(depth: Int) throws -> [Tree.Entry] {
        position += 1
        var entries: [Tree.Entry] = []
        var keys = KeyLines()
        skipSpace()
        if take("}") { return [] }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
            let keyLine = line
            let key = try string()
            path.append(key)
            if let first = keys.firstLine(of: key, among: entries) {
                throw ParameterError.duplicateKey(place, firstLine: first)
            }
            skipSpace()
            guard take(":") else { throw unexpected("':'") }
            let value = try value(depth: depth + 1)
            path.removeLast()
            entries.append(Tree.Entry(key: key, value: value, line: keyLine))
            skipSpace()
        } while take(",")
        guard take("}") else { throw unexpected("',' or '}'") }
        return entries
    }

    private mutating func list(depth: Int) throws -> [Tree] {
        position += 1
        var elements: [Tree] = []
        skipSpace()
        if take("]") { return [] }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw unexpected("',' or ']'") }
        return elements
    }

    private mutating func word(_ word: String, _ content: Tree.Content) throws -> Tree.Content {
        for byte in word.utf8 {
            guard peek == byte else { throw unexpected("'\(word)'") }
            position += 1
        }
        return content
    }
}

/// Finds keys that a map has already: by looking at all of a small one, by a table of a large one.
private struct KeyLines {
    private var lines: [String: Int?] = [:]

    /// The line of an equal key among the entries so far; nil if there is none.
    mutating func firstLine(of key: String, among entries: [Tree.Entry]) -> Int?? {
        guard entries.count >= 16 else { return entries.first { $0.key == key }.map(\.line) }
        for entry in entries[lines.count...] { lines[entry.key] = entry.line }
        return lines[key]
    }
}

// MARK: - Numbers

extension JSONReader {
    /// -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?
    private mutating func number() throws -> Tree.Content {
        let start = position
        _ = take("-")
        guard let first = peek, isDigit(first) else {
            position = start
            throw unexpected("a value")
        }
        if !take("0") { try digits() }
        var whole = true
        if take(".") {
            whole = false
            try digits()
        }
        if take("e") || take("E") {
            whole = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if whole {
            guard let value = Int(text) else {
                throw ParameterError.wrongNumber(place, found: text, allowed: "\(Int.min)…\(Int.max)")
            }
            return .integer(value)
        }
        guard let value = Double(text), value.isFinite else {
            throw ParameterError.wrongNumber(place, found: text, allowed: "a finite number")
        }
        return .real(value)
    }

    private mutating func digits() throws {
        guard let first = peek, isDigit(first) else { throw unexpected("a digit") }
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}

// MARK: - Strings

extension JSONReader {
    private mutating func string() throws -> String {
        position += 1
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            guard byte >= 0x20 else { throw failure("a control character inside a string; escape it") }
            position += 1
        }
        var text = String(decoding: bytes[start..<position], as: UTF8.self)
        if take("\"") { return text }
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"): text.unicodeScalars.append(try escape())
            case ..<0x20: throw failure("a control character inside a string; escape it")
            default:
                let begin = position - 1
                while let next = peek, next >= 0x20, next != UInt8(ascii: "\""), next != UInt8(ascii: "\\") {
                    position += 1
                }
                text += String(decoding: bytes[begin..<position], as: UTF8.self)
            }
        }
        throw failure("a string is not closed")
    }

    private mutating func escape() throws -> Unicode.Scalar {
        guard let byte = peek else { throw failure("a string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("'\\\(Unicode.Scalar(byte))' is not an escape")
        }
    }

    /// Four hexadecimal digits; characters beyond the basic plane are written as a surrogate pair.
    private mutating func unicodeEscape() throws -> Unicode.Scalar {
        let first = try fourHexadecimalDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take("\\"), take("u") else { throw failure("a lone surrogate in a string") }
        let second = try fourHexadecimalDigits()
        guard (0xDC00...0xDFFF).contains(second) else { throw failure("a lone surrogate in a string") }
        let code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        guard let scalar = Unicode.Scalar(code) else { throw failure("a lone surrogate in a string") }
        return scalar
    }

    private mutating func fourHexadecimalDigits() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("'\\u' needs four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}

// MARK: - Bytes

extension JSONReader {
    private var place: Place { Place(file: file, line: line, path: path.joined(separator: ".")) }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            default: return
            }
            position += 1
        }
    }

    private func unexpected(_ wanted: String) -> ParameterError {
        guard position < bytes.count else { return failure("the file ends where \(wanted) should stand") }
        let rest = String(decoding: bytes[position..<min(position + 12, bytes.count)], as: UTF8.self)
        let found = rest.first.map(String.init) ?? "?"
        let note = Lookalike.note(on: found).map { "; \($0)" } ?? ""
        return failure("found '\(Lookalike.visible(found))' where \(wanted) should stand\(note)")
    }

    private func failure(_ problem: String) -> ParameterError {
        .syntax(file: file, line: line, problem: problem)
    }
}
