package import Parameters

/// Fully connected layers with an activation between them; an image is read as one row [h w c].
///
/// Nodes: hidden1, activation1, dropout1, hidden2, …, output.
package struct MLP: NetworkFamily {
    package static let kind = "mlp"

    /// The widths of the hidden layers.
    package var widths: [Int] = []
    package var activation = Activation.Function.selu
    /// The probability of a hidden activation to be dropped while training.
    package var dropout = 0.0
    package var bias = true

    package static let schema = Schema(
        Self(),
        .field(
            "widths", \.widths, .integers(in: 1...65_536, count: 1...32), default: .required,
            "the widths of the hidden layers"),
        .field("activation", \.activation, .choice, "the activation function of hidden layers"),
        .field(
            "dropout", \.dropout, .real(in: 0...0.999), "the share of hidden activations dropped in training"),
        .field("bias", \.bias, .boolean, "whether layers add a bias"))

    package func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        var chain = NodeChain()
        for (index, width) in widths.enumerated() {
            chain.append("hidden\(index + 1)", Linear(width: width, bias: bias))
            chain.append("activation\(index + 1)", activation)
            if dropout > 0 { chain.append("dropout\(index + 1)", Dropout(rate: dropout)) }
        }
        chain.append("output", Linear(width: outputs, bias: bias))
        return try Architecture(inputShape: [sample.reduce(1, *)], nodes: chain.nodes)
    }
}
