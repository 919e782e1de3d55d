/// What an IDX file says of itself before its values: LeCun's format for MNIST and its successors.
///
/// Two zero bytes, the element type, the rank, one big-endian 32-bit extent per dimension, then the values,
/// last dimension fastest (http://yann.lecun.com/exdb/mnist).
struct IDXHeader: Equatable {
    /// Where it was read from.
    let file: String
    let type: IDXType
    /// At least 1 in every dimension; the product does not overflow, and the file can hold as many values.
    let shape: [Int]
    /// The header itself.
    let bytes: [UInt8]

    /// Values declared.
    var count: Int { shape.reduce(1, *) }

    /// - Parameter ranks: the numbers of dimensions that are allowed.
    /// - Throws: `FileError`, `DatasetError.brokenCompression`, `.brokenTar`, `.brokenIDX`.
    init(reading stream: inout ByteStream, ranks: ClosedRange<Int>) throws {
        file = stream.file
        let magic = try stream.read(4)
        type = try Self.type(magic, file, ranks: ranks)
        let extents = try Self.readExtents(&stream, rank: Int(magic[3]))
        shape = extents.shape
        bytes = magic + extents.bytes
        try Self.checkCount(shape, type, stream)
    }

    private static func type(_ magic: [UInt8], _ file: String, ranks: ClosedRange<Int>) throws -> IDXType {
        guard magic.count == 4 else {
            throw DatasetError.brokenIDX(
                file: file, offset: magic.count, found: "the end of the content",
                allowed: "the 4 bytes of an IDX magic number")
        }
        guard magic[0] == 0, magic[1] == 0 else {
            throw DatasetError.brokenIDX(
                file: file, offset: 0, found: FileKind.described(magic),
                allowed: "the magic number of an IDX file, which begins with two zero bytes")
        }
        guard let type = IDXType(rawValue: magic[2]) else {
            let known = IDXType.allCases.map { "\(FileKind.described([$0.rawValue])) (\($0))" }
            throw DatasetError.brokenIDX(
                file: file, offset: 2, found: "element type \(FileKind.described([magic[2]]))",
                allowed: "one of \(known.joined(separator: ", "))")
        }
        guard ranks.contains(Int(magic[3])) else {
            let allowed =
                ranks.count == 1 ? "\(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
            throw DatasetError.brokenIDX(
                file: file, offset: 3, found: "\(magic[3]) dimensions", allowed: allowed)
        }
        return type
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

    /// Checks that a file of this size can hold the values.
    private static func checkCount(
        _ shape: [Int], _ type: IDXType, _ stream: borrowing ByteStream
    ) throws {
        let available = max(0, stream.largestSize - stream.position)
        var bytes = type.width
        for extent in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= available else {
                throw DatasetError.brokenIDX(
                    file: stream.file, offset: 4, found: "\(described(shape)) values",
                    allowed: "at most \(available / type.width), which is what a file of this size can hold")
            }
            bytes = product
        }
    }
}

/// The type of an IDX file's values, by its code; all are big-endian.
enum IDXType: UInt8, CaseIterable, CustomStringConvertible {
    case unsignedByte = 0x08
    case signedByte = 0x09
    case integer16 = 0x0b
    case integer32 = 0x0c
    case real32 = 0x0d
    case real64 = 0x0e

    /// Bytes of a value.
    var width: Int {
        switch self {
        case .unsignedByte, .signedByte: 1
        case .integer16: 2
        case .integer32, .real32: 4
        case .real64: 8
        }
    }

    var isReal: Bool { self == .real32 || self == .real64 }

    var description: String {
        switch self {
        case .unsignedByte: "unsigned byte"
        case .signedByte: "signed byte"
        case .integer16: "16-bit integer"
        case .integer32: "32-bit integer"
        case .real32: "32-bit real"
        case .real64: "64-bit real"
        }
    }

    /// The value that begins at an offset; exact for every type.
    func value(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Double {
        func load<Bits: FixedWidthInteger & BitwiseCopyable>(_ type: Bits.Type) -> Bits {
            Bits(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        return switch self {
        case .unsignedByte: Double(bytes[offset])
        case .signedByte: Double(Int8(bitPattern: bytes[offset]))
        case .integer16: Double(load(Int16.self))
        case .integer32: Double(load(Int32.self))
        case .real32: Double(Float(bitPattern: load(UInt32.self)))
        case .real64: Double(bitPattern: load(UInt64.self))
        }
    }
}

/// A shape as a reader sees it in a message: `60000 x 28 x 28`.
func described(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: " x ")
}
