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
    private let channels: ChannelArrays
    /// μ and 1/√(σ² + ε) of each row's groups in the last forward pass.
    private let moments: UnsafeMutableBufferPointer<(mean: Double, inverse: Double)>

    init(groups: Int, _ epsilon: Double, _ wiring: Wiring) {
        self.epsilon = epsilon
        self.groups = groups
        self.wiring = wiring
        input = wiring.inputs[0]
        output = wiring.output
        channels = ChannelArrays(input.layout)
        moments = .allocate(capacity: wiring.capacity * groups)
    }

    deinit { moments.deallocate() }

    /// The channels of a group.
    private func members(_ group: Int) -> Range<Int> {
        let width = input.layout.channels / groups
        return group * width..<(group + 1) * width
    }

    // y = γ (x − μ)/√(σ² + ε) + β, row by row
    func forward(rows: Int, mode: ForwardMode) {
        guard channels.count > 0 else { return }
        let positions = Double(input.layout.positions)
        for row in 0..<rows {
            channels.measure(input.value + row * input.count, rows: 1)
            for group in 0..<groups {
                let members = members(group)
                let mean = members.reduce(0) { $0 + channels.first[$1] } / Double(members.count)
                let squares = members.reduce(0) { total, c in
                    let between = channels.first[c] - mean
                    return total + channels.second[c] + positions * between * between
                }
                let inverse = 1 / (squares / (positions * Double(members.count)) + epsilon).squareRoot()
                moments[row * groups + group] = (mean, inverse)
                for c in members {
                    channels.centre[c] = Float(mean)
                    channels.scale[c] = Float(Double(wiring.parameters[0].value[c]) * inverse)
                    channels.shift[c] = wiring.parameters[1].value[c]
                }
            }
            channels.transform(
                input.value + row * input.count, into: output.value + row * input.count, rows: 1)
        }
    }

    // dβ = Σ dy; dγ = Σ dy x̂; dx = (γ dy − mean(γ dy) − x̂ mean(γ dy x̂))/σ, means over a row's group
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard channels.count > 0 else { return }
        let width = input.layout.channels
        var weightSums = [Double](repeating: 0, count: width), biasSums = weightSums
        for row in 0..<rows {
            let (value, gradient) = (input.value + row * input.count, output.gradient + row * input.count)
            for group in 0..<groups {
                for c in members(group) { channels.centre[c] = Float(moments[row * groups + group].mean) }
            }
            channels.measureGradient(value, gradient, rows: 1)
            for group in 0..<groups {
                let inverse = moments[row * groups + group].inverse
                for c in members(group) {
                    weightSums[c] += channels.second[c] * inverse
                    biasSums[c] += channels.first[c]
                }
                setGradient(group, inverse)
            }
            guard inputGradients else { continue }
            channels.transformGradient(
                value, gradient, into: input.gradient + row * input.count, rows: 1)
        }
        guard parameterGradients else { return }
        for c in 0..<width {
            wiring.parameters[0].gradient[c] = Float(weightSums[c])
            wiring.parameters[1].gradient[c] = Float(biasSums[c])
        }
    }

    /// What the gradient of a group's inputs is made of, from its sums.
    private func setGradient(_ group: Int, _ inverse: Double) {
        let members = members(group)
        let weights = wiring.parameters[0].value
        let count = Double(members.count * input.layout.positions)
        let sum = members.reduce(0) { $0 + Double(weights[$1]) * channels.first[$1] }
        let product = members.reduce(0) { $0 + Double(weights[$1]) * channels.second[$1] } * inverse
        for c in members {
            channels.scale[c] = Float(Double(weights[c]) * inverse)
            channels.slope[c] = Float(-inverse * inverse * product / count)
            channels.added[c] = Float(-inverse * sum / count)
        }
    }
}
