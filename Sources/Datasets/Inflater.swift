internal import CZlib

/// Decompresses a gzip file from its first to its last byte, refusing whatever is not gzip.
///
/// Several members in a row are one content (RFC 1952); anything else after a member is an error.
final class Inflater {
    private let source: SourceFile
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    /// Bytes of the file that have been handed to zlib, consumed or not.
    private var handed = 0
    private var state = State.memberStart

    private enum State { case memberStart, insideMember, ended }

    /// The largest factor by which deflate can shrink its input.
    static let largestRatio = 1032

    init(_ source: consuming SourceFile) throws {
        self.source = source
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        input = .allocate(byteCount: 1 << 18, alignment: 16)
        guard meristem_inflate_gzip_init(stream) == Z_OK else {
            throw DatasetError.unreadable(file: self.source.path, reason: "zlib could not be initialised")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    var file: String { source.path }
    var compressedSize: Int { source.size }

    /// Fills the buffer with decompressed bytes, or as much of it as the content still has.
    /// - Throws: `DatasetError.brokenGzip` with the byte of the compressed file.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count, try prepareInput() {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            filled += try inflateOnce(into: rest)
        }
        return filled
    }

    /// Sees to it that there is input, and that it belongs to a member.
    /// - Returns: false at the end of a whole file.
    private func prepareInput() throws -> Bool {
        if state == .ended { return false }
        if stream.pointee.avail_in == 0 {
            let count = try source.read(into: input)
            handed += count
            stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(count)
        }
        guard stream.pointee.avail_in > 0 else {
            guard state == .memberStart, handed > 0 else {
                throw broken("the file ends in the middle of its gzip data")
            }
            state = .ended
            return false
        }
        if state == .memberStart { try startMember() }
        return true
    }

    private func startMember() throws {
        let isFirst = offset == 0
        guard stream.pointee.next_in.pointee == 0x1f else {
            throw broken(
                isFirst
                    ? "it is not a gzip file (they begin with the bytes 1f 8b)"
                    : "there are \(source.size - offset) bytes after the end of the gzip data")
        }
        if !isFirst { inflateReset(stream) }
        state = .insideMember
    }

    /// One call of zlib, which leaves when its input or the buffer is used up.
    private func inflateOnce(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let room = UInt32(clamping: buffer.count)
        stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = room
        switch inflate(stream, Z_NO_FLUSH) {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: state = .memberStart
        default:
            let reason = stream.pointee.msg.map { String(cString: $0) } ?? "unreadable"
            throw broken("the gzip data is corrupt (zlib: \(reason))")
        }
        return Int(room - stream.pointee.avail_out)
    }

    /// The first byte of the file that zlib has not consumed.
    private var offset: Int { handed - Int(stream.pointee.avail_in) }

    private func broken(_ problem: String) -> DatasetError {
        .brokenGzip(file: source.path, offset: offset, problem: problem)
    }
}
