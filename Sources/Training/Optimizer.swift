internal import CKernels
internal import Foundation
internal import Networks
internal import Tensors

/// The state of an optimiser over a flat array of parameters, and its update rule.
///
/// Updates are element by element, so that ranges may be updated by different workers without changing a bit.
struct Optimizer: Sendable {
    private let parameters: OptimizerParameters
    private let layout: ParameterLayout
    /// One array per slot of `slots`.
    private let state: [ParameterArena]

    /// What this kind of optimiser keeps per parameter.
    private static func slots(_ kind: OptimizerParameters.Kind) -> [OptimizerSlot] {
        switch kind {
        case .sgd: [.momentum]
        case .adamw: [.firstMoment, .secondMoment]
        }
    }

    /// How many updates the state had seen when it was taken over.
    let steps: Int

    /// Continues from a network's optimiser state; what is absent is zero.
    ///
    /// The state of another kind of optimiser is of no use: then everything begins anew, the count of updates too.
    init(_ parameters: OptimizerParameters, layout: ParameterLayout, network: Network) {
        self.parameters = parameters
        self.layout = layout
        state = Self.slots(parameters.kind).map {
            ParameterArena(layout, network.optimizerState, suffix: "/\($0.rawValue)")
        }
        let suffixes = Self.slots(parameters.kind).map { "/\($0.rawValue)" }
        let continues = network.optimizerState.keys.contains { name in
            suffixes.contains(where: name.hasSuffix)
        }
        steps = continues ? network.optimizerSteps : 0
    }

    /// The state by "node/parameter/slot".
    var tensors: [String: Tensor] {
        zip(Self.slots(parameters.kind), state).reduce(into: [:]) { result, slot in
            result.merge(slot.1.tensors(suffix: "/\(slot.0.rawValue)")) { $1 }
        }
    }

    /// Updates the elements `range` of `weights`.
    ///
    /// - Parameters:
    ///   - gradient: the mean gradient, laid out as the weights.
    ///   - rate: the learning rate of this step.
    ///   - step: how many updates the state has seen before.
    func update(
        _ weights: ParameterArena, gradient: ParameterArena, range: Range<Int>, rate: Double, step: Int
    ) {
        guard !range.isEmpty else { return }
        let weight = weights.buffer.pointer + range.lowerBound
        let slope = gradient.buffer.pointer + range.lowerBound
        let first = state[0].buffer.pointer + range.lowerBound
        switch parameters.kind {
        case .sgd:
            optimizer_sgd(
                weight, first, slope, range.count, Float(rate), Float(parameters.momentum),
                Float(parameters.weightDecay), parameters.nesterov ? 1 : 0)
        case .adamw:
            // The kernel works with the betas as Float32, so the corrections must be those of the same numbers.
            let beta1 = Float(parameters.beta1), beta2 = Float(parameters.beta2)
            optimizer_adamw(
                weight, first, state[1].buffer.pointer + range.lowerBound, slope, range.count, Float(rate),
                beta1,
                beta2, Float(parameters.epsilon), Float(parameters.weightDecay),
                Float(1 - pow(Double(beta1), Double(step + 1))),
                Float(1 - pow(Double(beta2), Double(step + 1))))
        }
    }
}
