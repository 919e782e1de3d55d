package import Parameters
internal import Tensors

/// Stages of convolutions, each stage with a 2 x 2 pooling behind it, then a classifier (Simonyan and Zisserman, 2015).
///
/// Nodes: stage1-conv1, stage1-norm1, stage1-activation1, …, stage1-pool, …, flatten or pool, then hidden1, activation1,
/// …, output; dropout1 stands before the classifier's first linear layer.
package struct VGG: NetworkFamily {
    package static let kind = "vgg"

    /// What makes a row of the last stage's image.
    package enum Head: String, CaseIterable, Sendable {
        /// Every position of every channel.
        case flatten
        /// The mean of each channel.
        case global
    }

    /// The widths of each stage's convolutions.
    package var stages: [[Int]] = []
    /// Rows and columns of every convolution, odd.
    package var kernel = 3
    package var activation = Activation.Function.relu
    package var normalization = NormalizationChoice.batch
    package var pooling = Pooling.Function.max
    package var head = Head.flatten
    /// The widths of the hidden linear layers before the output.
    package var classifier: [Int] = []
    /// The probability of a value that a linear layer reads to be dropped while training.
    package var dropout = 0.0
    /// Of the convolutions; linear layers have one.
    package var bias = false
    package var initialization = Convolution.Initialization.normal

    package static let schema = Schema(
        Self(),
        .field(
            "stages", \.stages, .integerLists(in: 1...65_536, count: 1...16, innerCount: 1...64),
            default: .required, "the widths of the convolutions, stage by stage, as in [[8], [16], [32, 32]]"),
        .field("kernel", \.kernel, .integer(in: 1...31), "rows and columns of a convolution"),
        .field("activation", \.activation, .choice, "the activation function"),
        .field(
            "normalization", \.normalization, .choice, "what stands between a convolution and its activation"),
        .field("pooling", \.pooling, .choice, "how a stage's 2 x 2 pooling takes its values"),
        .field("head", \.head, .choice, "what linear layers read: every position, or each channel's mean"),
        .field(
            "classifier", \.classifier, .integers(in: 1...65_536, count: 0...16),
            "the widths of hidden linear layers before the output"),
        .field(
            "dropout", \.dropout, .real(in: 0...0.999),
            "the share of what each linear layer reads that is dropped in training"),
        .field(
            "initialization", \.initialization, .choice,
            "what convolutions begin with: normal numbers, or as many channels as they can passed on"),
        .field(
            "bias", \.bias, .boolean,
            default: .following { $0.normalization == .none },
            "whether convolutions add a bias; by default only where no normalization follows")
    ) { vgg, fields in
        guard vgg.kernel % 2 == 0 else { return }
        fields.refuse(
            "kernel", found: "\(vgg.kernel)", allowed: "odd, so that images keep their size: 1, 3, 5, …")
    }

    package func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        try checkPooling(of: sample)
        var chain = NodeChain()
        for (index, widths) in stages.enumerated() {
            let stage = "stage\(index + 1)"
            for (place, width) in widths.enumerated() {
                chain.append(
                    "\(stage)-conv\(place + 1)",
                    Convolution.same(width: width, kernel: kernel, bias: bias, initialization: initialization)
                )
                chain.append("\(stage)-norm\(place + 1)", normalization.operation)
                chain.append("\(stage)-activation\(place + 1)", activation)
            }
            let half = Extent(square: 2)
            chain.append("\(stage)-pool", Pooling(pooling, window: Window(kernel: half, stride: half)))
        }
        switch head {
        case .flatten: chain.append("flatten", Flatten())
        case .global: chain.append("pool", GlobalAveragePooling())
        }
        for (index, width) in (classifier + [outputs]).enumerated() {
            if dropout > 0 { chain.append("dropout\(index + 1)", Dropout(rate: dropout)) }
            let isLast = index == classifier.count
            chain.append(isLast ? "output" : "hidden\(index + 1)", Linear(width: width))
            if !isLast { chain.append("activation\(index + 1)", activation) }
        }
        return try Architecture(inputShape: sample, nodes: chain.nodes)
    }

    /// Convolutions keep the size, so that it is the poolings that use an image up.
    private func checkPooling(of sample: [Int]) throws {
        guard sample.count == 3 else { return }
        var smaller = min(sample[1], sample[2])
        var most = 0
        while smaller > 1 {
            smaller /= 2
            most += 1
        }
        guard stages.count > most else { return }
        throw NetworkError.invalidGraph(
            node: "stage\(most + 1)-pool",
            problem: "an image of \(sample[1]) x \(sample[2]) can be halved \(most) times, "
                + "not \(stages.count); give at most \(most) stages")
    }
}
