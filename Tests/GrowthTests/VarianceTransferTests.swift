import Correlations
import Datasets
import GrowthMath
import GrowthReference
import Networks
import Tensors
import Testing

@testable import Growth

@Suite("Variance transfer: random twins that cancel")
struct VarianceTransferTests: GrowsNetworks {
    let dataset = SampleNetworks.dataset(train: 150, validation: 60)

    @Test(
        "the function is kept, by any even number in front too, and no twin is small", arguments: RuleCase.all
    )
    func functionIsKept(named: RuleCase) throws {
        let some = try named.open()
        for limit in 0...5 {
            let found = try VarianceTransfer().propose(for: some.problem, limit: limit).neurons
            #expect(found.count == limit)
            let before = some.grown(found.selecting([]), 1).output
            #expect(agrees(some.grown(found, 1).output, before, to: 1e-12))
            for pair in 0..<limit / 2 {
                let (one, other) = (found.selecting([2 * pair]), found.selecting([2 * pair + 1]))
                #expect(one.fanIn == other.fanIn && one.fanOut == -other.fanOut)
                #expect(one.fanIn.squaredNorm > 0)
                #expect(agrees(some.grown(found.selecting(0...2 * pair + 1), 1).output, before, to: 1e-12))
                #expect(one.fanOut.squaredNorm > 0)
            }
            if limit == 5 { #expect(found.selecting([4]).fanOut.squaredNorm == 0) }
        }
    }

    @Test(
        "a fan-out has the norm that existing ones have once they are rescaled for the new width",
        arguments: RuleCase.all)
    func norms(named: RuleCase) throws {
        let some = try named.open()
        let found = try VarianceTransfer().propose(for: some.problem, limit: 6).neurons
        var rescaled = some.problem
        let share = Double(rescaled.width) / Double(rescaled.width + 6)
        rescaled.consumerWeights = share.squareRoot() * rescaled.consumerWeights
        #expect(found.fanOutNorms.allSatisfy { agrees($0, rescaled.meanFanOutNorm(for: 6)) })
    }

    @Test(
        "with the existing weights rescaled, inputs of variance 1 give outputs of the same variance as before"
    )
    func variance() throws {
        var random = Philox(seed: 4, purpose: .growth)
        let (width, outputs) = (200, 64)
        let weights = random.matrix(outputs, width, deviation: 1 / Double(width).squareRoot())
        let problem = SiteProblem(
            statistics: try SiteStatistics(
                unmeasured: .init(
                    inputs: 5, producerHasBias: true, width: width, consumerHasBias: false, outputs: outputs)),
            producerWeights: random.matrix(width, 6, deviation: 1), consumerWeights: weights)
        for added in [100, 200, 600] {
            let found = try VarianceTransfer().propose(for: problem, limit: added).neurons
            let share = Double(width) / Double(width + added)
            let all = (share.squareRoot() * weights).appending(columns: found.fanOut)
            #expect(agrees(all.squaredNorm, weights.squaredNorm, to: 0.01))
        }
    }

    @Test("the fan-outs of a width of 0 are those of a fresh layer")
    func empty() throws {
        let problem = SiteProblem(
            statistics: try SiteStatistics(
                unmeasured: .init(
                    inputs: 5, producerHasBias: true, width: 0, consumerHasBias: true, outputs: 3)),
            producerWeights: Matrix(rows: 0, columns: 6), consumerWeights: Matrix(rows: 3, columns: 1))
        let found = try VarianceTransfer(scale: 0.5).propose(for: problem, limit: 4).neurons
        #expect(found.fanOutNorms.allSatisfy { agrees($0, 0.5 * problem.meanFanOutNorm(for: 4)) })
    }

    @Test("twins cancel behind whatever lies between, and across residual branches", arguments: [2, 3])
    func networks(count: Int) throws {
        let networks =
            try SampleNetworks.Kind.allCases.map { try SampleNetworks.network($0) }
            + [ResidualNetworks.network(.classic), ResidualNetworks.network(.preActivation)]
        for network in networks {
            let before = try outputs(network, dataset.validation)
            let outcome = try grow(network) {
                $0.proposal.method = MethodParameters(method: VarianceTransfer())
                $0.proposal.neurons = .number(count)
                $0.proposal.residualWidths = !Width.residual(in: network.architecture).isEmpty
            }.outcome
            #expect(outcome.records.allSatisfy { $0.neurons == count })
            let after = try outputs(try #require(outcome.network), dataset.validation)
            let scale = before.map(abs).max() ?? 0
            #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 1e-4 * scale })
        }
    }
}
