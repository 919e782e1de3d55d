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
    /// The whole flat array in order, for rules that ask how old a moment is.
    private let ages: [Age]

    /// A stretch of the flat array whose moments had seen equally many updates when they were taken over.
    private struct Age {
        var range: Range<Int>
        var steps: Int
    }

    /// The arrays that this kind of optimiser moves in every step.
    private static func slots(_ kind: OptimizerParameters.Kind) -> [OptimizerSlot] {
        switch kind {
        case .sgd: [.momentum]
        case .adamw: [.firstMoment, .secondMoment]
        }
    }

    /// Continues from a network's optimiser state; what is absent is zero.
    ///
    /// The state of another kind of optimiser is of no use: then everything begins anew. What has joined since the state
    /// began has moments of its own age.
    init(_ parameters: OptimizerParameters, layout: ParameterLayout, network: Network) {
        self.parameters = parameters
        self.layout = layout
        state = Self.slots(parameters.kind).map {
            ParameterArena(layout, network.optimizerState, suffix: "/\($0.rawValue)")
        }
        ages = parameters.kind == .adamw ? Self.ages(layout, network.optimizerState) : []
    }

    private static func ages(_ layout: ParameterLayout, _ state: [String: Tensor]) -> [Age] {
        var ages = [Age(range: 0..<0, steps: 0)]
        func add(_ count: Int, steps: Int) {
            let last = ages[ages.count - 1]
            // Nobody reads what pads a parameter: it ages with its neighbour.
            if last.range.isEmpty || last.steps == steps {
                ages[ages.count - 1] = Age(
                    range: last.range.lowerBound..<last.range.upperBound + count, steps: steps)
            } else {
                ages.append(Age(range: last.range.upperBound..<last.range.upperBound + count, steps: steps))
            }
        }
        for entry in layout.entries {
            add(entry.offset - ages[ages.count - 1].range.upperBound, steps: ages[ages.count - 1].steps)
            guard let counts = state["\(entry.name)/\(OptimizerSlot.steps.rawValue)"]?.values else {
                add(entry.count, steps: 0)
                continue
            }
            for count in counts { add(1, steps: Int(count)) }
        }
        add(layout.count - ages[ages.count - 1].range.upperBound, steps: ages[ages.count - 1].steps)
        return ages
    }

    /// The state by "node/parameter/slot", after so many updates since it was taken over.
    func tensors(after steps: Int) -> [String: Tensor] {
        var result = zip(Self.slots(parameters.kind), state).reduce(into: [String: Tensor]()) {
            result, slot in
            result.merge(slot.1.tensors(suffix: "/\(slot.0.rawValue)")) { $1 }
        }
        guard parameters.kind == .adamw else { return result }
        let counts = ParameterArena(layout)
        for age in ages {
            (counts.buffer.pointer + age.range.lowerBound).update(
                repeating: Float(min(age.steps + steps, OptimizerSlot.mostSteps)), count: age.range.count)
        }
        result.merge(counts.tensors(suffix: "/\(OptimizerSlot.steps.rawValue)")) { $1 }
        return result
    }

    /// One update of every element: the learning rate, and what moments are divided by.
    struct Step {
        fileprivate let rate: Float
        /// For each age, 1 − β₁ᵗ and 1 − β₂ᵗ: moments that began at zero are too small by as much (AdamW).
        fileprivate let corrections: [(first: Float, second: Float)]
    }

    /// What all ranges of one update share.
    ///
    /// - Parameters:
    ///   - index: updates since the state was taken over.
    ///   - rate: the learning rate of this step.
    func step(_ index: Int, rate: Double) -> Step {
        // The kernel works with the betas as Float32, so the corrections must be those of the same numbers.
        let beta1 = Double(Float(parameters.beta1)), beta2 = Double(Float(parameters.beta2))
        return Step(
            rate: Float(rate),
            corrections: ages.map { age in
                let count = Double(age.steps + index + 1)
                return (Float(1 - pow(beta1, count)), Float(1 - pow(beta2, count)))
            })
    }

    /// Updates the elements `range` of `weights`.
    ///
    /// - Parameter gradient: the mean gradient, laid out as the weights.
    func update(_ weights: ParameterArena, gradient: ParameterArena, range: Range<Int>, _ step: Step) {
        guard !range.isEmpty else { return }
        let weight = weights.buffer.pointer, slope = gradient.buffer.pointer
        switch parameters.kind {
        case .sgd:
            let begin = range.lowerBound
            optimizer_sgd(
                weight + begin, state[0].buffer.pointer + begin, slope + begin, range.count, step.rate,
                Float(parameters.momentum), Float(parameters.weightDecay), parameters.nesterov ? 1 : 0)
        case .adamw:
            for index in age(at: range.lowerBound)..<ages.count {
                let part = ages[index].range.clamped(to: range), begin = part.lowerBound
                guard !part.isEmpty else { return }
                optimizer_adamw(
                    weight + begin, state[0].buffer.pointer + begin, state[1].buffer.pointer + begin,
                    slope + begin, part.count, step.rate, Float(parameters.beta1), Float(parameters.beta2),
                    Float(parameters.epsilon), Float(parameters.weightDecay), step.corrections[index].first,
                    step.corrections[index].second)
            }
        }
    }

    /// The index of the age of an element.
    private func age(at place: Int) -> Int {
        var (low, high) = (0, ages.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if ages[middle].range.lowerBound <= place { low = middle } else { high = middle }
        }
        return low
    }
}
