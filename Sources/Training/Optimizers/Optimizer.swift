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
    private let stretches: UpdateStretches
    private let stepsPerEpoch: Int

    /// Continues from a network's optimiser state; what is absent is zero.
    ///
    /// The state of another kind of optimiser is of no use: then everything begins anew. What has joined since the
    /// state began has moments of its own age.
    ///
    /// - Precondition: the network has all births.
    init(
        _ parameters: OptimizerParameters, layout: ParameterLayout, network: Network, stepsPerEpoch: Int
    ) {
        precondition(network.hasAllBirths, "rows or columns joined in a round that has not been noted")
        self.parameters = parameters
        self.layout = layout
        self.stepsPerEpoch = stepsPerEpoch
        let rule = type(of: parameters.rule)
        state = rule.slots.map { ParameterArena(layout, network.optimizerState, suffix: "/\($0)") }
        var stretches = UpdateStretches()
        for entry in layout.entries {
            stretches.pad(to: entry.offset)
            let steps = network.optimizerState["\(entry.name)/\(OptimizerSlot.steps)"]?.values
            let counts = rule.countsUpdates ? steps : nil
            let groups = parameters.groups(of: entry, in: network)
            guard counts != nil || groups != nil else {
                stretches.append(entry.count, .init())
                continue
            }
            for index in 0..<entry.count {
                stretches.append(1, .init(steps: counts.map { Int($0[index]) } ?? 0, group: groups?[index]))
            }
        }
        stretches.pad(to: layout.count)
        self.stretches = stretches
    }

    /// The state by "node/parameter/slot", after so many updates since it was taken over.
    func tensors(after steps: Int) -> [String: Tensor] {
        let rule = type(of: parameters.rule)
        var result = zip(rule.slots, state).reduce(into: [String: Tensor]()) { result, slot in
            result.merge(slot.1.tensors(suffix: "/\(slot.0)")) { $1 }
        }
        guard rule.countsUpdates else { return result }
        let counts = ParameterArena(layout)
        stretches.forEach(in: 0..<layout.count) { range, number in
            let treatment = stretches.treatments[number]
            let seen = treatment.steps + (isFrozen(treatment) ? 0 : steps)
            (counts.buffer.pointer + range.lowerBound).update(
                repeating: Float(min(seen, OptimizerSlot.mostSteps)), count: range.count)
        }
        result.merge(counts.tensors(suffix: "/\(OptimizerSlot.steps)")) { $1 }
        return result
    }

    private func isFrozen(_ treatment: UpdateStretches.Treatment) -> Bool {
        treatment.group.map { parameters.groups[$0].rateFactor == 0 } ?? false
    }

    /// One update of every element: the rule's update for each treatment; nil for what is frozen.
    typealias Step = [((ParameterStretch) -> Void)?]

    /// What all ranges of one update share.
    ///
    /// - Parameters:
    ///   - index: updates since the state was taken over.
    ///   - rate: the learning rate of this step.
    func step(_ index: Int, rate: Double) -> Step {
        stretches.treatments.map { treatment in
            guard !isFrozen(treatment) else { return nil }
            let group = treatment.group.map { parameters.groups[$0] } ?? ParameterGroup()
            let risen = ScheduleParameters.rise(
                step: index, stepsPerEpoch: stepsPerEpoch, over: group.warmUp)
            return parameters.rule.update(
                rate: Float(rate * group.rateFactor * risen),
                decay: Float(parameters.weightDecay * group.decayFactor),
                count: treatment.steps + index + 1)
        }
    }

    /// Updates the elements `range` of `weights`.
    ///
    /// - Parameter gradient: the mean gradient, laid out as the weights.
    func update(_ weights: ParameterArena, gradient: ParameterArena, range: Range<Int>, _ step: Step) {
        stretches.forEach(in: range) { part, treatment in
            step[treatment]?(
                ParameterStretch(
                    weights: weights.buffer.pointer + part.lowerBound,
                    gradient: gradient.buffer.pointer + part.lowerBound, count: part.count,
                    begin: part.lowerBound, state: state))
        }
    }
}

extension OptimizerParameters {
    /// The group of each value of a parameter, as its place in the list; nil where there are no groups.
    fileprivate func groups(of entry: ParameterLayout.Entry, in network: Network) -> [Int?]? {
        guard !groups.isEmpty, let births = network.births[entry.node] else { return nil }
        let specification = entry.specification
        var result: [Int?] = []
        births.forEachStretch(of: specification) { count, round in
            let age = network.lastRound - round
            let group = groups.firstIndex { $0.contains(specification.kind, age: age) }
            result += repeatElement(group, count: count)
        }
        return result
    }
}
