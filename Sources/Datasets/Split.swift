internal import Tensors

/// The extents of one image: rows, columns, values per position.
package struct ImageShape: Sendable, Hashable {
    package var height: Int
    package var width: Int
    package var channels: Int

    package init(height: Int, width: Int, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// The most rows, columns or channels that an image may have, so that their product does not overflow.
    static let largestExtent = 65_536

    /// Values of one image.
    package var count: Int { height * width * channels }
    /// [h, w, c], as samples are stored.
    package var extents: [Int] { [height, width, channels] }
    /// [c, h, w], as networks see a sample.
    package var planes: [Int] { [channels, height, width] }
}

/// Images and their labels, in order.
package struct Split: Sendable, Equatable {
    package let shape: ImageShape
    /// [n, h, w, c], row-major, 0...255, one contiguous buffer.
    package let images: [UInt8]
    /// [n], each in 0..<classes.
    package let labels: [Int32]

    /// n
    package var count: Int { labels.count }

    /// - Precondition: one image of `shape` per label.
    package init(shape: ImageShape, images: [UInt8], labels: [Int32]) {
        precondition(
            images.count == labels.count * shape.count,
            "expected \(labels.count) images of \(shape.count) values, found \(images.count) values")
        self.shape = shape
        self.images = images
        self.labels = labels
    }

    /// A split of no samples.
    package static func empty(_ shape: ImageShape) -> Split { Split(shape: shape, images: [], labels: []) }

    /// Puts splits one after the other; each is let go as soon as it has been copied.
    /// - Precondition: at least one, all of one shape.
    package init(concatenating parts: consuming [Split]) {
        guard let shape = parts.first?.shape else { preconditionFailure("at least one split to concatenate") }
        precondition(parts.allSatisfy { $0.shape == shape }, "images of one shape")
        guard parts.count > 1 else {
            self = parts[0]
            return
        }
        var images: [UInt8] = []
        images.reserveCapacity(parts.reduce(0) { $0 + $1.images.count })
        var labels: [Int32] = []
        parts.reverse()
        while let part = parts.popLast() {
            images += part.images
            labels += part.labels
        }
        self.init(shape: shape, images: images, labels: labels)
    }

    /// Every image with rows and columns exchanged.
    consuming func transposed() -> Split {
        let turned = ImageShape(height: shape.width, width: shape.height, channels: shape.channels)
        let (size, channels) = (shape.count, shape.channels)
        let (rows, columns) = (shape.height, shape.width)
        var images = images
        var image = [UInt8](repeating: 0, count: size)
        images.withUnsafeMutableBufferPointer { images in
            for start in stride(from: 0, to: images.count, by: size) {
                for index in 0..<size { image[index] = images[start + index] }
                for row in 0..<rows {
                    for column in 0..<columns {
                        for channel in 0..<channels {
                            images[start + (column * rows + row) * channels + channel] =
                                image[(row * columns + column) * channels + channel]
                        }
                    }
                }
            }
        }
        return Split(shape: turned, images: images, labels: labels)
    }

    /// The samples at these positions, in this order.
    package func selecting(_ positions: [Int]) -> Split {
        let size = shape.count
        var chosen: [UInt8] = []
        chosen.reserveCapacity(positions.count * size)
        for position in positions { chosen += images[position * size..<(position + 1) * size] }
        return Split(shape: shape, images: chosen, labels: positions.map { labels[$0] })
    }

    /// At most so many samples, evenly spread over this split; all of it for 0.
    package func spread(_ count: Int) -> Split {
        guard count > 0, count < self.count else { return self }
        return selecting((0..<count).map { $0 * self.count / count })
    }

    /// Cuts off a uniformly drawn part; both parts keep the order of this split.
    ///
    /// - Parameters:
    ///   - count: samples to hold out, in 0..<n; 0 draws nothing.
    ///   - seed: equal seeds draw equal parts, whatever ran before.
    /// - Throws: `DatasetError.validationTooLarge`.
    package consuming func holdingOut(_ count: Int, seed: Int) throws -> (rest: Split, heldOut: Split) {
        guard (0..<self.count).contains(count) else {
            throw DatasetError.validationTooLarge(requested: count, available: self.count)
        }
        guard count > 0 else { return (self, .empty(shape)) }
        var generator = Philox(seed: seed, purpose: .validationSplit)
        let order = generator.permutation(self.count).map(Int.init)
        let chosen = order[..<count].sorted()
        let heldOut = selecting(chosen)
        return (removing(chosen), heldOut)
    }

    /// All but the samples at these positions, which ascend; in place where nobody else has this split.
    private consuming func removing(_ positions: [Int]) -> Split {
        let (shape, size) = (shape, shape.count)
        var (images, labels) = (images, labels)
        var kept = positions.first ?? labels.count
        for (index, position) in positions.enumerated() {
            let next = index + 1 < positions.count ? positions[index + 1] : labels.count
            for sample in position + 1..<next {
                labels[kept] = labels[sample]
                for value in 0..<size { images[kept * size + value] = images[sample * size + value] }
                kept += 1
            }
        }
        images.removeLast(images.count - kept * size)
        labels.removeLast(labels.count - kept)
        return Split(shape: shape, images: images, labels: labels)
    }
}
