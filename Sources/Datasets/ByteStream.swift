/// The content of a file from front to back: its bytes, decompressed on the way when they are gzip.
///
/// The first bytes decide, not the name; but a file whose name ends in `.gz` must be gzip.
struct ByteStream: ~Copyable {
    let file: String
    /// Bytes of content given out so far.
    private(set) var position = 0
    /// The content's length where the file tells it (plain files), else the longest it can be.
    let sizeBound: SizeBound
    private let content: Content

    private enum Content: ~Copyable {
        case gzip(Inflater)
        case plain(SourceFile)

        init(_ source: consuming SourceFile, isGzip: Bool) throws {
            if isGzip { self = .gzip(try Inflater(source)) } else { self = .plain(source) }
        }
    }

    /// What is known of the content's length before it is read.
    enum SizeBound: Equatable { case exactly(Int), atMost(Int) }

    /// - Throws: `DatasetError.unreadable`, `.brokenGzip`.
    init(opening path: String) throws {
        let source = try SourceFile(opening: path)
        let (bound, overflow) = source.size.multipliedReportingOverflow(by: Inflater.largestRatio)
        let isGzip = try path.hasSuffix(".gz") || Self.beginsLikeGzip(path)
        let sizeBound = isGzip ? SizeBound.atMost(overflow ? .max : bound) : .exactly(source.size)
        content = try Content(source, isGzip: isGzip)
        self.sizeBound = sizeBound
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
        var error: (any Error)?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do { filled = try read(into: UnsafeMutableRawBufferPointer(buffer)) } catch let failure {
                error = failure
            }
        }
        if let error { throw error }
        return bytes
    }
}
