internal import Networks
internal import Tensors

/// Measures ``GradientParity`` over the first steps after a growth.
///
/// Steps are measured one by one, each by one worker between two barriers.
final class ParityMeter: @unchecked Sendable {
    /// A node's weights: which of them are newborn, and the sums of ratios so far.
    private struct Weights {
        let node: String
        let range: Range<Int>
        let isNewborn: [Bool]
        var gradient = 0.0
        var update = 0.0
        var steps = 0
    }

    private let round: Int
    private var weights: [Weights] = []
    /// The parameters before the step.
    private var before: [Float]

    /// - Returns: nil for a network whose last growth has been measured, or that has none.
    init?(_ network: Network, _ parameters: ParameterArena) {
        round = network.lastRound
        before = Array(UnsafeBufferPointer(start: parameters.buffer.pointer, count: parameters.layout.count))
        guard round > 0, !network.parity.contains(where: { $0.round == network.lastRound }) else {
            return nil
        }
        for entry in parameters.layout.entries where entry.specification.shape.count > 1 {
            var isNewborn: [Bool] = []
            network.births[entry.node]?.forEachStretch(of: entry.specification) { count, born in
                isNewborn += repeatElement(born == network.lastRound, count: count)
            }
            guard isNewborn.contains(true), isNewborn.contains(false) else { continue }
            weights.append(
                Weights(
                    node: entry.node, range: entry.offset..<entry.offset + entry.count, isNewborn: isNewborn))
        }
        if weights.isEmpty { return nil }
    }

    /// Takes one step in, which has just been done.
    func measure(gradients: ParameterArena, parameters: ParameterArena) {
        let (gradient, now) = (gradients.buffer.pointer, parameters.buffer.pointer)
        for index in weights.indices {
            let one = weights[index]
            let driven = Self.ratio(one.range, one.isNewborn) { gradient[$0] }
            let moved = Self.ratio(one.range, one.isNewborn) { now[$0] - before[$0] }
            guard let driven, let moved else { continue }
            weights[index].gradient += driven
            weights[index].update += moved
            weights[index].steps += 1
        }
        before.withUnsafeMutableBufferPointer { $0.baseAddress?.update(from: now, count: $0.count) }
    }

    /// What was measured, node by node.
    var parity: [GradientParity] {
        weights.filter { $0.steps > 0 }.map {
            GradientParity(
                round: round, node: $0.node, gradient: $0.gradient / Double($0.steps),
                update: $0.update / Double($0.steps), steps: $0.steps)
        }
    }

    /// RMS of the newborn values to that of the others; nil where the others are all zero.
    private static func ratio(
        _ range: Range<Int>, _ isNewborn: [Bool], _ value: (Int) -> Float
    ) -> Double? {
        var (young, old, newborn) = (0.0, 0.0, 0)
        for (index, isNewborn) in zip(range, isNewborn) {
            let square = Double(value(index)) * Double(value(index))
            if isNewborn {
                young += square
                newborn += 1
            } else {
                old += square
            }
        }
        guard old > 0 else { return nil }
        return (young / Double(newborn) / (old / Double(range.count - newborn))).squareRoot()
    }
}
