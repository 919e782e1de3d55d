/// Characters that cannot be seen, or look like others: what they are and what to write instead.
enum Lookalike {
    /// `U+00A0, no-break space`
    static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        if scalar == "\t" { return "\(code), tab" }
        let name = scalar.properties.name ?? scalar.properties.nameAlias
        return name.map { "\(code), \($0.lowercased())" } ?? code
    }

    /// A text for a message: invisible characters by their codes, and not too long.
    static func visible(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars.prefix(limit) {
            if isVisible(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += "<\(name(scalar).prefix { $0 != "," })>"
            }
        }
        return text.unicodeScalars.dropFirst(limit).isEmpty ? shown : shown + "…"
    }

    /// What a reader of the text might not see; nil for plain ASCII.
    static func note(on text: String) -> String? {
        let odd = text.unicodeScalars.filter { isOdd($0) }
        guard let scalar = odd.first(where: { !isVisible($0) }) ?? odd.first else { return nil }
        return "it holds \(described(scalar))"
    }

    /// The character that most likely breaks YAML in these lines (from 1), or an invisible one before them; the last
    /// line is looked at first.
    static func hint(in bytes: UnsafeBufferPointer<UInt8>, lines: ClosedRange<Int>) -> String? {
        let text = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for line in (1...lines.upperBound).reversed() where line <= text.count {
            let scalars = String(decoding: text[line - 1], as: UTF8.self).unicodeScalars
            let indentation = scalars.prefix { $0.properties.isWhitespace || !isVisible($0) }
            guard scalars.dropFirst(indentation.count).first != "#" || indentation.contains("\t") else {
                continue
            }
            var suspect =
                indentation.firstIndex { $0 == "\t" }
                ?? scalars.firstIndex {
                    isOdd($0) && !isVisible($0) && !"\u{FEFF}\t\r".unicodeScalars.contains($0)
                }
            if suspect == nil, lines.contains(line) {
                suspect =
                    scalars.firstIndex { isOdd($0) && isPunctuation($0) } ?? scalars.firstIndex { $0 == "\t" }
            }
            guard let suspect else { continue }
            let column = scalars.distance(from: scalars.startIndex, to: suspect) + 1
            return "line \(line) holds \(described(scalars[suspect])) in column \(column)"
        }
        return nil
    }

    // MARK: Kinds of characters

    /// Longest text that a message quotes.
    private static let limit = 120

    /// `a no-break space (U+00A0); write a space`
    private static func described(_ scalar: Unicode.Scalar) -> String {
        let shown = isVisible(scalar) ? "'\(scalar)'" : "an invisible character"
        return "\(shown) (\(name(scalar)))" + (advice(scalar).map { ": \($0)" } ?? "")
    }

    private static func advice(_ scalar: Unicode.Scalar) -> String? {
        if (0xFF01...0xFF5E).contains(scalar.value), let plain = Unicode.Scalar(scalar.value - 0xFEE0) {
            return "write '\(plain)'"
        }
        switch scalar.properties.generalCategory {
        case .control where scalar == "\t": return "write spaces"
        case .spaceSeparator: return "write a space"
        case .lineSeparator, .paragraphSeparator: return "write a line break"
        case .control, .format: return "remove it"
        case .dashPunctuation: return "write '-'"
        case .initialPunctuation, .finalPunctuation, .openPunctuation: return "write ' or \""
        case .mathSymbol where scalar == "\u{2212}": return "write '-'"
        default: return nil
        }
    }

    /// Our own messages write `…`.
    private static func isOdd(_ scalar: Unicode.Scalar) -> Bool {
        !(0x20...0x7E).contains(scalar.value) && scalar != "…"
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .dashPunctuation, .initialPunctuation, .finalPunctuation, .openPunctuation, .closePunctuation,
            .otherPunctuation, .connectorPunctuation, .mathSymbol:
            true
        default: false
        }
    }
}

/// Finds the word that was probably meant.
package enum Spelling {
    /// The nearest candidate, if it is near: at most one edit for every three letters, or a word that the other begins with.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let limit = max(1, word.count / 3)
        let near = candidates.map { (candidate: $0, edits: edits(from: word, to: $0)) }
            .filter { $0.edits <= limit }
            .min { $0.edits < $1.edits }
        if let near { return near.candidate }
        guard word.count >= 3 else { return nil }
        return candidates.filter { $0.hasPrefix(word) || (word.hasPrefix($0) && $0.count >= 3) }
            .min { $0.count < $1.count }
    }

    /// How many letters must be inserted, removed, replaced or swapped with their neighbour (optimal string alignment).
    ///
    /// - Complexity: the product of the lengths; words are cut at 64 letters.
    static func edits(from first: String, to second: String) -> Int {
        let a = Array(first.prefix(64))
        let b = Array(second.prefix(64))
        var table = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { table[i][0] = i }
        for j in 0...b.count { table[0][j] = j }
        guard !a.isEmpty, !b.isEmpty else { return a.count + b.count }
        for i in 1...a.count {
            for j in 1...b.count {
                let replaced = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, replaced)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
                }
            }
        }
        return table[a.count][b.count]
    }
}
