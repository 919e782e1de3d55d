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

    /// Puts splits one after the other.
    /// - Precondition: at least one, all of one shape.
    package init(concatenating parts: [Split]) {
        guard let shape = parts.first?.shape else { preconditionFailure("at least one split to concatenate") }
        precondition(parts.allSatisfy { $0.shape == shape }, "images of one shape")
        guard parts.count > 1 else {
            self = parts[0]
            return
        }
        var images: [UInt8] = []
        images.reserveCapacity(parts.reduce(0) { $0 + $1.images.count })
        for part in parts { images += part.images }
        self.init(shape: shape, images: images, labels: parts.flatMap(\.labels))
    }

    /// Puts the images of one IDX file, [n, h, w] or [n, h, w, c], and the labels of another, [n], together.
    /// - Throws: `DatasetError.countsDiffer`, `.labelOutOfRange`.
    package init(images: IDXArray, labels: IDXArray, classes: Int) throws {
        precondition(
            (3...4).contains(images.shape.count) && labels.shape.count == 1,
            "images of rank 3 or 4, labels of rank 1")
        guard images.shape[0] == labels.shape[0] else {
            throw DatasetError.countsDiffer(
                images: images.file, imageCount: images.shape[0], labels: labels.file,
                labelCount: labels.shape[0])
        }
        if let index = labels.values.firstIndex(where: { Int($0) >= classes }) {
            throw DatasetError.labelOutOfRange(
                file: labels.file, offset: labels.headerSize + index, label: Int(labels.values[index]),
                classes: classes)
        }
        let shape = ImageShape(
            height: images.shape[1], width: images.shape[2],
            channels: images.shape.count == 4 ? images.shape[3] : 1)
        self.init(shape: shape, images: images.values, labels: labels.values.map(Int32.init))
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
    package func holdingOut(_ count: Int, seed: Int) throws -> (rest: Split, heldOut: Split) {
        guard (0..<self.count).contains(count) else {
            throw DatasetError.validationTooLarge(requested: count, available: self.count)
        }
        guard count > 0 else { return (self, .empty(shape)) }
        var generator = Philox(seed: seed, purpose: .validationSplit)
        let order = generator.permutation(self.count).map(Int.init)
        return (selecting(order[count...].sorted()), selecting(order[..<count].sorted()))
    }
}
