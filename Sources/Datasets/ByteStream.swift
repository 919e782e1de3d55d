/// The content of a file, or of a file in an archive, from front to back: its bytes, decompressed on the way.
///
/// A file's first bytes decide whether it is gzip, xz or neither, not its name; but a file whose name ends in `.gz` or
/// `.xz` must be what it says.
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

    private enum Content: ~Copyable {
        case plain(SourceFile)
        case gzip(Decompressor<GzipCodec>)
        case xz(Decompressor<XZCodec>)
        case entry(TarArchive)
    }

    /// - Throws: `DatasetError.unreadable`, `.brokenCompression`.
    init(opening path: String) throws {
        let source = try SourceFile(opening: path)
        let start = try SourceFile(opening: path).start(XZCodec.magic.count)
        let size = source.size
        if path.hasSuffix(".gz") || start.starts(with: GzipCodec.magic) {
            largestSize = Self.bound(size, GzipCodec.largestRatio)
            content = .gzip(Decompressor(source, GzipCodec()))
        } else if path.hasSuffix(".xz") || start.starts(with: XZCodec.magic) {
            largestSize = Self.bound(size, XZCodec.largestRatio)
            content = .xz(Decompressor(source, XZCodec()))
        } else {
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
}

extension SourceFile {
    /// The first bytes of a file that was just opened, fewer if it has not as many.
    fileprivate consuming func start(_ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
