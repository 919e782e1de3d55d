/// Reads the fields of a structure one after the other, none beyond its end. Numbers are little-endian.
struct Cursor {
    /// The structure in words, for messages.
    private let name: String
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>, _ name: String) {
        rest = bytes
        self.name = name
    }

    /// The address that stands for "nowhere".
    static let undefined = UInt64.max

    mutating func bytes(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else {
            throw damaged("ends \(count - rest.count) bytes too early")
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func byte() throws -> UInt8 { UInt8(try unsigned(1)) }

    /// A number of 0 to 8 bytes.
    mutating func unsigned(_ size: Int) throws -> UInt64 {
        try bytes(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A number that counts something in memory.
    mutating func count(_ size: Int) throws -> Int {
        let value = try unsigned(size)
        guard let count = Int(exactly: value) else { throw damaged("has a count of \(value)") }
        return count
    }

    /// An address in the file; nil stands for none.
    mutating func address() throws -> UInt64? {
        let value = try unsigned(8)
        return value == Self.undefined ? nil : value
    }

    /// The four letters that a structure begins with.
    mutating func signature(_ letters: String) throws {
        guard try bytes(4).elementsEqual(letters.utf8) else {
            throw damaged("does not begin with \(letters)")
        }
    }

    mutating func version(_ allowed: ClosedRange<UInt8>) throws -> UInt8 {
        let version = try byte()
        guard allowed.contains(version) else {
            let range =
                allowed.count == 1 ? "\(allowed.lowerBound)" : "\(allowed.lowerBound)...\(allowed.upperBound)"
            throw Flaw.refused(found: "version \(version) of the \(name)", allowed: "version \(range)")
        }
        return version
    }

    func damaged(_ problem: String) -> Flaw { .damaged("the \(name) \(problem)") }
}
