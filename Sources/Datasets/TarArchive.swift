/// A tar archive, plain or compressed, read from front to back.
///
/// POSIX ustar and GNU's variant of it, files and folders only; extended headers may stand in it as long as they neither
/// rename nor resize anything. Headers are checked by their sums, and the archive must end as archives end.
final class TarArchive {
    /// One file of the archive.
    struct Entry: Equatable {
        /// With the folders before it, without a leading `./`.
        var name: String
        /// Bytes of content.
        var size: Int
    }

    private var stream: ByteStream
    /// Bytes of the current file that have not been read, and the zeros that fill its last block.
    private var rest = 0
    private var padding = 0
    private var entry = Entry(name: "", size: 0)

    private static let block = 512
    /// How many bytes are unpacked before the archive is given up.
    private let limit: Int

    /// - Throws: `FileError`, `DatasetError.packedTwice`, `.brokenCompression`.
    init(opening path: String, limit: Int) throws {
        stream = try ByteStream(opening: path)
        self.limit = limit
    }

    /// The archive's own path.
    var file: String { stream.file }

    /// Goes on to the next file, past what is left of the current one.
    /// - Returns: nil after the last one, once the archive is known to end there.
    /// - Throws: `DatasetError.brokenTar`, `.brokenCompression`, `.tooLarge` for more bytes than the limit.
    func next() throws -> Entry? {
        while true {
            try skip()
            let start = stream.position
            let bytes = try readBlock()
            guard let bytes else {
                throw broken("the archive ends without the two blocks of zeros at its end")
            }
            if bytes.allSatisfy({ $0 == 0 }) {
                try checkEnd()
                return nil
            }
            let header: TarHeader
            do { header = try TarHeader(bytes) } catch {
                throw DatasetError.brokenTar(file: file, offset: start, problem: error.problem)
            }
            guard header.size <= limit - stream.position else {
                throw DatasetError.tooLarge(file: file, limit: limit)
            }
            rest = header.size
            padding = (Self.block - header.size % Self.block) % Self.block
            entry = Entry(name: header.name, size: header.size)
            switch header.kind {
            case .file: return entry
            case .folder: break
            case .extended: try checkExtended(start)
            }
        }
    }

    /// Fills the buffer with content of the current file, or as much of it as is left.
    /// - Throws: `DatasetError.brokenTar` where the archive ends too early, `.brokenCompression`.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = min(buffer.count, rest)
        guard wanted > 0 else { return 0 }
        let count = try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        rest -= count
        guard count == wanted else {
            throw broken("the archive ends \(rest) bytes before '\(entry.name)' does")
        }
        return count
    }

    private func skip() throws {
        rest += padding
        padding = 0
        try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
            while rest > 0 { _ = try read(into: buffer) }
        }
    }

    /// The next block, or nil at the end of the archive.
    private func readBlock() throws -> [UInt8]? {
        let bytes = try stream.read(Self.block)
        guard bytes.isEmpty || bytes.count == Self.block else {
            throw broken("the archive ends in the middle of a block")
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// A block of zeros was read: another must follow, and then nothing but zeros.
    private func checkEnd() throws {
        guard let second = try readBlock() else {
            throw broken("the archive ends without the two blocks of zeros at its end")
        }
        let offset =
            try second.firstIndex { $0 != 0 }.map { stream.position - Self.block + $0 }
            ?? stream.firstByteBehindEnd()
        if let offset {
            throw DatasetError.brokenTar(
                file: file, offset: offset, problem: "there are bytes after the end of the archive")
        }
    }

    /// An extended header (POSIX.1-2001 pax) is one record per line, `<length> <key>=<value>`.
    private func checkExtended(_ start: Int) throws {
        guard rest <= 1 << 20 else {
            throw DatasetError.brokenTar(
                file: file, offset: start, problem: "its extended header of \(rest) bytes is too long")
        }
        let text = try [UInt8](unsafeUninitializedCapacity: rest) { buffer, filled in
            filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let key = line.split(separator: " ", maxSplits: 1).last?.prefix { $0 != "=" } ?? ""
            guard !["path", "size", "linkpath"].contains(key), !key.hasPrefix("GNU.sparse") else {
                throw DatasetError.brokenTar(
                    file: file, offset: start,
                    problem: "its extended header changes '\(key)'; pack the archive with tar --format=ustar")
            }
        }
    }

    private func broken(_ problem: String) -> DatasetError {
        .brokenTar(file: file, offset: stream.position, problem: problem)
    }
}
