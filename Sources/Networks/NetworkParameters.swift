package import Parameters

/// The `network:` section of a pipeline: which family, how wide, which activation.
package struct NetworkParameters: ParameterSet {
    /// The families of architectures.
    package enum Family: String, CaseIterable, Codable, Sendable {
        /// Fully connected layers with an activation between them.
        case mlp
    }

    package var kind: Family = .mlp
    /// The widths of the hidden layers.
    package var widths: [Int] = [8, 8]
    package var activation: Activation.Function = .selu
    /// The probability of a hidden activation to be dropped while training.
    package var dropout: Double = 0
    package var bias: Bool = true

    package init(
        widths: [Int], activation: Activation.Function = .selu, dropout: Double = 0, bias: Bool = true
    ) {
        self.widths = widths
        self.activation = activation
        self.dropout = dropout
        self.bias = bias
    }

    package init(fields: inout Fields) throws {
        kind = try fields.choice("kind", default: .mlp, "the family of architectures")
        widths = try fields.integers(
            "widths", in: 1...65_536, count: 1...32, "the widths of the hidden layers")
        activation = try fields.choice(
            "activation", default: .selu, "the activation function of hidden layers")
        dropout = try fields.real(
            "dropout", in: 0...0.999, default: 0, "the share of hidden activations dropped in training")
        bias = try fields.boolean("bias", default: true, "whether layers add a bias")
    }

    /// The architecture for data of these sizes.
    ///
    /// - Parameters:
    ///   - inputs: values of one sample.
    ///   - outputs: the number of classes.
    package func architecture(inputs: Int, outputs: Int) throws -> Architecture {
        var nodes: [Architecture.Node] = []
        var previous = Architecture.inputName
        func append(_ name: String, _ operation: any Operation) {
            nodes.append(Architecture.Node(name, operation, inputs: [previous]))
            previous = name
        }
        for (index, width) in widths.enumerated() {
            append("hidden\(index + 1)", Linear(width: width, bias: bias))
            append("activation\(index + 1)", Activation(activation))
            if dropout > 0 { append("dropout\(index + 1)", Dropout(rate: dropout)) }
        }
        append("output", Linear(width: outputs, bias: bias))
        return try Architecture(inputShape: [inputs], nodes: nodes)
    }
}
