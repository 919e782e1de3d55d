/// The block before each file of a tar archive (POSIX.1-1988 ustar; GNU tar's own differs in the magic and the prefix).
struct TarHeader: Equatable {
    enum Kind { case file, folder, extended }

    /// With the folders before it, without a leading `./`.
    var name: String
    /// Bytes of content that follow the block.
    var size: Int
    var kind: Kind

    /// What is wrong with a header.
    struct Problem: Error, Equatable { var problem: String }

    /// - Parameter block: 512 bytes, not all zero.
    init(_ block: [UInt8]) throws(Problem) {
        precondition(block.count == 512, "a header has 512 bytes, not \(block.count)")
        guard block[257..<262].elementsEqual("ustar".utf8) else {
            let kind = FileKind.name(of: block).map { "; it begins like \($0)" } ?? ""
            throw Problem(problem: "there is no tar header (they hold 'ustar')\(kind)")
        }
        let declared = try Self.octal(block[148..<156], "check sum")
        // The sum is over the block with its own field blank.
        let sum = block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(block[$1])) }
        guard declared == sum else {
            throw Problem(problem: "the header's check sum is \(sum), but it says \(declared)")
        }
        let isPOSIX = block[262] == 0
        let prefix = isPOSIX ? Self.text(block[345..<500]) : ""
        let path = (prefix.isEmpty ? "" : prefix + "/") + Self.text(block[0..<100])
        name = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        size = try Self.octal(block[124..<136], "size")
        switch block[156] {
        case 0, UInt8(ascii: "0"): kind = .file
        case UInt8(ascii: "5"): kind = .folder
        case UInt8(ascii: "x"), UInt8(ascii: "g"): kind = .extended
        case let other:
            let type = Character(UnicodeScalar(other))
            throw Problem(problem: "'\(name)' is of type '\(type)'; only files and folders are read")
        }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Digits between blanks, ended by a blank or a zero byte; 11 of them at most, so that no sum overflows.
    private static func octal(_ field: ArraySlice<UInt8>, _ what: String) throws(Problem) -> Int {
        let blank = UInt8(ascii: " ")
        let digits = field.drop { $0 == blank }.prefix {
            (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0)
        }
        let tail = field[digits.endIndex...]
        guard !digits.isEmpty, tail.allSatisfy({ $0 == blank || $0 == 0 }) else {
            throw Problem(problem: "the header's \(what) is not an octal number")
        }
        return digits.reduce(0) { $0 << 3 | Int($1 - UInt8(ascii: "0")) }
    }
}
