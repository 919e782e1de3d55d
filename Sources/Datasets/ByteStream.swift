import Files

/// The content of a file, or of a file in an archive, from front to back: its bytes, decompressed on the way.
///
/// A file's first bytes decide whether it is gzip, xz or neither, whatever its name.
struct ByteStream: ~Copyable {
    /// The file, for messages; of a file in an archive, the archive's first.
    let file: String
    /// Bytes of content given out so far.
    private(set) var position = 0
    /// The most bytes that the content can have, known before it is read: what a plain file has, and what can be packed
    /// into a compressed one.
    let largestSize: Int
    private let content: Content

    /// What may follow a file's name, in the order in which files are looked for.
    static let suffixes = ["", ".gz", ".xz"]
    /// How many zeros may stand behind the end of what a file declares: tapes and some servers fill up their last block.
    static let largestPadding = 1 << 20

    private enum Content: ~Copyable {
        case plain(OpenFile)
        case gzip(Decompressor<GzipCodec>)
        case xz(Decompressor<XZCodec>)
        case entry(TarArchive)
    }

    /// - Throws: `FileError`, `DatasetError.packedTwice`, `.brokenCompression`.
    init(opening path: String) throws {
        let start = try OpenFile(reading: path).read(XZCodec.magic.count)
        if let outer = Self.compression(of: start),
            let inner = try Self.compression(of: Self.innerStart(path, outer))
        {
            throw DatasetError.packedTwice(file: path, outer: outer, inner: inner)
        }
        let source = try OpenFile(reading: path)
        let size = source.size
        switch Self.compression(of: start) {
        case GzipCodec.name:
            largestSize = Self.bound(size, GzipCodec.largestRatio)
            content = .gzip(Decompressor(source, GzipCodec()))
        case XZCodec.name:
            largestSize = Self.bound(size, XZCodec.largestRatio)
            content = .xz(Decompressor(source, XZCodec()))
        default:
            largestSize = size
            content = .plain(source)
        }
        file = path
    }

    /// The content of the entry that the archive has come to.
    init(_ entry: TarArchive.Entry, of archive: TarArchive) {
        file = "\(archive.file): \(entry.name)"
        largestSize = entry.size
        content = .entry(archive)
    }

    /// What content that begins like this is packed with, if it is.
    private static func compression(of start: [UInt8]) -> String? {
        if start.starts(with: GzipCodec.magic) { return GzipCodec.name }
        return start.starts(with: XZCodec.magic) ? XZCodec.name : nil
    }

    /// The first bytes that come out of a compressed file.
    private static func innerStart(_ path: String, _ compression: String) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: XZCodec.magic.count) { buffer, filled in
            let output = UnsafeMutableRawBufferPointer(buffer)
            filled =
                compression == GzipCodec.name
                ? try Decompressor(OpenFile(reading: path), GzipCodec()).read(into: output)
                : try Decompressor(OpenFile(reading: path), XZCodec()).read(into: output)
        }
    }

    private static func bound(_ size: Int, _ ratio: Int) -> Int {
        let (bound, overflow) = size.multipliedReportingOverflow(by: ratio)
        return overflow ? Int.max : bound
    }

    /// Fills the buffer, or as much of it as the content still has.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count =
            switch content {
            case .plain(let source): try source.read(into: buffer)
            case .gzip(let decompressor): try decompressor.read(into: buffer)
            case .xz(let decompressor): try decompressor.read(into: buffer)
            case .entry(let archive): try archive.read(into: buffer)
            }
        position += count
        return count
    }

    /// The next bytes, fewer at the end of the content.
    mutating func read(_ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Looks whether the content ends here, but for zeros.
    /// - Returns: the position of the first byte that is something else, or one zero too many; nil at the end.
    mutating func firstByteBehindEnd() throws -> Int? {
        let end = position
        while true {
            let start = position
            let piece = try read(1 << 16)
            if piece.isEmpty { return nil }
            if let index = piece.firstIndex(where: { $0 != 0 }) { return start + index }
            if position - end > Self.largestPadding { return end + Self.largestPadding }
        }
    }
}

extension ByteStream {
    /// The SHA-256 of the content, of which at most a piece of 1 MiB is in memory: 64 lower-case hexadecimal digits.
    ///
    /// - Throws: `FileError`, `DatasetError.brokenCompression`, `.brokenTar`, `.tooLarge` for more than `limit` bytes.
    mutating func digest(limit: Int) throws -> String {
        var hash = DigestHasher()
        while true {
            let piece = try read(1 << 20)
            if piece.isEmpty { return hash.finish().hexadecimal }
            piece.withUnsafeBytes { hash.update($0) }
            guard position <= limit else { throw DatasetError.tooLarge(file: file, limit: limit) }
        }
    }
}
