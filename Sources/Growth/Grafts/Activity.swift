internal import GrowthMath
package import Networks
package import Parameters
internal import Tensors

/// New neurons as active as the old ones, the function kept: their fan-ins get the old mean norm, their channels in batch
/// normalisations the old median gain, and fan-outs are divided by what that multiplies activities by.
///
/// Neurons found by statistics have small fan-ins and, behind a batch normalisation, small gains; the gradient of
/// their fan-out is then small as well, and they learn slowly. What lies between must be positively homogeneous, channel
/// by channel: batch normalisation, ReLU, pooling, flattening.
package struct Activity: GraftRule {
    package static let kind = "activity"
    package static let schema = Schema(Self())

    package var keepsFunction: Bool { true }

    package func obstacle(at width: Width, of architecture: Architecture) -> String? {
        if width.isResidual { return "several layers share the width" }
        return architecture.nodes.first {
            width.between.contains($0.name) && !$0.operation.isHomogeneous
                && $0.operation.state(for: architecture.inputShapes(of: $0)).isEmpty
        }.map { "\($0.name) does not keep σ(t x) = t σ(x)" }
    }

    package func sized(_ grown: Network, newborn: Int, at width: Width) -> Network {
        guard width.count > 0, obstacle(at: width, of: grown.architecture) == nil else { return grown }
        let norms = grown.fanInNorms(at: width)
        let mean = norms[..<width.count].reduce(0, +) / Double(width.count)
        // Neurons without a fan-in have no direction that could be made longer.
        var factors = norms[width.count...].map { $0 > 0 && mean > 0 ? mean / $0 : 1 }
        var result = grown.scalingFanIns(at: width, by: factors)
        for node in grown.architecture.normalizations(width.between) {
            factors = result.equalizeGains(of: node, old: width.count, factors)
        }
        return result.scalingFanOuts(
            of: 0, at: width, by: Array(repeating: 1, count: width.count) + factors.map { 1 / $0 })
    }
}

extension Network {
    /// Gives new channels of a batch normalisation, whose inputs were multiplied by factors, the old median gain.
    ///
    /// - Parameters:
    ///   - old: neurons; each has one channel, or several where a flattened image comes in.
    ///   - factors: for each new neuron.
    /// - Returns: what the outputs are multiplied by, for each new neuron.
    fileprivate mutating func equalizeGains(of node: Architecture.Node, old: Int, _ factors: [Double])
        -> [Double]
    {
        let names = ["weight", "bias"].map { "\(node.name)/\($0)" }
        let states = ["running_mean", "running_var"].map { "\(node.name)/\($0)" }
        guard var gains = parameters[names[0]], var shifts = parameters[names[1]],
            var means = state[states[0]], var variances = state[states[1]]
        else { return factors }
        /// √(σ² + ε)
        func deviation(_ variance: Double) -> Double {
            Double(node.operation.passing("weight", count: 1, mean: 0, variance: variance)[0])
        }
        let each = gains.count / (old + factors.count)
        let sorted = gains.values.prefix(old * each).map { abs(Double($0)) }.sorted()
        let median = sorted[sorted.count / 2]
        let results = factors.enumerated().map { neuron, factor in
            let channels = (old + neuron) * each..<(old + neuron + 1) * each
            // With ε, a larger channel is not normalised to quite the same.
            let lost = channels.map { channel in
                let variance = Double(variances.values[channel])
                return factor * deviation(variance) / deviation(factor * factor * variance)
            }
            let own = zip(channels, lost).map { abs(Double(gains.values[$0])) / $1 }.max() ?? 0
            let result = own > 0 && median > 0 ? median / own : 1
            for (channel, lost) in zip(channels, lost) {
                gains.values[channel] *= Float(result / lost)
                shifts.values[channel] *= Float(result)
                means.values[channel] *= Float(factor)
                variances.values[channel] *= Float(factor * factor)
            }
            return result
        }
        parameters[names[0]] = gains
        parameters[names[1]] = shifts
        state[states[0]] = means
        state[states[1]] = variances
        return results
    }
}
