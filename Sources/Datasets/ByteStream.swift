/// The content of a file from front to back: its bytes, decompressed on the way when they are gzip.
///
/// The first bytes decide, not the name; but a file whose name ends in `.gz` must be gzip.
struct ByteStream: ~Copyable {
    let file: String
    /// Bytes of content given out so far.
    private(set) var position = 0
    /// The most bytes that the content can have, known before it is read: what a plain file has, and what deflate can
    /// pack into a compressed one.
    let largestSize: Int
    private let content: Content

    private enum Content: ~Copyable {
        case gzip(Inflater)
        case plain(SourceFile)

        init(_ source: consuming SourceFile, isGzip: Bool) throws {
            if isGzip { self = .gzip(try Inflater(source)) } else { self = .plain(source) }
        }
    }

    /// - Throws: `DatasetError.unreadable`, `.brokenGzip`.
    init(opening path: String) throws {
        let source = try SourceFile(opening: path)
        let (bound, overflow) = source.size.multipliedReportingOverflow(by: Inflater.largestRatio)
        let isGzip = try path.hasSuffix(".gz") || Self.beginsLikeGzip(path)
        let largestSize = if isGzip { overflow ? Int.max : bound } else { source.size }
        content = try Content(source, isGzip: isGzip)
        self.largestSize = largestSize
        file = path
    }

    private static func beginsLikeGzip(_ path: String) throws -> Bool {
        try withUnsafeTemporaryAllocation(byteCount: 2, alignment: 1) { start in
            try SourceFile(opening: path).read(into: start) == 2 && start[0] == 0x1f && start[1] == 0x8b
        }
    }

    /// Fills the buffer, or as much of it as the content still has.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count =
            switch content {
            case .gzip(let inflater): try inflater.read(into: buffer)
            case .plain(let source): try source.read(into: buffer)
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
