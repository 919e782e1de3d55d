package import Parameters

/// Residual blocks of two linear layers, x + W₂ σ(W₁ x), between a linear layer and the output; an image is read as one row
/// [h w c].
///
/// The width between the two layers may grow.
///
/// Nodes: stem; block1-norm, -hidden, -activation, -dropout, -output, -add, block2-norm, …; norm, output.
package struct ResidualMLP: NetworkFamily {
    package static let kind = "residual-mlp"

    /// Of what the blocks read and add to.
    package var width = 64
    package var blocks = 2
    /// Between a block's two layers.
    package var hidden = 64
    /// What stands before W₁ and before the output.
    package var normalization = NormalizationChoice.none
    package var activation = Activation.Function.relu
    /// The probability of a hidden activation to be dropped while training.
    package var dropout = 0.0

    package static let schema = Schema(
        Self(),
        .field("width", \.width, .integer(in: 1...65_536), "of what the blocks read and add to"),
        .field("blocks", \.blocks, .integer(in: 1...1000), "how many blocks"),
        .field(
            "hidden", \.hidden, .integer(in: 1...65_536), default: .following { $0.width },
            "hidden units of each block; by default the width"),
        .field("normalization", \.normalization, .choice, "what stands before each block's first layer"),
        .field("activation", \.activation, .choice, "the activation function"),
        .field(
            "dropout", \.dropout, .real(in: 0...0.999), "the share of hidden activations dropped in training")
    )

    package func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        var chain = NodeChain()
        chain.append("stem", Linear(width: width))
        for block in 1...blocks {
            let (name, shortcut) = ("block\(block)", chain.last)
            chain.append("\(name)-norm", normalization.operation)
            chain.append("\(name)-hidden", Linear(width: hidden))
            chain.append("\(name)-activation", activation)
            if dropout > 0 { chain.append("\(name)-dropout", Dropout(rate: dropout)) }
            chain.append("\(name)-output", Linear(width: width))
            chain.append("\(name)-add", Add(), reading: [chain.last, shortcut])
        }
        chain.append("norm", normalization.operation)
        chain.append("output", Linear(width: outputs))
        return try Architecture(inputShape: [sample.reduce(1, *)], nodes: chain.nodes)
    }
}
