internal import CZlib

/// gzip (RFC 1952), through zlib.
final class GzipCodec: Codec {
    static let name = "gzip"
    /// The third byte is the method: deflate, the only one there is.
    static let magic: [UInt8] = [0x1f, 0x8b, 0x08]
    /// Deflate's longest match, 258 bytes, costs at least two bits.
    static let largestRatio = 1032

    private let stream: UnsafeMutablePointer<z_stream>
    private var isReady = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
    }

    deinit {
        if isReady { inflateEnd(stream) }
        stream.deallocate()
    }

    func begin() {
        let result = isReady ? inflateReset(stream) : meristem_inflate_gzip_init(stream)
        precondition(result == Z_OK, "zlib cannot be initialised: memory is exhausted")
        isReady = true
    }

    func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> CodecStep {
        let room = UInt32(clamping: output.count), offered = UInt32(clamping: input.count)
        // zlib's header does not promise that it only reads its input, but it does.
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?
            .assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = offered
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = room
        let outcome: CodecStep.Outcome =
            switch inflate(stream, Z_NO_FLUSH) {
            case Z_OK, Z_BUF_ERROR: .ongoing
            case Z_STREAM_END: .ended
            default: .corrupt("zlib: \(stream.pointee.msg.map { String(cString: $0) } ?? "unreadable")")
            }
        return CodecStep(
            consumed: Int(offered - stream.pointee.avail_in), produced: Int(room - stream.pointee.avail_out),
            outcome: outcome)
    }
}
