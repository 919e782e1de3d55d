import GrowthMath
import GrowthReference
import Tensors
import Testing

@testable import Growth

/// SENN grows where the natural gradient g has more of gᵀF⁻¹g (Mitchell et al., "Self-Expanding Neural Networks", 2023).
@Suite("Fisher's neurons raise SENN's expansion score most")
struct ExpansionScoreTests {
    /// tr(E⁺ mᵀ A⁺ m), A = FᵀF/n, m = FᵀT/n: gᵀF⁻¹g of a layer that reads F, its Fisher matrix A ⊗ E.
    private func score(_ features: Matrix, _ target: Matrix, _ gradient: SemidefiniteFactor) throws -> Double
    {
        let perSample = 1 / Double(features.rows)
        let moment = perSample * features.transposedTimes(target)
        let whitened = try SemidefiniteFactor(perSample * features.gram).whitening(moment)
        return gradient.whitening(whitened.transposed).squaredNorm
    }

    @Test(
        "λ² is the score that the remaining gradient gives them; no other fan-ins have more; the whole score rises by at least that",
        arguments: OracleCase.regular)
    func score(named: OracleCase) throws {
        let oracle = try named.open()
        let statistics = try oracle.statistics
        let (x, h, g) = (try oracle.producerInput, try oracle.consumerInput, try oracle.gradient)
        let remaining = bottleneckGradient(g, input: h, update: statistics.bestUpdate.weights)
        let gradient = try SemidefiniteFactor(try #require(statistics.gradientCovariance))
        var problem = try oracle.problem(largest: 1)
        problem.thresholds.singularValue = 1e-6
        for count in [1, 2] {
            let found = try Fisher().propose(for: problem, limit: count)
            try #require(found.neurons.count == count)
            let squares = found.singularValues.reduce(0) { $0 + $1 * $1 }
            let activity = x.timesTransposed(found.neurons.fanIn)
            #expect(agrees(try score(activity, remaining, gradient), squares, to: 1e-8))
            let rise = try score(h.appending(columns: activity), g, gradient) - score(h, g, gradient)
            #expect(rise >= squares * (1 - 1e-8))
            var random = Philox(seed: count, purpose: .growth)
            for _ in 0..<300 {
                let other = x.timesTransposed(random.matrix(count, x.columns, deviation: 1))
                #expect(try score(other, remaining, gradient) <= squares * (1 + 1e-9))
            }
        }
    }
}
