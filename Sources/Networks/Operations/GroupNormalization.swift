internal import CKernels
package import Parameters
internal import Tensors

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

    package static let schema = Schema(
        Self(groups: 1),
        .field(
            "groups", \.groups, .integer(in: 1...65_536), default: .required,
            "groups of channels normalised together"),
        .field("epsilon", \.epsilon, .real(in: 1e-12...1), "added to the variance"))

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

    package func valuesPerStatistic(of inputs: [[Int]], rows: Int) -> Int? {
        inputs[0].reduce(1, *) / groups
    }

    package func cost(for inputs: [[Int]]) -> OperationCost { normalizationCost(inputs) }

    package var inPlace: InPlace { .backward }

    package func makeKernel(_ wiring: Wiring) -> any Kernel {
        GroupNormalizationKernel(groups: groups, epsilon, wiring)
    }
}

final class GroupNormalizationKernel: Kernel {
    private let epsilon: Double
    private let groups: Int
    private let wiring: Wiring
    private let input: Port
    private let output: Port
    /// μ and 1/√(σ² + ε) of each row's groups in the last forward pass.
    private let moments: AlignedBuffer
    /// Σ dy x̂ and Σ dy of each channel.
    private var products: [Double]
    private var sums: [Double]

    init(groups: Int, _ epsilon: Double, _ wiring: Wiring) {
        self.epsilon = epsilon
        self.groups = groups
        self.wiring = wiring
        input = wiring.inputs[0]
        output = wiring.output
        moments = AlignedBuffer(count: 2 * groups * ValueLayout.filled(wiring.capacity))
        products = Array(repeating: 0, count: input.layout.channels)
        sums = products
    }

    // y = γ (x − μ)/√(σ² + ε) + β, row by row
    func forward(rows: Int, mode: ForwardMode) {
        groups_forward(
            input.value, output.value, ValueLayout.blocks(rows), input.layout.channels,
            input.layout.positions, groups, epsilon, wiring.parameters[0].value, wiring.parameters[1].value,
            moments.pointer)
    }

    // dβ = Σ dy; dγ = Σ dy x̂; dx = (γ dy − mean(γ dy) − x̂ mean(γ dy x̂))/σ, means over a row's group
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        groups_backward(
            input.value, output.gradient, inputGradients ? input.gradient : nil, ValueLayout.blocks(rows),
            input.layout.channels, input.layout.positions, groups, wiring.parameters[0].value,
            moments.pointer,
            &products, &sums)
        guard parameterGradients else { return }
        for c in products.indices {
            wiring.parameters[0].gradient[c] = Float(products[c])
            wiring.parameters[1].gradient[c] = Float(sums[c])
        }
    }
}

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
