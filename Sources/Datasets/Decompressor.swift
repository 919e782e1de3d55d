import Files

/// One compressed format: what a library does with one member (gzip) or stream (xz) of a file.
protocol Codec: AnyObject {
    /// `gzip` or `xz`, for messages.
    static var name: String { get }
    /// The bytes that every member begins with.
    static var magic: [UInt8] { get }
    /// The largest factor by which the format can shrink its input.
    static var largestRatio: Int { get }

    /// Gets ready for another member.
    func begin()
    /// Decompresses until input or output is used up, or the member ends.
    func step(_ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) -> CodecStep
}

/// What one call of a codec did.
struct CodecStep {
    /// Bytes of the input used, bytes of the output written.
    var consumed: Int
    var produced: Int
    var outcome: Outcome

    enum Outcome {
        case ongoing
        /// The member ended after the bytes consumed.
        case ended
        /// The data is not what the format allows, in the library's words.
        case corrupt(String)
    }
}

/// Decompresses a file from its first to its last byte, refusing whatever is not in its format.
///
/// Several members in a row are one content, as for `gzip` and `xz` themselves. Zeros behind a member are passed over, as
/// many as `ByteStream.largestPadding`; anything else is an error.
final class Decompressor<Format: Codec> {
    private let source: OpenFile
    private let codec: Format
    private let buffer: UnsafeMutableRawBufferPointer
    /// What has been read and not yet consumed.
    private var input: Range<Int> = 0..<0
    /// Bytes of the file that have been read.
    private var handed = 0
    private var state = State.memberStart
    /// Zeros passed over since the last member.
    private var padding = 0

    private enum State { case memberStart, insideMember, ended }

    init(_ source: consuming OpenFile, _ codec: Format) {
        self.source = source
        self.codec = codec
        buffer = .allocate(byteCount: 1 << 18, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Fills the buffer with decompressed bytes, or as much of it as the content still has.
    /// - Throws: `DatasetError.brokenCompression` with the byte of the compressed file.
    func read(into output: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < output.count, try prepareInput() {
            let step = codec.step(
                UnsafeRawBufferPointer(rebasing: buffer[input]),
                UnsafeMutableRawBufferPointer(rebasing: output[filled...]))
            input.removeFirst(step.consumed)
            filled += step.produced
            switch step.outcome {
            case .ongoing where step.consumed == 0 && step.produced == 0:
                throw broken("the \(Format.name) data is corrupt (it does not go on)")
            case .ongoing: break
            case .ended: state = .memberStart
            case .corrupt(let reason): throw broken("the \(Format.name) data is corrupt (\(reason))")
            }
        }
        return filled
    }

    /// Sees to it that there is input, and that it belongs to a member.
    /// - Returns: false at the end of a whole file.
    private func prepareInput() throws -> Bool {
        if state == .ended { return false }
        try fill()
        while state == .memberStart, offset > 0, padding < ByteStream.largestPadding, !input.isEmpty,
            buffer[input.lowerBound] == 0
        {
            input.removeFirst(1)
            padding += 1
            try fill()
        }
        guard !input.isEmpty else {
            guard state == .memberStart, handed > 0 else {
                throw broken("the file ends in the middle of its \(Format.name) data")
            }
            state = .ended
            return false
        }
        if state == .memberStart { try startMember() }
        return true
    }

    /// Reads on where everything read has been consumed.
    private func fill() throws {
        guard input.isEmpty else { return }
        let count = try source.read(into: buffer)
        handed += count
        input = 0..<count
    }

    private func startMember() throws {
        guard buffer[input.lowerBound] == Format.magic[0] else {
            let found = FileKind.described(buffer[input].prefix(FileKind.startSize))
            throw broken(
                "there are \(max(0, source.size - offset)) bytes after the end of the \(Format.name) data: \(found)"
            )
        }
        codec.begin()
        state = .insideMember
        padding = 0
    }

    /// The first byte of the file that has not been consumed.
    private var offset: Int { handed - input.count }

    private func broken(_ problem: String) -> DatasetError {
        .brokenCompression(file: source.path, offset: offset, problem: problem)
    }
}

extension Range<Int> {
    fileprivate mutating func removeFirst(_ count: Int) { self = lowerBound + count..<upperBound }
}
