/// The content of one binary file of CIFAR-10, CIFAR-100 or a dataset laid out like them.
///
/// Records without a header, each one or more bytes of labels, the last of which is the class, and an image as planes:
/// one per channel, row by row (https://www.cs.toronto.edu/~kriz/cifar.html).
package struct CIFARFile: Sendable, Equatable {
    /// Where it was read from.
    package let file: String
    package let shape: ImageShape
    /// Label bytes of a record: 1 in CIFAR-10; 2 in CIFAR-100, superclass and class.
    package let labelBytes: Int
    /// The whole content, a number of whole records.
    private let bytes: [UInt8]
    /// SHA-256 of the content, 64 lower-case hexadecimal digits.
    package let digest: String

    private var recordSize: Int { labelBytes + shape.count }

    /// Reads a whole file.
    ///
    /// - Parameter limit: the most records that it may hold.
    /// - Throws: `DatasetError.unreadable`, `.brokenCompression`, `.brokenTar`, `.brokenCIFAR`.
    init(reading stream: inout ByteStream, labelBytes: Int, shape: ImageShape, limit: Int) throws {
        self.labelBytes = labelBytes
        self.shape = shape
        file = stream.file
        let size = labelBytes + shape.count
        bytes = try stream.read(min(limit * size + 1, stream.largestSize))
        let records =
            "records of \(size) bytes: \(labelBytes) of labels, \(described(shape.extents)) of image"
        guard bytes.count <= limit * size else {
            throw DatasetError.brokenCIFAR(
                file: file, offset: limit * size, found: "more bytes", allowed: "at most \(limit) \(records)")
        }
        let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: size)
        guard count > 0, rest == 0 else {
            throw DatasetError.brokenCIFAR(
                file: file, offset: count * size, found: "\(rest) bytes and then the end of the content",
                allowed: records)
        }
        let hash = ContentHash()
        hash.update(bytes)
        digest = hash.finish()
    }

    /// The images, their channels interleaved, and the classes.
    /// - Throws: `DatasetError.labelOutOfRange`.
    func split(classes: Int) throws -> Split {
        let count = bytes.count / recordSize
        var labels: [Int32] = []
        labels.reserveCapacity(count)
        for record in 0..<count {
            let offset = record * recordSize + labelBytes - 1
            guard bytes[offset] < classes else {
                throw DatasetError.labelOutOfRange(
                    file: file, offset: offset, label: Int(bytes[offset]), classes: classes)
            }
            labels.append(Int32(bytes[offset]))
        }
        let images = [UInt8](unsafeUninitializedCapacity: count * shape.count) { images, filled in
            bytes.withUnsafeBufferPointer { bytes in
                for record in 0..<count {
                    interleave(
                        bytes[(record * recordSize + labelBytes)...].prefix(shape.count), shape,
                        into: &images[record * shape.count])
                }
            }
            filled = count * shape.count
        }
        return Split(shape: shape, images: images, labels: labels)
    }
}

/// Planes [c, h, w] become [h, w, c].
private func interleave(
    _ planes: Slice<UnsafeBufferPointer<UInt8>>, _ shape: ImageShape, into image: UnsafeMutablePointer<UInt8>
) {
    let planes = UnsafeBufferPointer(rebasing: planes)
    let pixels = shape.height * shape.width, channels = shape.channels
    for channel in 0..<channels {
        var pixel = 0
        while pixel < pixels {
            image[pixel * channels + channel] = planes[channel * pixels + pixel]
            pixel += 1
        }
    }
}
