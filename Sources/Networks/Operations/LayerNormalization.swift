package import Parameters

/// y = γ (x − μ)/√(σ² + ε) + β with μ and σ² over all of a sample's values, γ and β per channel (Ba et al., 2016).
///
/// For rows of features this is PyTorch's LayerNorm, for images its GroupNorm with one group.
package struct LayerNormalization: Operation {
    package static let kind = "layer-normalization"

    /// ε
    package var epsilon: Double

    package init(epsilon: Double = 1e-5) { self.epsilon = epsilon }

    package static let schema = Schema(
        Self(), .field("epsilon", \.epsilon, .real(in: 1e-12...1), "added to the variance"))

    package var backwardReads: BackwardReads { .inputs }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        try channelsFirst(inputs, node: node)
    }

    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] {
        perChannelScaleAndShift(inputs)
    }

    package func valuesPerStatistic(of inputs: [[Int]], rows: Int) -> Int? { inputs[0].reduce(1, *) }

    package func cost(for inputs: [[Int]]) -> OperationCost { normalizationCost(inputs) }

    package var inPlace: InPlace { .backward }

    package func makeKernel(_ wiring: Wiring) -> any Kernel {
        GroupNormalizationKernel(groups: 1, epsilon, wiring)
    }
}
