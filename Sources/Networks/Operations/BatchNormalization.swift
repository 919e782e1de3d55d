package import Parameters

/// y = γ (x − μ)/√(σ² + ε) + β, channel by channel, over samples and positions (Ioffe and Szegedy, 2015).
///
/// While training, μ and σ² are those of the rows at hand (a shard, as in data-parallel training), and running averages
/// follow them: r ← (1 − m) r + m s with the unbiased variance. In evaluation they are the running averages.
package struct BatchNormalization: Operation {
    package static let kind = "batch-normalization"

    /// ε
    package var epsilon: Double
    /// m: the weight of a new batch in the running averages.
    package var momentum: Double

    package init(epsilon: Double = 1e-5, momentum: Double = 0.1) {
        self.epsilon = epsilon
        self.momentum = momentum
    }

    package init(fields: inout Fields) throws {
        epsilon = try fields.real("epsilon", in: 1e-12...1, default: 1e-5, "added to the variance")
        momentum = try fields.real(
            "momentum", in: 0...1, default: 0.1, "the weight of a new batch in the running averages")
    }

    package var backwardReads: BackwardReads { .inputs }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        try channelsFirst(inputs, node: node)
    }

    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] {
        perChannelScaleAndShift(inputs)
    }

    package func state(for inputs: [[Int]]) -> [ParameterSpecification] {
        [
            ParameterSpecification(name: "running_mean", shape: [inputs[0][0]], initialization: .zero),
            ParameterSpecification(name: "running_var", shape: [inputs[0][0]], initialization: .one),
        ]
    }

    package func cost(for inputs: [[Int]]) -> OperationCost { normalizationCost(inputs) }
}
