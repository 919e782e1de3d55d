package import Parameters

/// Wide residual networks for images of about 32 x 32 (Zagoruyko and Komodakis, "Wide Residual Networks", 2016).
///
/// WRN-d-k has d = 6n + 4 layers: a stem of w channels, then three stages of n blocks with k w, 2k w and 4k w channels, the
/// basic blocks of ``ResNet`` in the order `pre-activation`. A block's inner width may grow, and may be 0.
///
/// Nodes: stem; stage1-block1-norm1, -activation1, -conv1, -norm2, -activation2, -dropout, -conv2, -shortcut, -add, …; norm,
/// activation, pool, output.
package struct WideResNet: NetworkFamily {
    package static let kind = "wrn"

    /// d; one of `depths`.
    package var depth = 16
    /// k
    package var widen = 1
    /// w
    package var width = 16
    package var inner = InnerWidths.factor(1)
    /// The probability of a value that a block's second convolution reads to be dropped while training.
    package var dropout = 0.0
    package var normalization = NormalizationChoice.batch
    package var activation = Activation.Function.relu
    package var initialization = Convolution.Initialization.normal
    /// Of the convolutions; the output has one.
    package var bias = false

    package static let depths = [10, 16, 22, 28, 34, 40]

    package static let schema = Schema(
        Self(),
        .field(
            "depth", \.depth, .integer(among: depths), default: .required,
            "6n + 4: layers with weights, shortcuts not counted in, n blocks in each of three stages"),
        .field("widen", \.widen, .integer(in: 1...64), "what the channels of all stages are multiplied by"),
        .field("width", \.width, .integer(in: 1...1024), "channels of the stem"),
        .field(
            "inner", \.inner, .custom(InnerWidths.allowed, write: \.tree, read: InnerWidths.init(tree:)),
            "channels inside the blocks: a factor of the block's width, a width per stage, or one per block"),
        .field(
            "dropout", \.dropout, .real(in: 0...0.999),
            "the share of what each block's second convolution reads that is dropped in training"),
        .field("normalization", \.normalization, .choice, "what normalizes the channels"),
        .field("activation", \.activation, .choice, "the activation function"),
        .field(
            "initialization", \.initialization, .choice,
            "what convolutions begin with: normal numbers, or as many channels as they can passed on"),
        .field(
            "bias", \.bias, .boolean,
            default: .following { $0.normalization == .none },
            "whether convolutions add a bias; by default only without normalization")
    ) { network, fields in
        network.inner.check(stages: network.stages, &fields)
    }

    /// How many blocks each stage has.
    private var stages: [Int] { [Int](repeating: (depth - 4) / 6, count: 3) }

    package func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        let first = width * widen
        let inner = inner.widths(stages: stages, first: first)
        var blocks: [ResNet.Block] = []
        for (stage, count) in stages.enumerated() {
            for block in 0..<count {
                blocks.append(
                    ResNet.Block(
                        name: "stage\(stage + 1)-block\(block + 1)", width: first << stage,
                        inner: inner[blocks.count], stride: block == 0 && stage > 0 ? 2 : 1,
                        isProjected: block == 0 && (stage > 0 || widen > 1), dropout: dropout))
            }
        }
        return try ResNet(
            width: width, order: .preActivation, normalization: normalization, activation: activation,
            bias: bias, initialization: initialization
        ).architecture(of: blocks, sample: sample, outputs: outputs)
    }
}
