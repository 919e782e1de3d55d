/// The content of an IDX file of unsigned bytes: LeCun's format for MNIST and its successors.
///
/// Two zero bytes, the element type, the rank, one big-endian 32-bit extent per dimension, then the values,
/// last dimension fastest (http://yann.lecun.com/exdb/mnist).
package struct IDXArray: Sendable, Equatable {
    /// Where it was read from.
    package let file: String
    package let shape: [Int]
    /// Row-major, `shape`'s product of them.
    package let values: [UInt8]
    /// SHA-256 of the decompressed file, 64 lower-case hexadecimal digits.
    package let digest: String

    /// The most values a file may declare when nothing else is known: 2 GiB.
    package static let standardLimit = 1 << 31

    /// Bytes before the first value.
    package var headerSize: Int { 4 + 4 * shape.count }

    /// Reads a whole file, plain or compressed.
    /// - Throws: as `init(reading:ranks:limit:)` of a stream; `DatasetError.unreadable`.
    package init(reading path: String, ranks: ClosedRange<Int>, limit: Int = standardLimit) throws {
        var stream = try ByteStream(opening: path)
        try self.init(reading: &stream, ranks: ranks, limit: limit)
    }

    /// Reads a whole content, and checks that it holds what its header declares, no more and no less.
    ///
    /// - Parameters:
    ///   - ranks: the numbers of dimensions that are allowed.
    ///   - limit: the most values the header may declare; nothing is allocated before this is checked.
    /// - Throws: `DatasetError.unreadable`, `.brokenCompression`, `.brokenTar`, `.brokenIDX`.
    init(reading stream: inout ByteStream, ranks: ClosedRange<Int>, limit: Int) throws {
        file = stream.file
        let magic = try Self.readMagic(&stream, ranks: ranks)
        let extents = try Self.readExtents(&stream, rank: Int(magic[3]))
        let count = try Self.checkedCount(extents.shape, stream, limit: limit)
        values = try stream.read(count)
        guard values.count == count else {
            throw DatasetError.brokenIDX(
                file: stream.file, offset: stream.position, found: "the end of the content",
                allowed:
                    "\(count - values.count) values more: the header declares \(described(extents.shape))")
        }
        guard try stream.read(1).isEmpty else {
            throw DatasetError.brokenIDX(
                file: stream.file, offset: stream.position - 1, found: "more bytes",
                allowed: "the end, after the \(described(extents.shape)) values that the header declares")
        }
        shape = extents.shape
        let hash = ContentHash()
        hash.update(magic)
        hash.update(extents.bytes)
        hash.update(values)
        digest = hash.finish()
    }

    private static func readMagic(_ stream: inout ByteStream, ranks: ClosedRange<Int>) throws -> [UInt8] {
        let magic = try stream.read(4)
        let file = stream.file
        guard magic.count == 4 else {
            throw DatasetError.brokenIDX(
                file: file, offset: magic.count, found: "the end of the content",
                allowed: "the 4 bytes of an IDX magic number")
        }
        guard magic[0] == 0, magic[1] == 0 else {
            throw DatasetError.brokenIDX(
                file: file, offset: 0, found: "\(hexadecimal(magic))",
                allowed: "the magic number of an IDX file, which begins with two zero bytes")
        }
        guard magic[2] == 0x08 else {
            throw DatasetError.brokenIDX(
                file: file, offset: 2, found: "element type \(hexadecimal([magic[2]]))\(typeName(magic[2]))",
                allowed: "08 (unsigned byte)")
        }
        guard ranks.contains(Int(magic[3])) else {
            let allowed =
                ranks.count == 1 ? "\(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
            throw DatasetError.brokenIDX(
                file: file, offset: 3, found: "\(magic[3]) dimensions", allowed: allowed)
        }
        return magic
    }

    private static func readExtents(
        _ stream: inout ByteStream, rank: Int
    ) throws -> (shape: [Int], bytes: [UInt8]) {
        let bytes = try stream.read(4 * rank)
        guard bytes.count == 4 * rank else {
            throw DatasetError.brokenIDX(
                file: stream.file, offset: stream.position, found: "the end of the content",
                allowed: "\(rank) extents of 4 bytes")
        }
        let shape = (0..<rank).map { dimension in
            bytes[4 * dimension..<4 * dimension + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        if let zero = shape.firstIndex(of: 0) {
            throw DatasetError.brokenIDX(
                file: stream.file, offset: 4 + 4 * zero, found: "an extent of 0 (\(described(shape)))",
                allowed: "at least 1 in every dimension")
        }
        return (shape, bytes)
    }

    /// The number of values declared, once it is known that the file can hold them and that they are not too many.
    private static func checkedCount(_ shape: [Int], _ stream: borrowing ByteStream, limit: Int) throws -> Int
    {
        let declared = "\(described(shape)) values"
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= limit else {
                throw DatasetError.brokenIDX(
                    file: stream.file, offset: 4, found: declared, allowed: "at most \(limit) values")
            }
            count = product
        }
        let available = stream.largestSize - stream.position
        guard count <= available else {
            throw DatasetError.brokenIDX(
                file: stream.file, offset: 4, found: declared,
                allowed: "at most \(max(0, available)), which is what a file of this size can hold")
        }
        return count
    }

    private static func typeName(_ code: UInt8) -> String {
        let names: [UInt8: String] = [
            0x09: "signed byte", 0x0b: "16-bit integer", 0x0c: "32-bit integer", 0x0d: "32-bit real",
            0x0e: "64-bit real",
        ]
        return names[code].map { " (\($0))" } ?? ""
    }
}

/// A shape as a reader sees it in a message: `60000 x 28 x 28`.
func described(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: " x ")
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}
