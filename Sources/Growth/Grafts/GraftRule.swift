internal import GrowthMath
package import Networks
package import Parameters
internal import Tensors

/// The size that new neurons get when they are put in, whatever rule found them.
///
/// A new rule is one file in this folder and one line in ``GraftParameters/rules``.
package protocol GraftRule: Alternative {
    /// Whether the network computes what it computed with the neurons as they were found, so that amplitudes are
    /// searched as ever. Otherwise there is nothing to search, and the consumers do not move by themselves.
    var keepsFunction: Bool { get }

    /// Why neurons at a width cannot be sized so; nil if they can.
    func obstacle(at width: Width, of architecture: Architecture) -> String?

    /// A grown network with its newborn neurons sized.
    ///
    /// - Parameters:
    ///   - newborn: neurons, the last ones at the width.
    ///   - width: as it was before.
    func sized(_ grown: Network, newborn: Int, at width: Width) -> Network
}

/// The `graft:` field: how large new neurons stand in the network.
package struct GraftParameters: ParameterSet {
    package static let rules = Alternatives<any GraftRule>(
        AsFound.self,
        Activity.self,
        RootMeanSquare.self)

    package var rule: any GraftRule = AsFound()

    package static let schema = Schema(
        Self(), .kind(\.rule, among: rules, "the size that new neurons are put in at"))
}

/// As the method found them, at the amplitude that was searched.
package struct AsFound: GraftRule {
    package static let kind = "as-found"
    package static let schema = Schema(Self())

    package var keepsFunction: Bool { true }
    package func obstacle(at width: Width, of architecture: Architecture) -> String? { nil }
    package func sized(_ grown: Network, newborn: Int, at width: Width) -> Network { grown }
}

// MARK: - What rules work with

extension Network {
    /// The norms of the neurons' fan-ins at a width, biases aside, all producers together.
    func fanInNorms(at width: Width) -> [Double] {
        let weights = width.producers.map(inputWeights)
        return weights.dropFirst().reduce(weights[0]) { $0.appending(columns: $1) }.transposed.columnNorms
    }

    /// The norms of the neurons' fan-outs in one consumer.
    func fanOutNorms(of consumer: Int, at width: Width) -> [Double] {
        inputWeights(of: width.consumers[consumer]).columnNorms.norms(ofEach: width.consumerTaps[consumer])
    }

    /// The last neurons' fan-ins times one factor each, biases included.
    func scalingFanIns(at width: Width, by factors: [Double]) -> Network {
        var result = self
        let layout = ParameterLayout(architecture)
        for producer in width.producers {
            var weights = extendedWeights(of: producer)
            for (neuron, factor) in zip(width.count..., factors) {
                for column in 0..<weights.columns { weights[neuron, column] *= factor }
            }
            result.set(producer, weights, layout)
        }
        return result
    }

    /// One consumer's columns times the factors of the neurons that they read; the bias stays.
    func scalingFanOuts(of consumer: Int, at width: Width, by factors: [Double]) -> Network {
        var result = self
        let (node, taps) = (width.consumers[consumer], width.consumerTaps[consumer])
        var weights = extendedWeights(of: node)
        for (neuron, factor) in factors.enumerated() where factor != 1 {
            for column in neuron * taps..<(neuron + 1) * taps {
                for row in 0..<weights.rows { weights[row, column] *= factor }
            }
        }
        result.set(node, weights, ParameterLayout(architecture))
        return result
    }
}
