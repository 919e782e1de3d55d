internal import CLZMA

/// xz, through liblzma.
final class XZCodec: Codec {
    static let name = "xz"
    static let magic: [UInt8] = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
    /// LZMA's cheapest symbol, a repeated match of 273 bytes, is 14 decisions of at least 0.022 bits: 1 to 7081.
    static let largestRatio = 8192
    /// What the decoder may allocate: `xz -9` asks for 65 MiB.
    private static let memory: UInt64 = 256 << 20

    private let stream: UnsafeMutablePointer<lzma_stream>

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: lzma_stream())
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    func begin() {
        let result = meristem_xz_decoder_init(stream, Self.memory)
        precondition(result == LZMA_OK, "liblzma cannot be initialised: memory is exhausted")
    }

    func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> CodecStep {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = input.count
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = output.count
        let outcome: CodecStep.Outcome =
            switch lzma_code(stream, LZMA_RUN) {
            case LZMA_OK, LZMA_BUF_ERROR: .ongoing
            case LZMA_STREAM_END: .ended
            case LZMA_FORMAT_ERROR: .corrupt("liblzma: it does not begin like an xz file")
            case LZMA_DATA_ERROR: .corrupt("liblzma: a check sum or a code is wrong")
            case LZMA_OPTIONS_ERROR, LZMA_UNSUPPORTED_CHECK:
                .corrupt("liblzma: it uses a filter or check sum that is not known")
            case LZMA_MEMLIMIT_ERROR:
                .corrupt("liblzma: it needs more than \(Self.memory >> 20) MiB of memory")
            case let other: .corrupt("liblzma: error \(other.rawValue)")
            }
        return CodecStep(
            consumed: input.count - stream.pointee.avail_in,
            produced: output.count - stream.pointee.avail_out,
            outcome: outcome)
    }
}
