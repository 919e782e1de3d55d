/// Where the values of a node stand in memory: [sample blocks, channels, height, width, 16 samples] or
/// [sample blocks, features, 16 samples].
///
/// Sixteen samples side by side are what vector units work on at any number of channels. The last block is filled up: lanes
/// beyond the last row hold finite values, and gradients of zero. Flattening an image leaves every value where it stands.
package struct ValueLayout: Equatable, Sendable {
    /// One sample: [features] or [channels, height, width].
    package let shape: [Int]
    package let channels: Int
    package let positions: Int

    /// Values of one sample.
    package var count: Int { channels * positions }

    package init(_ shape: [Int]) {
        self.shape = shape
        let isImage = shape.count == 3
        channels = isImage ? shape[0] : shape.reduce(1, *)
        positions = isImage ? shape[1] * shape[2] : 1
    }

    /// Samples side by side.
    package static let lanes = 16

    /// Blocks of samples that so many rows take.
    package static func blocks(_ rows: Int) -> Int { (rows + lanes - 1) / lanes }

    /// Rows with those that fill up the last block.
    package static func filled(_ rows: Int) -> Int { blocks(rows) * lanes }
}
