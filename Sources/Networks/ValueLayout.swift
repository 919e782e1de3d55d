internal import CKernels
internal import Tensors

/// Where the values of a node stand in memory.
///
/// A sample is `blocks` of `lanes` neighbouring channels each: [blocks, positions, lanes], channel = block · lanes + lane.
/// A row of features is one block of one position; plain planes have one lane; channels last is one block; and
/// blocks of 16 lanes are what convolutions are fastest in. Lanes beyond the last channel hold zeros.
package struct ValueLayout: Equatable, Sendable {
    /// One sample: [features] or [channels, height, width].
    package let shape: [Int]
    package let channels: Int
    package let positions: Int
    package let lanes: Int

    package var blocks: Int { lanes == 0 ? 0 : (channels + lanes - 1) / lanes }
    /// Elements of one sample, padding included.
    package var count: Int { blocks * positions * lanes }

    private init(_ shape: [Int], channels: Int, positions: Int, lanes: Int) {
        self.shape = shape
        self.channels = channels
        self.positions = positions
        self.lanes = lanes
    }

    /// One sample's values in the order of its shape: a row of features, or one plane per channel.
    package static func plain(_ shape: [Int]) -> ValueLayout {
        let count = shape.reduce(1, *)
        guard shape.count == 3 else { return ValueLayout(shape, channels: count, positions: 1, lanes: count) }
        return ValueLayout(shape, channels: shape[0], positions: shape[1] * shape[2], lanes: 1)
    }

    /// How nodes keep an image between operations; rows of features are plain.
    package static func working(_ shape: [Int]) -> ValueLayout {
        guard shape.count == 3 else { return plain(shape) }
        return ValueLayout(
            shape, channels: shape[0], positions: shape[1] * shape[2],
            lanes: isBlocked ? blockLanes : shape[0])
    }

    /// Channels of one block.
    static let blockLanes = 16

    /// Without AVX-512 the library has no fast kernels for blocks of 16: channels stand last, unpadded.
    static let isBlocked = kernels_instruction_set_level() == 4
}
