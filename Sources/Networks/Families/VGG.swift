package import Parameters
internal import Tensors

/// Stages of convolutions, each stage with a 2 x 2 pooling behind it, then a classifier (Simonyan and Zisserman, 2015).
///
/// Nodes: stage1-conv1, stage1-norm1, stage1-activation1, …, stage1-pool, …, flatten or pool, then hidden1, activation1,
/// …, output; dropout1 stands before the classifier's first linear layer.
package struct VGG: NetworkFamily {
    package static let kind = "vgg"

    /// What makes a row of the last stage's image.
    package enum Head: String, CaseIterable, Codable, Sendable {
        /// Every position of every channel.
        case flatten
        /// The mean of each channel.
        case global
    }

    /// The widths of each stage's convolutions.
    package var stages: [[Int]]
    /// Rows and columns of every convolution, odd.
    package var kernel: Int
    package var activation: Activation.Function
    package var normalization: NormalizationChoice
    package var pooling: Pooling.Function
    package var head: Head
    /// The widths of the hidden linear layers before the output.
    package var classifier: [Int]
    /// The probability of a value that a linear layer reads to be dropped while training.
    package var dropout: Double
    /// Of the convolutions; linear layers have one.
    package var bias: Bool

    package init(
        stages: [[Int]], kernel: Int = 3, activation: Activation.Function = .relu,
        normalization: NormalizationChoice = .batch, pooling: Pooling.Function = .max, head: Head = .flatten,
        classifier: [Int] = [], dropout: Double = 0, bias: Bool? = nil
    ) {
        self.stages = stages
        self.kernel = kernel
        self.activation = activation
        self.normalization = normalization
        self.pooling = pooling
        self.head = head
        self.classifier = classifier
        self.dropout = dropout
        self.bias = bias ?? (normalization == .none)
    }

    package init(fields: inout Fields) throws {
        stages = try fields.integerLists(
            "stages", in: 1...65_536, count: 1...16, innerCount: 1...64,
            "the widths of the convolutions, stage by stage, as in [[8], [16], [32, 32]]")
        kernel = try fields.integer("kernel", in: 1...31, default: 3, "rows and columns of a convolution")
        if kernel % 2 == 0 {
            fields.refuse(
                "kernel", found: "\(kernel)", allowed: "odd, so that images keep their size: 1, 3, 5, …")
        }
        activation = try fields.choice("activation", default: .relu, "the activation function")
        normalization = try fields.choice(
            "normalization", default: .batch, "what stands between a convolution and its activation")
        pooling = try fields.choice("pooling", default: .max, "how a stage's 2 x 2 pooling takes its values")
        head = try fields.choice(
            "head", default: .flatten, "what linear layers read: every position, or each channel's mean")
        classifier = try fields.integers(
            "classifier", in: 1...65_536, count: 0...16, default: [],
            "the widths of hidden linear layers before the output")
        dropout = try fields.real(
            "dropout", in: 0...0.999, default: 0,
            "the share of what each linear layer reads that is dropped in training")
        bias = try fields.boolean(
            "bias", default: normalization == .none,
            "whether convolutions add a bias; by default only where no normalization follows")
    }

    package func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        try checkPooling(of: sample)
        var chain = NodeChain()
        for (index, widths) in stages.enumerated() {
            let stage = "stage\(index + 1)"
            for (place, width) in widths.enumerated() {
                chain.append(
                    "\(stage)-conv\(place + 1)", Convolution.same(width: width, kernel: kernel, bias: bias))
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
