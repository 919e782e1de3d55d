internal import Networks
internal import Tensors

/// The state of an optimiser over a flat array of parameters, and its update rule.
///
/// Updates are element by element, so that ranges may be updated by different workers without changing a bit.
struct Optimizer: Sendable {
    private let parameters: OptimizerParameters
    private let layout: ParameterLayout
    /// One array per slot of the rule.
    private let state: [ParameterArena]
    /// The whole flat array in order, for rules that ask how old a moment is.
    private let ages: [Age]

    /// A stretch of the flat array whose moments had seen equally many updates when they were taken over.
    private struct Age {
        var range: Range<Int>
        var steps: Int
    }

    /// Continues from a network's optimiser state; what is absent is zero.
    ///
    /// The state of another kind of optimiser is of no use: then everything begins anew. What has joined since the state
    /// began has moments of its own age.
    init(_ parameters: OptimizerParameters, layout: ParameterLayout, network: Network) {
        self.parameters = parameters
        self.layout = layout
        let rule = type(of: parameters.rule)
        state = rule.slots.map { ParameterArena(layout, network.optimizerState, suffix: "/\($0)") }
        ages =
            rule.countsUpdates
            ? Self.ages(layout, network.optimizerState) : [Age(range: 0..<layout.count, steps: 0)]
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
            guard let counts = state["\(entry.name)/\(OptimizerSlot.steps)"]?.values else {
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
        let rule = type(of: parameters.rule)
        var result = zip(rule.slots, state).reduce(into: [String: Tensor]()) { result, slot in
            result.merge(slot.1.tensors(suffix: "/\(slot.0)")) { $1 }
        }
        guard rule.countsUpdates else { return result }
        let counts = ParameterArena(layout)
        for age in ages {
            (counts.buffer.pointer + age.range.lowerBound).update(
                repeating: Float(min(age.steps + steps, OptimizerSlot.mostSteps)), count: age.range.count)
        }
        result.merge(counts.tensors(suffix: "/\(OptimizerSlot.steps)")) { $1 }
        return result
    }

    /// One update of every element: the rule's update for each age.
    typealias Step = [(ParameterStretch) -> Void]

    /// What all ranges of one update share.
    ///
    /// - Parameters:
    ///   - index: updates since the state was taken over.
    ///   - rate: the learning rate of this step.
    func step(_ index: Int, rate: Double) -> Step {
        ages.map { age in
            parameters.rule.update(
                rate: Float(rate), decay: Float(parameters.weightDecay), count: age.steps + index + 1)
        }
    }

    /// Updates the elements `range` of `weights`.
    ///
    /// - Parameter gradient: the mean gradient, laid out as the weights.
    func update(_ weights: ParameterArena, gradient: ParameterArena, range: Range<Int>, _ step: Step) {
        guard !range.isEmpty else { return }
        for index in age(at: range.lowerBound)..<ages.count {
            let part = ages[index].range.clamped(to: range), begin = part.lowerBound
            guard !part.isEmpty else { return }
            step[index](
                ParameterStretch(
                    weights: weights.buffer.pointer + begin, gradient: gradient.buffer.pointer + begin,
                    count: part.count, begin: begin, state: state))
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
