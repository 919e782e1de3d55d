package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// Random neurons: Kaiming fan-in, random fan-out of the mean norm of the existing ones.
///
/// Put in as drawn, as published baselines do: the function changes, and training repairs it.
package struct Random: GrowthMethod {
    package static let kind = "random"

    /// The norm of each new fan-out, relative to the mean of the existing ones.
    package var scale = 1.0

    package static let schema = Schema(Self(), .scale(\.scale))

    package var needs: StatisticsNeeds { [] }
    package var placement: Placement { .asProposed }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        var random = site.random
        let fanIn = site.kaimingFanIn(limit, &random)
        return Proposal(
            neurons: NewNeurons(
                fanIn: fanIn,
                fanOut: site.drawnFanOut(limit, norm: scale * site.meanFanOutNorm(for: limit), &random)))
    }
}

/// Random neurons that do nothing yet: Kaiming fan-in, fan-out 0.
package struct RandomZeroOut: GrowthMethod {
    package static let kind = "random-zero-out"

    package static let schema = Schema(Self())

    package var needs: StatisticsNeeds { [] }
    package var placement: Placement { .asProposed }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        var random = site.random
        return Proposal(
            neurons: NewNeurons(
                fanIn: site.kaimingFanIn(limit, &random),
                fanOut: Matrix(rows: site.consumerWeights.rows, columns: limit * site.consumerTaps)))
    }
}

extension SiteProblem {
    /// [count, a]: normal with variance gain² / inputs, the bias 0 (He et al., 2015).
    func kaimingFanIn(_ count: Int, _ random: inout Philox) -> Matrix {
        let inputs = producerWeights.columns - (statistics.geometry.producerHasBias ? 1 : 0)
        let weights = random.matrix(count, inputs, deviation: gain / Double(max(inputs, 1)).squareRoot())
        guard statistics.geometry.producerHasBias else { return weights }
        return weights.appending(columns: Matrix(rows: count, columns: 1))
    }

    /// [c, count E] for all taps of the consumer: directions drawn evenly, each neuron's fan-out of this norm.
    func drawnFanOut(_ count: Int, norm: Double, _ random: inout Philox) -> Matrix {
        let drawn = random.matrix(consumerWeights.rows, count * consumerTaps, deviation: 1)
        let factors = drawn.columnNorms.norms(ofEach: consumerTaps).map { $0 > 0 ? norm / $0 : 0 }
        return drawn.scaling(columns: factors.repeating(each: consumerTaps))
    }
}

extension Philox {
    /// A matrix of normal numbers.
    mutating func matrix(_ rows: Int, _ columns: Int, deviation: Double) -> Matrix {
        Matrix(rows: rows, columns: columns, widening: normal(rows * columns, deviation: deviation))
    }
}
