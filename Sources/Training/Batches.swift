internal import CKernels
package import Datasets
package import Networks
internal import Tensors

/// How one sample's values follow each other in a row.
package enum SampleOrder: Sendable, CaseIterable {
    /// [h, w, c], as images are stored.
    case channelsLast
    /// [c, h, w]: a plane per channel.
    case planes

    /// What a network reads: images as planes, rows of features as images are stored.
    package init(for architecture: Architecture) {
        self = architecture.inputShape.count == 3 ? .planes : .channelsLast
    }
}

/// A split with its normalisation, ready to be copied into a network's input row by row.
package struct Batches: Sendable {
    package let split: Split
    package let order: SampleOrder
    private let scale: [Float]
    private let offset: [Float]

    package init(_ split: Split, _ normalization: Normalization, order: SampleOrder = .channelsLast) {
        self.split = split
        self.order = order
        scale = normalization.scale
        offset = normalization.offset
    }

    /// n
    package var count: Int { split.count }

    /// Writes the normalised images at `positions` into `rows` [positions.count, h w c], each in the `order` of the
    /// batches, and their labels into `labels`.
    ///
    /// - Parameter augmentation: how the images are changed on the way; nil leaves them as they are.
    package func gather(
        _ positions: ArraySlice<Int32>, rows: UnsafeMutablePointer<Float>,
        labels: UnsafeMutablePointer<Int32>,
        augmentation: AugmentationDraw? = nil
    ) {
        split.images.withUnsafeBufferPointer { images in
            positions.withUnsafeBufferPointer { positions in
                guard let images = images.baseAddress, let first = positions.baseAddress else { return }
                if let augmentation, !augmentation.parameters.isIdentity {
                    gather(images, first, positions.count, augmentation, rows)
                } else {
                    let gather = order == .planes ? batch_gather_planes : batch_gather
                    gather(
                        images, first, positions.count, split.shape.count, scale, offset,
                        split.shape.channels, rows)
                }
            }
        }
        for (row, position) in positions.enumerated() { labels[row] = split.labels[Int(position)] }
    }

    private func gather(
        _ images: UnsafePointer<UInt8>, _ positions: UnsafePointer<Int32>, _ count: Int,
        _ draw: AugmentationDraw, _ rows: UnsafeMutablePointer<Float>
    ) {
        let shape = split.shape, parameters = draw.parameters
        // A value of 0 becomes the offset.
        let fill = parameters.fill == .zero ? offset : [Float](repeating: 0, count: shape.channels)
        let key = Philox.key(seed: draw.seed)
        let stream = Philox.stream(purpose: .augmentation, epoch: draw.epoch, index: 0).0
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: shape.count) { scratch in
            fill.withUnsafeBufferPointer { fill in
                var how = image_augmentation(
                    pad: parameters.pad, cutout: parameters.cutout, flip: parameters.flip ? 1 : 0,
                    fill: fill.baseAddress, key0: key.0, key1: key.1, stream: stream)
                batch_gather_augmented(
                    images, positions, count, shape.height, shape.width, shape.channels, scale, offset,
                    order == .planes ? 1 : 0, &how, scratch.baseAddress, rows)
            }
        }
    }
}
