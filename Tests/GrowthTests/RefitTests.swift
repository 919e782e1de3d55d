import Parameters
import GrowthMath
import GrowthReference
import Tensors
import Testing

@testable import Growth

@Suite("Refitting fan-out and update to the activities that kinked neurons really have")
struct RefitTests {
    private struct Case {
        let oracle: Oracle
        let statistics: SiteStatistics
        let moments: CandidateMoments
        let proposal: Proposal
        let chosen: SignedNeurons

        init(_ named: OracleCase, signs: SignRule, limit: Int = 2, slopes: SlopesAtZero? = nil) throws {
            oracle = try named.open()
            statistics = try oracle.statistics
            proposal = try TinyJoint(ridge: 0).propose(for: oracle.problem(largest: 1), limit: limit)
            let slopes = slopes ?? oracle.slopes
            moments = try oracle.moments(proposal.neurons, slopes)
            let gains = NeuronGains(moments.gradient, neurons: proposal.neurons, slopes: slopes)
            chosen = signs.choose(proposal.neurons, gains: gains)
        }

        func refit() throws -> Refit {
            try Refit(chosen, moments: moments, bestUpdate: statistics.bestUpdate, threshold: 1e-10)
        }

        /// H δWᵀ + σ₀(X αᵀ) ωᵀ, [n, c].
        func activity(_ neurons: NewNeurons, slopes: SlopesAtZero) throws -> Matrix {
            let update = try #require(proposal.consumerUpdate(with: neurons))
            let z = try oracle.producerInput.timesTransposed(neurons.fanIn).mapping { slopes($0) }
            return try oracle.consumerInput.timesTransposed(update) + z.timesTransposed(neurons.fanOut)
        }
    }

    @Test(
        "it explains all of the gradient that H and the activities span", arguments: OracleCase.all,
        SignRule.allCases)
    func isProjection(named: OracleCase, signs: SignRule) throws {
        let some = try Case(named, signs: signs)
        let refit = try some.refit()
        let gradient = try some.oracle.gradient
        let z = try some.oracle.producerInput.timesTransposed(some.chosen.neurons.fanIn)
            .mapping { some.oracle.slopes($0) }
        let span = try some.oracle.consumerInput.appending(columns: z)
        let projected = try SemidefiniteFactor(span.gram).whitening(span.transposedTimes(gradient))
            .squaredNorm
        #expect(agrees(refit.decrease, projected / Double(gradient.rows)))
        let activity = try some.activity(refit.neurons, slopes: some.oracle.slopes)
        #expect(agrees(activity.inner(gradient) / Double(gradient.rows), refit.decrease))
    }

    @Test(
        "its first-order decrease is never smaller than without it at the amplitude that is best there",
        arguments: OracleCase.all, SignRule.allCases)
    func isBetter(named: OracleCase, signs: SignRule) throws {
        let some = try Case(named, signs: signs)
        let gradient = try some.oracle.gradient
        let without = try some.activity(some.chosen.neurons, slopes: some.oracle.slopes)
        let explained = without.inner(gradient) * without.inner(gradient) / without.squaredNorm
        #expect(try some.refit().decrease >= explained / Double(gradient.rows) - 1e-9)
    }

    @Test("where the activation is smooth it changes nothing", arguments: OracleCase.regular)
    func smooth(named: OracleCase) throws {
        let some = try Case(named, signs: .best, slopes: .unit)
        let refit = try some.refit()
        #expect(agrees(refit.neurons.product, some.chosen.neurons.product))
        let before = try #require(some.proposal.consumerUpdate(with: some.chosen.neurons))
        #expect(agrees(try #require(some.proposal.consumerUpdate(with: refit.neurons)), before))
    }

    @Test("fan-in and fan-out are balanced")
    func balance() throws {
        let some = try Case(OracleCase(name: "mlp_relu_mse", layer: 1), signs: .best)
        let neurons = try [some.refit()].balanced[0]
        let z = try some.oracle.producerInput.timesTransposed(neurons.fanIn).mapping { SlopesAtZero.relu($0) }
        let activity = z.columnNorms.map { $0 / Double(z.rows).squareRoot() }
        #expect(agrees(activity, neurons.fanOut.columnNorms))
    }
}
