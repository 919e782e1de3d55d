internal import CKernels
package import Parameters
internal import Tensors

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

    package static let schema = Schema(
        Self(),
        .field("epsilon", \.epsilon, .real(in: 1e-12...1), "added to the variance"),
        .field("momentum", \.momentum, .real(in: 0...1), "the weight of a new batch in the running averages"))

    package var backwardReads: BackwardReads { .inputs }
    package var channelPassage: ChannelPassage? { .unchanged }

    // γ = √(σ² + ε) and β = μ undo what the running averages do.
    package func passing(_ name: String, count: Int, mean: Double, variance: Double) -> [Float] {
        let value =
            switch name {
            case "weight": (variance + epsilon).squareRoot()
            case "running_var": variance
            default: mean
            }
        return Array(repeating: Float(value), count: count)
    }

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

    package func valuesPerStatistic(of inputs: [[Int]], rows: Int) -> Int? {
        rows * inputs[0].dropFirst().reduce(1, *)
    }

    package func cost(for inputs: [[Int]]) -> OperationCost { normalizationCost(inputs) }

    package var inPlace: InPlace { [.forward, .backward] }
    package var stateMomentum: Double { momentum }

    package func makeKernel(_ wiring: Wiring) -> any Kernel {
        BatchNormalizationKernel(epsilon, isRectified: false, wiring)
    }

    package func joined(with next: any Operation) -> (any Operation)? {
        (next as? Activation)?.function == .relu ? RectifiedBatchNormalization(normalization: self) : nil
    }
}

/// A batch normalisation and the rectifier after it, in fewer passes over memory; an executor's own, in no registry.
private struct RectifiedBatchNormalization: Operation {
    static let kind = "rectified-batch-normalization"

    var normalization: BatchNormalization

    static let schema = Schema(Self(normalization: BatchNormalization()), .inline(\.normalization))

    var backwardReads: BackwardReads { normalization.backwardReads }
    var inPlace: InPlace { normalization.inPlace }

    func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        try normalization.outputShape(of: inputs, node: node)
    }

    func cost(for inputs: [[Int]]) -> OperationCost { normalization.cost(for: inputs) }

    func makeKernel(_ wiring: Wiring) -> any Kernel {
        BatchNormalizationKernel(normalization.epsilon, isRectified: true, wiring)
    }
}

private final class BatchNormalizationKernel: Kernel {
    private let epsilon: Double
    private let isRectified: Int32
    private let wiring: Wiring
    private let input: Port
    private let output: Port
    private let channels: ChannelArrays
    /// What the last forward pass normalised by.
    private var usesBatch = false

    init(_ epsilon: Double, isRectified: Bool, _ wiring: Wiring) {
        self.epsilon = epsilon
        self.isRectified = isRectified ? 1 : 0
        self.wiring = wiring
        input = wiring.inputs[0]
        output = wiring.output
        channels = ChannelArrays(input.layout.channels)
    }

    // y = γ (x − μ)/√(σ² + ε) + β
    func forward(rows: Int, mode: ForwardMode) {
        let layout = input.layout
        usesBatch = mode != .evaluation
        if usesBatch {
            channels_moments(
                input.value, rows, layout.channels, layout.positions, channels.first, channels.second)
            let count = Double(rows * layout.positions)
            for c in 0..<layout.channels {
                let squares = channels.second[c]
                setScale(c, mean: channels.first[c], variance: squares / count)
                wiring.state[0].update[c] = Float(channels.first[c])
                wiring.state[1].update[c] = Float(squares / max(count - 1, 1))
            }
        } else {
            for c in 0..<layout.channels {
                setScale(
                    c, mean: Double(wiring.state[0].value[c]), variance: Double(wiring.state[1].value[c]))
            }
        }
        channels_affine(
            input.value, output.value, rows, layout.channels, layout.positions, isRectified, channels.centre,
            channels.scale, channels.shift)
    }

    private func setScale(_ c: Int, mean: Double, variance: Double) {
        let inverse = 1 / (variance + epsilon).squareRoot()
        channels.inverse[c] = inverse
        channels.centre[c] = Float(mean)
        channels.scale[c] = Float(Double(wiring.parameters[0].value[c]) * inverse)
        channels.shift[c] = wiring.parameters[1].value[c]
    }

    // dβ = Σ dy; dγ = Σ dy x̂; dx = γ/σ (dy − mean(dy) − x̂ mean(dy x̂)) with the batch's σ, γ/σ dy with the running one
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        let layout = input.layout
        let count = Double(rows * layout.positions)
        if parameterGradients || usesBatch {
            channels_gradient_sums(
                input.value, output.gradient, rows, layout.channels, layout.positions, isRectified,
                channels.centre, channels.scale, channels.shift, channels.first, channels.second)
        }
        for c in 0..<layout.channels {
            let (sum, product) = (channels.first[c], channels.second[c] * channels.inverse[c])
            if parameterGradients {
                wiring.parameters[0].gradient[c] = Float(product)
                wiring.parameters[1].gradient[c] = Float(sum)
            }
            let scale = Double(channels.scale[c])
            channels.slope[c] = usesBatch ? Float(-scale * channels.inverse[c] * product / count) : 0
            channels.added[c] = usesBatch ? Float(-scale * sum / count) : 0
        }
        guard inputGradients else { return }
        channels_gradient(
            input.value, output.gradient, input.gradient, rows, layout.channels, layout.positions,
            isRectified,
            channels.centre, channels.scale, channels.shift, channels.slope, channels.added)
    }
}

/// Working memory of a normalisation: some numbers for every channel.
private final class ChannelArrays {
    private let count: Int
    private let singles: AlignedBuffer
    private let doubles: UnsafeMutablePointer<Double>

    init(_ count: Int) {
        self.count = count
        singles = AlignedBuffer(count: 5 * count)
        doubles = .allocate(capacity: 3 * count)
        doubles.initialize(repeating: 0, count: 3 * count)
    }

    deinit { doubles.deallocate() }

    var centre: UnsafeMutablePointer<Float> { singles.pointer }
    var scale: UnsafeMutablePointer<Float> { singles.pointer + count }
    var shift: UnsafeMutablePointer<Float> { singles.pointer + 2 * count }
    var slope: UnsafeMutablePointer<Float> { singles.pointer + 3 * count }
    var added: UnsafeMutablePointer<Float> { singles.pointer + 4 * count }
    /// Means, or sums of gradients.
    var first: UnsafeMutablePointer<Double> { doubles }
    /// Sums of squared deviations, or of gradients times deviations.
    var second: UnsafeMutablePointer<Double> { doubles + count }
    /// 1/√(σ² + ε)
    var inverse: UnsafeMutablePointer<Double> { doubles + 2 * count }
}
