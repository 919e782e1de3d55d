import Files

/// The values of an IDX file, all of them or one column.
struct IDXArray<Element: BitwiseCopyable & Equatable>: Equatable {
    let header: IDXHeader
    /// Row-major.
    let values: [Element]
    /// SHA-256 of the header and the values, 64 lower-case hexadecimal digits.
    let digest: String
    /// Which of the values of a row of the last dimension were kept, if not all.
    private let column: Column?

    private struct Column: Equatable {
        var index: Int
        var count: Int
    }

    var file: String { header.file }

    /// The byte of the content at which a value begins.
    func offset(of position: Int) -> Int {
        let place = column.map { position * $0.count + $0.index } ?? position
        return header.bytes.count + place * header.type.width
    }

    /// Reads what stands behind the header, and checks that it is what the header declares, but for zeros behind it.
    ///
    /// - Parameters:
    ///   - allowed: what `convert` takes, for messages.
    ///   - convert: gives nil for a value that cannot be an element.
    /// - Throws: `FileError`, `DatasetError.brokenCompression`, `.brokenTar`, `.brokenIDX`.
    private init(
        _ header: IDXHeader, _ stream: inout ByteStream, column: Column? = nil, allowed: String,
        _ convert: (Double) -> Element?
    ) throws {
        self.header = header
        self.column = column
        let (type, width) = (header.type, header.type.width)
        var hash = DigestHasher()
        header.bytes.withUnsafeBytes { hash.update($0) }
        // Of the types of one byte, each value is converted once.
        let table =
            width > 1
            ? []
            : (0..<256).map { byte in
                withUnsafeBytes(of: UInt8(byte)) { convert(type.value($0, at: 0)) }
            }
        let (stride, first) = (column?.count ?? 1, column?.index ?? 0)
        values = try [Element](unsafeUninitializedCapacity: header.count / stride) { buffer, filled in
            var next = first
            try Self.forEachPiece(header, &stream) { start, bytes in
                hash.update(bytes)
                let end = start + bytes.count / width
                while next < end {
                    let offset = (next - start) * width
                    guard
                        let value =
                            width == 1 ? table[Int(bytes[offset])] : convert(type.value(bytes, at: offset))
                    else {
                        throw DatasetError.brokenIDX(
                            file: header.file, offset: header.bytes.count + next * width,
                            found: "the \(type) \(type.value(bytes, at: offset))", allowed: allowed)
                    }
                    buffer[filled] = value
                    filled += 1
                    next += stride
                }
            }
        }
        if let offset = try stream.firstByteBehindEnd() {
            throw DatasetError.brokenIDX(
                file: header.file, offset: offset, found: "more bytes",
                allowed: "the end, after the \(described(header.shape)) values that the header declares")
        }
        digest = hash.finish().hexadecimal
    }

    /// Hands the values to `body` in pieces of at most 1 MiB, each with the position of its first value.
    private static func forEachPiece(
        _ header: IDXHeader, _ stream: inout ByteStream, _ body: (Int, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let width = header.type.width
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { piece.deallocate() }
        var start = 0
        while start < header.count {
            let wanted = min(piece.count / width, header.count - start)
            let count = try stream.read(
                into: UnsafeMutableRawBufferPointer(rebasing: piece[..<(wanted * width)]))
            guard count == wanted * width else {
                throw DatasetError.brokenIDX(
                    file: header.file, offset: stream.position, found: "the end of the content",
                    allowed: "\(header.count - start - count / width) values more: the header declares "
                        + described(header.shape))
            }
            try body(start, UnsafeRawBufferPointer(rebasing: piece[..<count]))
            start += wanted
        }
    }
}

extension IDXArray<UInt8> {
    /// Images: integers are 0...255 as they stand; reals are 0...1, rounded to the nearest of the 256 values.
    init(imagesBehind header: IDXHeader, _ stream: inout ByteStream) throws {
        if header.type.isReal {
            try self.init(header, &stream, allowed: "a value in 0...1, as images of reals have") {
                (0...1).contains($0) ? UInt8(($0 * 255).rounded()) : nil
            }
        } else {
            try self.init(header, &stream, allowed: "a value in 0...255") { UInt8(exactly: $0) }
        }
    }
}

extension IDXArray<Int32> {
    /// Labels, [n] or a column of [n, k]: whole numbers, whatever their type.
    ///
    /// - Parameter column: in 0..<k.
    init(labelsBehind header: IDXHeader, column: Int, _ stream: inout ByteStream) throws {
        let columns = header.shape.count == 2 ? Column(index: column, count: header.shape[1]) : nil
        precondition(columns.map { (0..<$0.count).contains(column) } ?? true, "one of the columns")
        try self.init(header, &stream, column: columns, allowed: "a whole number") { Int32(exactly: $0) }
    }
}
