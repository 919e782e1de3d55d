internal import CKernels
package import Parameters
internal import Tensors

/// While training, zeroes each element with probability `rate` and scales the others by 1/(1 - rate)
/// (Srivastava et al., 2014); otherwise the identity.
package struct Dropout: Operation {
    package static let kind = "dropout"

    /// The probability of an element to be dropped, in [0, 1).
    package var rate: Double

    package init(rate: Double) { self.rate = rate }

    package static let schema = Schema(
        Self(rate: 0),
        .field(
            "rate", \.rate, .real(in: 0...0.999), default: .required,
            "the probability of an element to be dropped"))

    package var backwardReads: BackwardReads { [] }
    package var inPlace: InPlace { [.forward, .backward] }

    package var channelPassage: ChannelPassage? { .unchanged }
    package var isHomogeneous: Bool { true }

    package func outputShape(of inputs: [[Int]], node: String) throws -> [Int] {
        try onlyInput(inputs, node: node, allowed: "of any shape")
    }

    package func cost(for inputs: [[Int]]) -> OperationCost {
        let count = inputs[0].reduce(1, *)
        return OperationCost(forward: count, inputGradient: count, parameterGradient: 0)
    }

    package func makeKernel(_ wiring: Wiring) -> any Kernel { DropoutKernel(Float(rate), wiring) }
}

private final class DropoutKernel: Kernel {
    private let rate: Float
    private let wiring: Wiring
    private let input: Port
    private let output: Port
    private let mask: AlignedBuffer
    /// Whether the last forward pass dropped anything.
    private var isMasked = false

    init(_ rate: Float, _ wiring: Wiring) {
        self.rate = rate
        self.wiring = wiring
        input = wiring.inputs[0]
        output = wiring.output
        mask = AlignedBuffer(count: input.elements(wiring.capacity))
    }

    // y = x mask; the mask of a sample depends on its place in the epoch, not on the shard it is in.
    func forward(rows: Int, mode: ForwardMode) {
        let count = input.elements(rows)
        guard case .training(let seed, let epoch, let firstSample) = mode, rate > 0 else {
            isMasked = false
            output.value.update(from: input.value, count: count)
            return
        }
        isMasked = true
        let stream = Philox.stream(purpose: .dropout, epoch: epoch, index: wiring.identity)
        let key = Philox.key(seed: seed)
        dropout_mask(
            mask.pointer, ValueLayout.blocks(rows), input.count, rate, [key.0, key.1], stream.0, stream.1,
            UInt32(truncatingIfNeeded: firstSample))
        vector_multiply(input.value, mask.pointer, output.value, count)
    }

    // dx = dy mask
    func backward(rows: Int, inputGradients: Bool, parameterGradients: Bool) {
        guard inputGradients else { return }
        let count = input.elements(rows)
        if isMasked {
            vector_multiply(output.gradient, mask.pointer, input.gradient, count)
        } else {
            input.gradient.update(from: output.gradient, count: count)
        }
    }
}
