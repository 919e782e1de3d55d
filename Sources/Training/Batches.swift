internal import CKernels
package import Datasets

/// A split with its normalisation, ready to be copied into a network's input row by row.
package struct Batches: Sendable {
    package let split: Split
    private let scale: [Float]
    private let offset: [Float]

    package init(_ split: Split, _ normalization: Normalization) {
        self.split = split
        scale = normalization.scale
        offset = normalization.offset
    }

    /// n
    package var count: Int { split.count }

    /// Writes the normalised images at `positions` into `rows` [positions.count, h w c] and their labels into `labels`.
    package func gather(
        _ positions: ArraySlice<Int32>, rows: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
    ) {
        split.images.withUnsafeBufferPointer { images in
            positions.withUnsafeBufferPointer { order in
                guard let images = images.baseAddress, let order = order.baseAddress else { return }
                batch_gather(
                    images, order, positions.count, split.shape.count, scale, offset, split.shape.channels,
                    rows)
            }
        }
        for (row, position) in positions.enumerated() { labels[row] = split.labels[Int(position)] }
    }
}
