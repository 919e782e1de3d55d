package import Parameters

/// y = γ (x − μ)/√(σ² + ε) + β with μ and σ² of each sample's groups of channels, γ and β per channel
/// (Wu and He, 2018). One group is layer normalisation (Ba et al., 2016).
package struct GroupNormalization: Operation {
    package static let kind = "group-normalization"

    /// Groups of neighbouring channels; a divisor of their number.
    package var groups: Int
    /// ε
    package var epsilon: Double

    package init(groups: Int, epsilon: Double = 1e-5) {
        self.groups = groups
        self.epsilon = epsilon
    }

    package init(fields: inout Fields) throws {
        groups = try fields.integer("groups", in: 1...65_536, "groups of channels normalised together")
        epsilon = try fields.real("epsilon", in: 1e-12...1, default: 1e-5, "added to the variance")
    }

    package var backwardReads: BackwardReads { .inputs }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        let shape = try channelsFirst(inputs, node: node)
        guard shape[0].isMultiple(of: groups) else {
            throw NetworkError.shapeMismatch(
                node: node, found: inputs, allowed: "a number of channels that \(groups) groups divide")
        }
        return shape
    }

    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] {
        perChannelScaleAndShift(inputs)
    }

    package func cost(for inputs: [[Int]]) -> OperationCost { normalizationCost(inputs) }
}
