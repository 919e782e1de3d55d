internal import CKernels
package import Datasets
internal import Networks
internal import Tensors

/// A split with its normalisation, ready to be copied into a network's input.
package struct Batches: Sendable {
    package let split: Split
    /// Whether the network reads images, channel by channel, or rows of the images' values as they are stored.
    private let isImage: Bool
    private let scale: [Float]
    private let offset: [Float]

    /// - Parameter shape: of the network's input: [c, h, w], or one extent.
    package init(_ split: Split, _ normalization: Normalization, shape: [Int]) {
        self.split = split
        isImage = shape.count == 3
        scale = normalization.scale
        offset = normalization.offset
    }

    /// n
    package var count: Int { split.count }

    /// Writes the normalised images at `positions` into `values`, in the order of `ValueLayout`, zeros in the lanes that fill up
    /// the last block, and their labels into `labels`.
    ///
    /// - Parameter augmentation: how the images are changed on the way; nil leaves them as they are.
    package func gather(
        _ positions: ArraySlice<Int32>, into values: UnsafeMutablePointer<Float>,
        labels: UnsafeMutablePointer<Int32>, augmentation: AugmentationDraw? = nil
    ) {
        split.images.withUnsafeBufferPointer { images in
            positions.withUnsafeBufferPointer { positions in
                guard let images = images.baseAddress, let first = positions.baseAddress else { return }
                if let augmentation, !augmentation.isIdentity {
                    gather(images, first, positions.count, augmentation, values)
                } else {
                    gather(images, first, positions.count, nil, nil, values)
                }
            }
        }
        for (row, position) in positions.enumerated() { labels[row] = split.labels[Int(position)] }
    }

    private func gather(
        _ images: UnsafePointer<UInt8>, _ positions: UnsafePointer<Int32>, _ count: Int,
        _ draw: AugmentationDraw, _ values: UnsafeMutablePointer<Float>
    ) {
        let parameters = draw.parameters
        // A value of 0 becomes the offset.
        let fill = parameters.fill == .zero ? offset : [Float](repeating: 0, count: split.shape.channels)
        let key = Philox.key(seed: draw.seed)
        let stream = Philox.stream(purpose: .augmentation, epoch: draw.epoch, index: 0).0
        let room = ValueLayout.lanes * split.shape.count
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { scratch in
            fill.withUnsafeBufferPointer { fill in
                var how = image_augmentation(
                    pad: parameters.pad, cutout: parameters.cutout, flip: parameters.flip.number,
                    fill: fill.baseAddress, key0: key.0, key1: key.1, stream: stream,
                    sides: Philox.stream(purpose: .augmentation, epoch: 0, index: 0).0,
                    opposite: draw.mirrorsOthers ? 1 : 0)
                gather(images, positions, count, &how, scratch.baseAddress, values)
            }
        }
    }

    private func gather(
        _ images: UnsafePointer<UInt8>, _ positions: UnsafePointer<Int32>, _ count: Int,
        _ how: UnsafePointer<image_augmentation>?, _ scratch: UnsafeMutablePointer<UInt8>?,
        _ values: UnsafeMutablePointer<Float>
    ) {
        let shape = split.shape
        batch_gather(
            images, positions, count, shape.height, shape.width, shape.channels, isImage ? 1 : 0, scale,
            offset,
            how, scratch, values)
    }
}

extension AugmentationParameters.Flip {
    /// As kernels know it.
    fileprivate var number: Int32 {
        switch self {
        case .off: 0
        case .random: 1
        case .alternating: 2
        }
    }
}
