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
        let fanOut = random.matrix(site.consumerWeights.rows, limit * site.consumerTaps, deviation: 1)
        let drawn = NewNeurons(fanIn: fanIn, fanOut: fanOut)
        let mean = scale * site.meanFanOutNorm(for: limit)
        return Proposal(
            neurons: drawn.scaling(
                fanIn: Array(repeating: 1, count: limit),
                fanOut: drawn.fanOutNorms.map { $0 > 0 ? mean / $0 : 0 }))
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
    fileprivate func kaimingFanIn(_ count: Int, _ random: inout Philox) -> Matrix {
        let inputs = producerWeights.columns - (statistics.geometry.producerHasBias ? 1 : 0)
        let weights = random.matrix(count, inputs, deviation: gain / Double(max(inputs, 1)).squareRoot())
        guard statistics.geometry.producerHasBias else { return weights }
        return weights.appending(columns: Matrix(rows: count, columns: 1))
    }
}

extension Philox {
    /// A matrix of normal numbers.
    mutating func matrix(_ rows: Int, _ columns: Int, deviation: Double) -> Matrix {
        Matrix(rows: rows, columns: columns, widening: normal(rows * columns, deviation: deviation))
    }
}
