import Files

/// The content of one binary file of CIFAR-10, CIFAR-100 or a dataset laid out like them.
///
/// Records without a header, each one or more bytes of labels, the last of which is the class, and an image as planes:
/// one per channel, row by row (https://www.cs.toronto.edu/~kriz/cifar.html).
struct CIFARFile: Equatable {
    /// Where it was read from.
    let file: String
    let layout: Layout
    /// [n, h, w, c]: the images, their channels interleaved.
    let images: [UInt8]
    /// [n], as they stand in the file.
    let labels: [Int32]
    /// SHA-256 of the records, 64 lower-case hexadecimal digits.
    let digest: String

    /// What a record is made of.
    struct Layout: Equatable {
        /// Label bytes: 1 in CIFAR-10; 2 in CIFAR-100, superclass and class.
        var labelBytes: Int
        var shape: ImageShape

        /// Bytes of a record.
        var size: Int { labelBytes + shape.count }

        fileprivate var description: String {
            "records of \(size) bytes: \(labelBytes) of labels, \(described(shape.extents)) of image"
        }
    }

    /// The byte of the content at which a record's class stands.
    func offset(of record: Int) -> Int { record * layout.size + layout.labelBytes - 1 }

    /// Reads a whole file: whole records, and then nothing, or zeros behind the last record that it may hold.
    ///
    /// - Parameter limit: the most records that it may hold.
    /// - Throws: `FileError`, `DatasetError.brokenCompression`, `.brokenTar`, `.brokenCIFAR`.
    init(reading stream: inout ByteStream, _ layout: Layout, limit: Int) throws {
        let file = stream.file
        self.file = file
        self.layout = layout
        let (size, labelBytes, shape) = (layout.size, layout.labelBytes, layout.shape)
        // One more than a whole number of them fills the content, so that a broken one is seen.
        let most = min(limit, stream.largestSize / size + 1)
        var hash = DigestHasher()
        var labels: [Int32] = []
        var start: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, min(most, (1 << 20) / size)) * size, alignment: 16)
        defer { piece.deallocate() }
        images = try [UInt8](unsafeUninitializedCapacity: most * shape.count) { images, filled in
            while labels.count < most {
                let wanted = min(piece.count / size, most - labels.count) * size
                let read = try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: piece[..<wanted]))
                let found = UnsafeRawBufferPointer(rebasing: piece[..<read])
                if start.isEmpty { start = Array(found.prefix(FileKind.startSize)) }
                let (count, rest) = found.count.quotientAndRemainder(dividingBy: size)
                guard rest == 0 else {
                    throw Self.broken(
                        file, labels.count + count, "\(rest) bytes and then the end of the content",
                        layout.description, start, size)
                }
                hash.update(found)
                for record in 0..<count {
                    labels.append(Int32(found[record * size + labelBytes - 1]))
                    interleave(
                        found[(record * size + labelBytes)...].prefix(shape.count), shape,
                        into: UnsafeMutableBufferPointer(rebasing: images[filled...]))
                    filled += shape.count
                }
                if read < wanted { break }
            }
        }
        guard !labels.isEmpty else {
            throw Self.broken(
                file, 0, "0 bytes and then the end of the content", layout.description, [], size)
        }
        if let offset = try stream.firstByteBehindEnd() {
            throw DatasetError.brokenCIFAR(
                file: file, offset: offset, found: "more bytes" + Self.kind(start),
                allowed: "at most \(limit) \(layout.description)")
        }
        self.labels = labels
        digest = hash.finish().hexadecimal
    }

    private static func broken(
        _ file: String, _ record: Int, _ found: String, _ allowed: String, _ start: [UInt8], _ size: Int
    ) -> DatasetError {
        .brokenCIFAR(file: file, offset: record * size, found: found + kind(start), allowed: allowed)
    }

    private static func kind(_ start: [UInt8]) -> String {
        FileKind.name(of: start).map { " (the file begins like \($0))" } ?? ""
    }
}

/// Planes [c, h, w] become [h, w, c].
private func interleave(
    _ planes: Slice<UnsafeRawBufferPointer>, _ shape: ImageShape,
    into image: UnsafeMutableBufferPointer<UInt8>
) {
    let planes = UnsafeRawBufferPointer(rebasing: planes)
    let pixels = shape.height * shape.width, channels = shape.channels
    for channel in 0..<channels {
        var pixel = 0
        while pixel < pixels {
            image[pixel * channels + channel] = planes[channel * pixels + pixel]
            pixel += 1
        }
    }
}
