/// Takes out of a source file what does not change the program: comments, blank lines, indentation, and more
/// than one space between words. Literals stay byte for byte.
///
/// Where the two cannot be told apart, something is kept that could go, never the other way round: a digest
/// that changes without need costs a run, one that does not change costs the result.
struct Stripper {
    enum Language { case swift, c }

    private let source: [UInt8]
    private let language: Language
    private var position = 0
    private var output: [UInt8] = []
    /// White space was passed that has not been written yet.
    private var pendingSpace = false

    static func strip(_ source: [UInt8], language: Language) -> [UInt8] {
        var stripper = Stripper(source: source, language: language)
        stripper.code(until: nil)
        stripper.newline()
        return stripper.output
    }

    private init(source: [UInt8], language: Language) {
        self.source = source
        self.language = language
        output.reserveCapacity(source.count)
    }

    // MARK: Code

    /// Passes over code to its end, or to the parenthesis that closes an interpolation.
    private mutating func code(until closing: UInt8?) {
        var depth = 0
        while let byte = peek() {
            switch byte {
            case "\n", "\r": newline(); position += 1
            case " ", "\t", "\u{B}", "\u{C}": pendingSpace = true; position += 1
            case "/" where peek(1) == "/": lineComment()
            case "/" where peek(1) == "*": blockComment()
            case "(" where closing != nil: depth += 1; take()
            case ")" where closing != nil:
                take()
                if depth == 0 { return }
                depth -= 1
            default: language == .swift ? swiftToken() : cToken()
            }
        }
    }

    private mutating func lineComment() {
        while let byte = peek(), byte != "\n", byte != "\r" {
            // In C a backslash at the end of the line takes the next line into the comment.
            let isContinued = language == .c && byte == "\\" && (peek(1) == "\n" || peek(1) == "\r")
            position += isContinued ? (peek(1) == "\r" && peek(2) == "\n" ? 3 : 2) : 1
        }
    }

    /// In Swift they nest, and one that spans lines ends the line; in C neither.
    private mutating func blockComment() {
        var depth = 0
        var spansLines = false
        repeat {
            guard let byte = peek() else { return }
            if byte == "/" && peek(1) == "*" && (language == .swift || depth == 0) {
                depth += 1
                position += 2
            } else if byte == "*" && peek(1) == "/" {
                depth -= 1
                position += 2
            } else {
                spansLines = spansLines || byte == "\n" || byte == "\r"
                position += 1
            }
        } while depth > 0
        if spansLines && language == .swift { newline() } else { pendingSpace = true }
    }

    /// Copies a word: letters, digits, underscores, and everything outside ASCII.
    private mutating func word() {
        while let byte = peek(), Self.isWord(byte) { take() }
    }

    // MARK: Swift

    private mutating func swiftToken() {
        guard let byte = peek() else { return }
        switch byte {
        case "\"": swiftString(hashes: 0)
        case "#":
            let hashes = count(of: "#")
            switch peek(hashes) {
            case "\"": swiftString(hashes: hashes)
            case "/": regularExpression(hashes: hashes)
            default: take(hashes)
            }
        case "`": quotedName()
        case "/" where startsRegularExpression(): regularExpression(hashes: 0)
        case _ where Self.isWord(byte): word()
        default: take()
        }
    }

    private mutating func swiftString(hashes: Int) {
        take(hashes)
        let isMultiline = count(of: "\"") >= 3 && !closesOnThisLine(hashes: hashes)
        let quotes = isMultiline ? 3 : 1
        take(quotes)
        while let byte = peek() {
            if byte == "\"" && count(of: "\"") >= quotes && count(of: "#", from: quotes) >= hashes {
                return take(quotes + hashes)
            } else if byte == "\\" && count(of: "#", from: 1) >= hashes {
                take(1 + hashes)
                if peek() == "(" {
                    take()
                    code(until: ")")
                } else if peek() != nil {
                    take()
                }
            } else if !isMultiline && (byte == "\n" || byte == "\r") {
                return
            } else {
                take()
            }
        }
    }

    /// Whether `#"""#` is one quote between delimiters, not the start of a multi-line string.
    private func closesOnThisLine(hashes: Int) -> Bool {
        guard hashes > 0 else { return false }
        var offset = 1
        while let byte = peek(offset), byte != "\n", byte != "\r" {
            if byte == "\"" && count(of: "#", from: offset + 1) >= hashes { return true }
            offset += 1
        }
        return false
    }

    /// A name in backticks may hold anything but a backtick and a line's end.
    private mutating func quotedName() {
        take()
        while let byte = peek(), byte != "`", byte != "\n", byte != "\r" { take() }
        if peek() == "`" { take() }
    }

    /// Whether the slash here stands where only a prefix can, and another one closes it on the same line.
    private func startsRegularExpression() -> Bool {
        let isAfterGap = pendingSpace || output.last.map { "\n([{,;:!".utf8.contains($0) } ?? true
        guard isAfterGap, let next = peek(1), !" \t\n\r)".utf8.contains(next) else { return false }
        var offset = 1
        while let byte = peek(offset), byte != "\n", byte != "\r" {
            if byte == "/" { return true }
            offset += byte == "\\" ? 2 : 1
        }
        return false
    }

    private mutating func regularExpression(hashes: Int) {
        take(hashes + 1)
        let isMultiline = hashes > 0 && (peek() == "\n" || peek() == "\r")
        while let byte = peek(), isMultiline || (byte != "\n" && byte != "\r") {
            if byte == "/" && count(of: "#", from: 1) >= hashes { return take(1 + hashes) }
            take(byte == "\\" && peek(1) != "\n" ? 2 : 1)
        }
    }

    // MARK: C

    private mutating func cToken() {
        guard let byte = peek() else { return }
        switch byte {
        case "\"", "'": cLiteral(byte)
        case "0"..."9":
            // An apostrophe between digits is a separator, not the start of a character.
            while let next = peek(),
                Self.isWord(next) || next == "." || (next == "'" && peek(1).map(Self.isWord) == true)
            {
                take()
            }
        case _ where Self.isWord(byte): word()
        default: take()
        }
    }

    /// A string or character; it ends with its line, as an apostrophe in an `#error` does.
    private mutating func cLiteral(_ quote: UInt8) {
        take()
        while let byte = peek(), byte != "\n", byte != "\r" {
            if byte == quote { return take() }
            take(byte == "\\" ? (peek(1) == "\r" && peek(2) == "\n" ? 3 : 2) : 1)
        }
    }

    // MARK: Bytes

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < source.count ? source[position + offset] : nil
    }

    private func count(of byte: UInt8, from offset: Int = 0) -> Int {
        var count = 0
        while peek(offset + count) == byte { count += 1 }
        return count
    }

    /// Copies bytes as they are, after the space that is due.
    private mutating func take(_ count: Int = 1) {
        if pendingSpace, let last = output.last, last != "\n" { output.append(" ") }
        pendingSpace = false
        let end = min(position + count, source.count)
        output += source[position..<end]
        position = end
    }

    /// Ends a line, unless nothing stands on it.
    private mutating func newline() {
        pendingSpace = false
        if let last = output.last, last != "\n" { output.append("\n") }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case "a"..."z", "A"..."Z", "0"..."9", "_", 0x80...: true
        default: false
        }
    }
}

extension UInt8: @retroactive ExpressibleByUnicodeScalarLiteral {
    /// The byte of an ASCII character.
    public init(unicodeScalarLiteral scalar: Unicode.Scalar) { self = UInt8(ascii: scalar) }
}
