package import Parameters
internal import Tensors

/// Residual networks of basic blocks, two 3 x 3 convolutions each (He et al., 2016).
///
/// Depths 18 and 34 have the four stages of the ImageNet networks, w, 2w, 4w and 8w channels; depths 6n + 2 the three
/// stages of the CIFAR networks, n blocks of w, 2w and 4w channels. The channels between a block's two convolutions are
/// its inner width, which growth may change: with 0 of them, a block is its shortcut alone.
///
/// Nodes: stem, stem-norm, stem-activation, stem-pool; stage1-block1-conv1, -norm1, -activation1, -conv2, -norm2,
/// -shortcut, -shortcut-norm, -add, -activation2, …; pool, output. In the order `pre-activation` a block is -norm1,
/// -activation1, -conv1, -norm2, -activation2, -conv2, -shortcut, -add, and norm and activation stand before the pool.
package struct ResNet: NetworkFamily {
    package static let kind = "resnet"

    /// How the data become the first stage's channels.
    package enum Stem: String, CaseIterable, Sendable {
        /// 3 x 3, stride 1: for images of about 32 x 32.
        case small
        /// 7 x 7, stride 2, then 3 x 3 max pooling, stride 2: for images of about 224 x 224.
        case large
    }

    package enum Order: String, CaseIterable, Sendable {
        /// Convolution, normalisation, activation; the last activation after the sum (He et al., 2016a).
        case classic
        /// Normalisation, activation, convolution; nothing after the sum (He et al., 2016b).
        case preActivation = "pre-activation"
    }

    /// Layers with weights, shortcuts not counted; one of `depths`.
    package var depth = 8
    /// Channels of the first stage.
    package var width = 16
    package var inner = InnerWidths.factor(1)
    package var stem = Stem.small
    package var order = Order.classic
    package var normalization = NormalizationChoice.batch
    package var activation = Activation.Function.relu
    /// Of the convolutions; the output has one.
    package var bias = false
    package var initialization = Convolution.Initialization.normal

    package static let depths = [8, 14, 18, 20, 26, 32, 34, 44, 56, 110]

    package static let schema = Schema(
        Self(),
        .field(
            "depth", \.depth, .integer(among: depths), default: .required,
            "layers with weights, shortcuts not counted"),
        .field(
            "width", \.width, .integer(in: 1...8192), default: .following { standardWidth($0.depth) },
            "channels of the first stage, doubled from stage to stage; by default 64 for depths 18 and 34"),
        .field(
            "inner", \.inner, .custom(InnerWidths.allowed, write: \.tree, read: InnerWidths.init(tree:)),
            "channels inside the blocks: a factor of the block's width, a width per stage, or one per block"),
        .field("stem", \.stem, .choice, "3 x 3 with stride 1, or 7 x 7 with stride 2 and max pooling"),
        .field("order", \.order, .choice, "where normalization and activation stand"),
        .field("normalization", \.normalization, .choice, "what normalizes the channels"),
        .field("activation", \.activation, .choice, "the activation function"),
        .field(
            "initialization", \.initialization, .choice,
            "what convolutions begin with: normal numbers, or as many channels as they can passed on"),
        .field(
            "bias", \.bias, .boolean,
            default: .following { $0.normalization == .none },
            "whether convolutions add a bias; by default only without normalization")
    ) { resNet, fields in
        resNet.inner.check(stages: blocks(resNet.depth), &fields)
    }

    /// How many blocks each stage has.
    static func blocks(_ depth: Int) -> [Int] {
        switch depth {
        case 18: [2, 2, 2, 2]
        case 34: [3, 4, 6, 3]
        default: [Int](repeating: (depth - 2) / 6, count: 3)
        }
    }

    private static func standardWidth(_ depth: Int) -> Int { depth == 18 || depth == 34 ? 64 : 16 }

    // MARK: The graph

    /// One block: its place and its widths.
    struct Block {
        var name: String
        var width: Int
        var inner: Int
        var stride: Int
        /// Whether the shortcut changes the number of channels or the image.
        var isProjected: Bool
        /// The probability of a value to be dropped before the second convolution, in a pre-activated block.
        var dropout = 0.0
    }

    package func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        try architecture(of: blocks, sample: sample, outputs: outputs)
    }

    /// The graph with other blocks behind a stem of `width` channels.
    func architecture(of blocks: [Block], sample: [Int], outputs: Int) throws -> Architecture {
        var chain = NodeChain()
        appendStem(to: &chain)
        for block in blocks {
            switch order {
            case .classic: appendClassic(block, to: &chain)
            case .preActivation: appendPreActivated(block, to: &chain)
            }
        }
        if order == .preActivation {
            chain.append("norm", normalization.operation)
            chain.append("activation", activation)
        }
        chain.append("pool", GlobalAveragePooling())
        chain.append("output", Linear(width: outputs))
        return try Architecture(inputShape: sample, nodes: chain.nodes)
    }

    private var blocks: [Block] {
        let counts = Self.blocks(depth)
        let inner = inner.widths(stages: counts, first: width)
        var result: [Block] = []
        for (stage, count) in counts.enumerated() {
            for block in 0..<count {
                let isFirst = block == 0 && stage > 0
                result.append(
                    Block(
                        name: "stage\(stage + 1)-block\(block + 1)", width: width << stage,
                        inner: inner[result.count], stride: isFirst ? 2 : 1, isProjected: isFirst))
            }
        }
        return result
    }

    private func appendStem(to chain: inout NodeChain) {
        let isLarge = stem == .large
        chain.append("stem", conv(width, kernel: isLarge ? 7 : 3, stride: isLarge ? 2 : 1))
        if order == .classic {
            chain.append("stem-norm", normalization.operation)
            chain.append("stem-activation", activation)
        }
        guard isLarge else { return }
        let window = Window(
            kernel: Extent(square: 3), stride: Extent(square: 2), padding: Extent(square: 1))
        chain.append("stem-pool", Pooling(.max, window: window))
    }

    private func conv(_ width: Int, kernel: Int = 3, stride: Int = 1) -> Convolution {
        Convolution.same(
            width: width, kernel: kernel, stride: stride, bias: bias, initialization: initialization)
    }

    private func appendClassic(_ block: Block, to chain: inout NodeChain) {
        let name = block.name
        var shortcut = chain.last
        chain.append("\(name)-conv1", conv(block.inner, stride: block.stride))
        chain.append("\(name)-norm1", normalization.operation)
        chain.append("\(name)-activation1", activation)
        chain.append("\(name)-conv2", conv(block.width))
        chain.append("\(name)-norm2", normalization.operation)
        let residual = chain.last
        if block.isProjected {
            chain.append(
                "\(name)-shortcut", conv(block.width, kernel: 1, stride: block.stride), reading: [shortcut])
            chain.append("\(name)-shortcut-norm", normalization.operation)
            shortcut = chain.last
        }
        chain.append("\(name)-add", Add(), reading: [residual, shortcut])
        chain.append("\(name)-activation2", activation)
    }

    private func appendPreActivated(_ block: Block, to chain: inout NodeChain) {
        let name = block.name
        var shortcut = chain.last
        chain.append("\(name)-norm1", normalization.operation)
        chain.append("\(name)-activation1", activation)
        let activated = chain.last
        chain.append("\(name)-conv1", conv(block.inner, stride: block.stride))
        chain.append("\(name)-norm2", normalization.operation)
        chain.append("\(name)-activation2", activation)
        if block.dropout > 0 { chain.append("\(name)-dropout", Dropout(rate: block.dropout)) }
        chain.append("\(name)-conv2", conv(block.width))
        let residual = chain.last
        if block.isProjected {
            chain.append(
                "\(name)-shortcut", conv(block.width, kernel: 1, stride: block.stride), reading: [activated])
            shortcut = chain.last
        }
        chain.append("\(name)-add", Add(), reading: [residual, shortcut])
    }
}
