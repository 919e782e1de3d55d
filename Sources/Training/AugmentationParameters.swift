package import Datasets
package import Parameters

/// The `augmentation:` section: how training images are changed each time they are seen.
///
/// First a crop of the image's own size out of the image with a border of `pad` pixels, then the mirror image of half of
/// the samples (drawn anew in each epoch, or one half in even epochs and the other in odd ones: Jordan, "94% on CIFAR-10
/// in 3.29 Seconds on a Single GPU", 2024), then a square cut out (DeVries and Taylor, "Improved Regularization of
/// Convolutional Neural Networks with Cutout", 2017). Only training sees it: evaluation and the statistics of growth read the images as they are.
package struct AugmentationParameters: ParameterSet {
    /// What stands in the border and in the square.
    package enum Fill: String, CaseIterable, Sendable {
        /// The channel's mean, which is 0 after normalisation.
        case mean
        /// A value of 0 in the image itself: black.
        case zero
    }

    /// Which samples are mirrored.
    package enum Flip: CaseIterable, Hashable, Sendable, ExpressibleByBooleanLiteral {
        case off
        /// Half of them, drawn in each epoch.
        case random
        /// The half that epoch 0 of `random` has in even epochs, the other half in odd ones.
        case alternating

        package init(booleanLiteral value: Bool) { self = value ? .random : .off }

        fileprivate var tree: Tree {
            switch self {
            case .off: Tree(.boolean(false))
            case .random: Tree(.boolean(true))
            case .alternating: Tree(.text("alternating"))
            }
        }

        fileprivate init?(tree: Tree) {
            guard let flip = Self.allCases.first(where: { $0.tree == tree }) else { return nil }
            self = flip
        }
    }

    /// Pixels of the border; the crop is uniformly one of (2 pad + 1)².
    package var pad = 0
    package var flip = Flip.off
    /// The side of the square, whose middle is uniformly a pixel of the image; what reaches over an edge is lost.
    package var cutout = 0
    package var fill = Fill.mean

    package static let schema = Schema(
        Self(),
        .field(
            "pad", \.pad, .integer(in: 0...65_535),
            "border in pixels that the images are cropped out of at random"),
        .field(
            "flip", \.flip,
            .custom("true, false or alternating", write: { $0.tree }, read: { Flip(tree: $0) }),
            "mirror half of the images left to right, or one half and the other in turn"),
        .field(
            "cutout", \.cutout, .integer(in: 0...65_535),
            "side in pixels of a square that is cut out at random"),
        .field("fill", \.fill, .choice, "what border and square hold: the channel's mean or black"))

    /// Checks that every crop shows some of the image, and that no square can hide all of it.
    /// - Throws: `TrainingError.augmentationTooLarge`.
    package func check(_ shape: ImageShape) throws {
        for (field, value) in [("pad", pad), ("cutout", cutout)] where value >= min(shape.height, shape.width)
        {
            throw TrainingError.augmentationTooLarge(
                field: field, value: value, height: shape.height, width: shape.width)
        }
    }
}

/// One epoch's augmentation: what is done, and the name of its random numbers.
///
/// What happens to a sample depends on these and on the sample's place in its split: not on the order of the samples,
/// on shards or on threads.
package struct AugmentationDraw: Sendable {
    package var parameters: AugmentationParameters
    package var seed: Int
    /// Epochs over the network's whole life; below 2^24.
    package var epoch: Int

    /// Whether the samples are mirrored that `parameters` does not mirror in even epochs, and these are not.
    var mirrorsOthers: Bool

    package init(_ parameters: AugmentationParameters, seed: Int, epoch: Int) {
        self.parameters = parameters
        self.seed = seed
        self.epoch = epoch
        mirrorsOthers = parameters.flip == .alternating && epoch % 2 == 1
    }

    /// Every image's mirror image, left to right.
    static let mirror: AugmentationDraw = {
        var draw = AugmentationDraw(AugmentationParameters(), seed: 0, epoch: 0)
        draw.mirrorsOthers = true
        return draw
    }()

    /// Whether images are left as they are.
    var isIdentity: Bool {
        parameters.pad == 0 && parameters.flip == .off && parameters.cutout == 0 && !mirrorsOthers
    }
}
