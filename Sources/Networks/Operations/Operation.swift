package import Parameters
package import Tensors

/// What a node computes: its description here, its arithmetic in the kernel it makes.
///
/// A new operation is one file in this folder and one line in `Architecture.operations`.
package protocol Operation: Alternative {
    /// The shape of the output for one sample.
    ///
    /// - Throws: `NetworkError.shapeMismatch` for inputs the operation cannot take.
    func outputShape(of inputs: [[Int]], node: String) throws -> [Int]

    /// The trainable parameters for inputs of these shapes; none by default.
    func parameters(for inputs: [[Int]]) -> [ParameterSpecification]

    /// What is measured while training and read in evaluation, such as running means; none by default.
    func state(for inputs: [[Int]]) -> [ParameterSpecification]

    /// What becomes of the channels, the first extent of every shape; by default each is kept for itself.
    var widthRole: WidthRole { get }

    /// What becomes of a channel that joins the inputs; nil, the default, where it would change other channels, or where the
    /// inputs stand side by side.
    var channelPassage: ChannelPassage? { get }

    /// Whether a channel that comes in t > 0 times as large goes out t times as large.
    var isHomogeneous: Bool { get }

    /// What a parameter or a state holds for a new channel that is to pass unchanged; zeros by default.
    ///
    /// - Parameters:
    ///   - name: of the parameter or the state.
    ///   - count: its values for one channel.
    ///   - mean: of what comes in, as `variance`.
    func passing(_ name: String, count: Int, mean: Double, variance: Double) -> [Float]

    /// The values that a backward pass reads besides the output's gradient, for planning memory; all by default.
    var backwardReads: BackwardReads { get }

    /// What the kernel may write over what it reads, for planning memory; nothing by default.
    var inPlace: InPlace { get }

    /// This operation and the next as one that computes both, with the same bits, where that saves passes over memory;
    /// never by default.
    func joined(with next: any Operation) -> (any Operation)?

    /// m of a running average of the state: r ← (1 − m) r + m s with what a step measured, s.
    var stateMomentum: Double { get }

    /// From how many values a mean and a variance are taken while training; nil, the default, for none.
    ///
    /// - Parameters:
    ///   - inputs: their shapes, for one sample.
    ///   - rows: the samples at hand.
    func valuesPerStatistic(of inputs: [[Int]], rows: Int) -> Int?

    /// The floating-point operations for one sample; a multiply-add counts two.
    func cost(for inputs: [[Int]]) -> OperationCost

    /// The arithmetic, bound to its buffers.
    func makeKernel(_ wiring: Wiring) -> any Kernel
}

/// A layer with a weight from every input channel to every output channel: widths lie between two of these.
///
/// Its weights are [width, input channels, …], its bias, if it has one, [width].
package protocol Layer: Operation {
    /// The number of output channels.
    var width: Int { get set }
    var bias: Bool { get set }
    /// The window through which it reads values of a shape; by default everything at once.
    func window(over shape: [Int]) -> Window
}

extension Layer {
    package var widthRole: WidthRole { .mixes }
    package var backwardReads: BackwardReads { .inputs }
    package func window(over shape: [Int]) -> Window { Window(kernel: shape.extent) }
}

/// What an operation does with the channels of its inputs.
package enum WidthRole: Sendable {
    /// Every output channel depends on all input channels: one width ends here and another begins.
    case mixes
    /// Output channel i depends on channel i of each input.
    case keeps
    /// Channel and position become one: output i h w + p is channel i at position p.
    case flattens
    /// The channels of one input after those of the other.
    case joins
}

/// What an operation that keeps channels apart does with a new one, to first order around 0.
package enum ChannelPassage: Equatable, Sendable {
    /// It goes through as it is: dropout in evaluation, a normalisation whose parameters let it pass.
    case unchanged
    /// z becomes `right` z where it is positive, `left` z where it is negative.
    case slopes(right: Double, left: Double)
    /// The mean of a window; zeros of the padding count.
    case average(Window)
    case max(Window)
    /// The tap (height / 2, width / 2) of a window.
    case middle(Window)
    /// The mean of all positions.
    case global
    /// Positions become channels of their own.
    case flattened
    /// It is added to the same channel of the other inputs.
    case summed
}

/// Values that a backward pass reads.
package struct BackwardReads: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let inputs = BackwardReads(rawValue: 1)
    package static let output = BackwardReads(rawValue: 2)
}

/// Which results a kernel may write over which of its arguments, where their sizes are the same.
package struct InPlace: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// The output over the first or the second input.
    package static let forward = InPlace(rawValue: 1)
    /// The gradient of one input over that of the output.
    package static let backward = InPlace(rawValue: 2)
}

extension Operation {
    package func parameters(for inputs: [[Int]]) -> [ParameterSpecification] { [] }
    package func state(for inputs: [[Int]]) -> [ParameterSpecification] { [] }
    package var widthRole: WidthRole { .keeps }
    package var channelPassage: ChannelPassage? { nil }
    package var isHomogeneous: Bool {
        switch channelPassage {
        case .average, .max, .global, .flattened, .summed: true
        case .unchanged, .slopes, .middle, nil: false
        }
    }
    package func passing(_ name: String, count: Int, mean: Double, variance: Double) -> [Float] {
        Array(repeating: 0, count: count)
    }
    package var backwardReads: BackwardReads { [.inputs, .output] }
    package var inPlace: InPlace { [] }
    package func joined(with next: any Operation) -> (any Operation)? { nil }
    package var stateMomentum: Double { 0 }
    package func valuesPerStatistic(of inputs: [[Int]], rows: Int) -> Int? { nil }

    /// The single input an operation takes, or an error that says so.
    func onlyInput(_ inputs: [[Int]], node: String, allowed: String) throws -> [Int] {
        guard inputs.count == 1, let input = inputs.first else {
            throw NetworkError.shapeMismatch(node: node, found: inputs, allowed: "one input, \(allowed)")
        }
        return input
    }

    /// The shape of the only input of a normalisation: a row of features or an image.
    func channelsFirst(_ inputs: [[Int]], node: String) throws -> [Int] {
        let allowed = "a row of features or an image [channels, height, width]"
        let input = try onlyInput(inputs, node: node, allowed: allowed)
        guard input.count == 1 || input.count == 3 else {
            throw NetworkError.shapeMismatch(node: node, found: inputs, allowed: allowed)
        }
        return input
    }

    /// γ and β of a normalisation, one of each per channel.
    func perChannelScaleAndShift(_ inputs: [[Int]]) -> [ParameterSpecification] {
        [
            ParameterSpecification(
                name: "weight", shape: [inputs[0][0]], initialization: .one, kind: .normalization),
            ParameterSpecification(
                name: "bias", shape: [inputs[0][0]], initialization: .zero, kind: .normalization),
        ]
    }

    /// A multiply-add per value forward, and as many for each gradient.
    func normalizationCost(_ inputs: [[Int]]) -> OperationCost {
        let count = 2 * inputs[0].reduce(1, *)
        return OperationCost(forward: count, inputGradient: count, parameterGradient: count)
    }
}

extension Architecture {
    /// Every operation that a node may name.
    package static let operations = Alternatives<any Operation>(
        Activation.self,
        Add.self,
        BatchNormalization.self,
        Concatenation.self,
        Convolution.self,
        DepthwiseConvolution.self,
        Dropout.self,
        Flatten.self,
        GlobalAveragePooling.self,
        GroupNormalization.self,
        LayerNormalization.self,
        Linear.self,
        Pooling.self)
}

/// One trainable array of a node.
package struct ParameterSpecification: Equatable, Sendable {
    /// How the first values are drawn.
    package enum Initialization: Equatable, Sendable {
        case zero
        case one
        /// Normal numbers of mean 0 and variance gain² / `inputs` (He et al., 2015; LeCun et al., 1998).
        case scaledNormal(inputs: Int)
        /// [out, in, rows, columns]: the first min(out, in) outputs are the inputs, as `torch.nn.init.dirac_` has it, the others
        /// such normal numbers.
        case dirac(inputs: Int)
    }

    /// The name under its node, e.g. "weight".
    package var name: String
    package var shape: [Int]
    package var initialization: Initialization
    package var kind = ParameterKind.weights

    /// What a layer adds to each of its output channels.
    static func bias(_ channels: Int) -> ParameterSpecification {
        ParameterSpecification(name: "bias", shape: [channels], initialization: .zero, kind: .biases)
    }
}

/// What a trainable array is in its network, for optimisers that treat some of them otherwise.
package enum ParameterKind: String, CaseIterable, Sendable {
    /// Of layers and depthwise convolutions.
    case weights
    case biases
    /// Scales and shifts of normalisations.
    case normalization
}

/// Floating-point operations for one sample.
package struct OperationCost: Equatable, Sendable {
    package var forward: Int
    /// The gradient with respect to the inputs.
    package var inputGradient: Int
    /// The gradient with respect to the parameters.
    package var parameterGradient: Int
}

/// A node's value for all rows of a batch and the loss's gradient with respect to it, in the order of `ValueLayout`.
package struct Port {
    package let value: UnsafeMutablePointer<Float>
    package let gradient: UnsafeMutablePointer<Float>
    package let layout: ValueLayout
    /// Values of one row.
    package var count: Int { layout.count }

    /// Where a value of a row stands.
    package func place(row: Int, value: Int) -> Int {
        (row / ValueLayout.lanes * count + value) * ValueLayout.lanes + row % ValueLayout.lanes
    }

    /// Vectors of sixteen samples that so many rows take.
    package func vectors(_ rows: Int) -> Int { ValueLayout.blocks(rows) * count }
    /// Elements that so many rows take, those that fill up the last block included.
    package func elements(_ rows: Int) -> Int { ValueLayout.filled(rows) * count }
}

/// The memory a kernel works on.
package struct Wiring {
    package let inputs: [Port]
    package let output: Port
    /// The parameters' values and gradients, in the order of `Operation.parameters(for:)`.
    package let parameters: [(value: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>)]
    /// The state's values and where a training pass leaves what it measured, in the order of `Operation.state(for:)`.
    package let state: [(value: UnsafeMutablePointer<Float>, update: UnsafeMutablePointer<Float>)]
    /// The largest number of rows.
    package let capacity: Int
    /// What names the node's random numbers.
    package let identity: Int
    /// Whether a backward pass will ask for these.
    package let needsInputGradient: Bool
    package let needsParameterGradients: Bool
    /// Memory that holds nothing between two calls of kernels.
    package let scratch: Scratch

    /// The second parameter of a layer, if it has one.
    var bias: (value: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>)? {
        parameters.count > 1 ? parameters[1] : nil
    }
}

/// Memory that kernels share, as large as the greediest of them asks.
package final class Scratch {
    private var buffer = AlignedBuffer(count: 0)

    /// Room for `count` elements; what was there is lost.
    func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count > buffer.count { buffer = AlignedBuffer(count: count) }
        return buffer.pointer
    }
}

/// Whether a forward pass learns or measures.
package enum ForwardMode: Equatable, Sendable {
    case evaluation
    /// `firstSample` is the position in the epoch of the batch's first row: dropout depends on it, not on sharding.
    case training(seed: Int, epoch: Int, firstSample: Int)
}

/// A node's arithmetic over bound buffers; used by one thread.
///
/// Values of lanes beyond the last row are finite, gradients zero, when it reads them and when it has written them.
package protocol Kernel: AnyObject {
    /// Writes the output's values for the first `rows` rows.
    func forward(rows: Int, mode: ForwardMode)
    /// Reads the output's gradient and overwrites the inputs' gradients and the parameters' gradients, as asked.
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool)
}
