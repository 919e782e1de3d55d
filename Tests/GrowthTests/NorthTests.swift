import Correlations
import Datasets
import GrowthMath
import GrowthReference
import Networks
import Parameters
import Tensors
import Testing

@testable import Growth

@Suite("North: neurons orthogonal to the existing ones")
struct NorthTests: GrowsNetworks {
    let dataset = SampleNetworks.dataset(train: 150, validation: 60)

    private func meanNorm(_ weights: Matrix) -> Double {
        weights.transposed.columnNorms.reduce(0, +) / Double(weights.rows)
    }

    private func square(_ size: Int, _ value: Double) -> Matrix { value * Matrix.identity(size) }

    @Test(
        "of weights: fan-ins have no part of the existing ones, nor of one another, while there is room; then they are free",
        arguments: RuleCase.all)
    func weights(named: RuleCase) throws {
        let some = try named.open()
        let existing = some.problem.producerWeights.selecting(columns: some.inputs)
        let room = some.inputs.count - (try SemidefiniteFactor(existing.outerGram).rank)
        let found = try North(target: .weights).propose(for: some.problem, limit: room + 2).neurons
        #expect(found.count == room + 2)
        let fanIn = found.fanIn.selecting(columns: some.inputs)
        let orthogonal = fanIn.selecting(rows: 0..<room)
        let norm = meanNorm(existing)
        #expect(
            agrees(orthogonal.timesTransposed(existing), Matrix(rows: room, columns: existing.rows)))
        #expect(agrees(orthogonal.outerGram, square(room, norm * norm)))
        for row in 0..<found.count {
            let squares = fanIn.row(row).reduce(0) { $0 + $1 * $1 }
            #expect(agrees(squares, norm * norm))
            for bias in some.problem.biases { #expect(found.fanIn[row, bias] == 0) }
        }
        let rest = fanIn.selecting(rows: room..<room + 2)
        #expect(rest.timesTransposed(existing.appending(rows: orthogonal)).squaredNorm > 1e-3)
    }

    @Test(
        "of pre-activations: on the samples they have no part of the existing ones, nor of one another",
        arguments: RuleCase.all)
    func preActivations(named: RuleCase) throws {
        let some = try named.open()
        let weights = some.problem.producerWeights
        let covariance = try #require(some.problem.statistics.inputCovariance)
            .selecting(rows: some.inputs).selecting(columns: some.inputs)
        let room = max(0, try SemidefiniteFactor(covariance).rank - weights.rows)
        let found = try North(target: .preActivations).propose(for: some.problem, limit: room + 1).neurons
        #expect(found.count == room + 1)
        let norm = meanNorm(weights.selecting(columns: some.inputs))
        #expect(found.fanIn.transposed.columnNorms.allSatisfy { agrees($0, norm) })
        let fanIn = found.fanIn.selecting(rows: 0..<room)
        let scale = some.common(weights, weights, of: some.readings).largestDiagonal
        let old = some.common(fanIn, weights, of: some.readings)
        #expect(agrees((1 / scale) * old, Matrix(rows: room, columns: weights.rows), to: 1e-8))
        let own = some.common(fanIn, fanIn, of: some.readings)
        for row in 0..<room {
            for column in 0..<room {
                #expect(row == column ? own[row, row] > 0 : abs(own[row, column]) <= 1e-8 * scale)
            }
        }
        let last = found.fanIn.selecting(rows: [room])
        #expect(
            some.common(last, weights.appending(rows: fanIn), of: some.readings).squaredNorm > 1e-6 * scale)
    }

    @Test(
        "of activations: no fan-in of their norm has more of its pre-activations outside of what the consumer reads",
        arguments: RuleCase.all)
    func activations(named: RuleCase) throws {
        let some = try named.open()
        let factor = try SemidefiniteFactor(some.h.gram)
        let left = some.readings.map { [h = some.h] in $0 - h.times(factor.solving(h.transposedTimes($0))) }
        let norm = meanNorm(some.problem.producerWeights.selecting(columns: some.inputs))
        let found = try North(target: .activations).propose(for: some.problem, limit: 3).neurons
        #expect(found.fanIn.transposed.columnNorms.allSatisfy { agrees($0, norm) })

        let all = Matrix.identity(some.problem.producerWeights.columns).selecting(rows: some.inputs)
        let spectrum = try some.common(all, all, of: left).symmetricEigen().values.reversed()
        let shown = spectrum.prefix(3).filter { $0 > 1e-7 * (spectrum.first ?? 0) }
        #expect(!shown.isEmpty)
        let chosen = found.fanIn.selecting(rows: 0..<shown.count)
        let energies = (1 / (norm * norm)) * some.common(chosen, chosen, of: left)
        for (row, energy) in shown.enumerated() {
            for column in 0..<shown.count {
                #expect(agrees(energies[row, column], row == column ? energy : 0, to: 1e-8))
            }
        }
        // What NORTH-Select would choose among.
        var random = Philox(seed: 1, purpose: .growth)
        for _ in 0..<200 {
            let drawn = random.matrix(1, some.inputs.count, deviation: 1)
            let fanIn = drawn.spread(to: some.inputs, of: found.fanIn.columns)
            let energy = some.common(fanIn, fanIn, of: left)[0, 0] / drawn.squaredNorm
            #expect(energy <= energies[0, 0] * (1 + 1e-9))
        }
    }

    @Test("of activations: only where the consumer reads all there is already, neurons are drawn")
    func exhausted() throws {
        var random = Philox(seed: 2, purpose: .growth)
        let x = random.matrix(40, 4, deviation: 1)
        let gradient = random.matrix(40, 3, deviation: 1)
        func fanIns(reading h: Matrix, seed: Int) throws -> Matrix {
            let statistics = try SiteStatistics(
                producerInput: x, consumerInput: h, functionalGradient: gradient, producerHasBias: false,
                consumerHasBias: false)
            var drawn = Philox(seed: 3, purpose: .growth)
            let problem = SiteProblem(
                statistics: statistics, producerWeights: drawn.matrix(h.columns, 4, deviation: 1),
                consumerWeights: drawn.matrix(3, h.columns, deviation: 1),
                random: Philox(seed: seed, purpose: .growth))
            return try North().propose(for: problem, limit: 2).neurons.fanIn
        }
        let some = x.selecting(columns: [0, 1])
        #expect(try fanIns(reading: some, seed: 0) == fanIns(reading: some, seed: 1))
        let drawn = try fanIns(reading: x, seed: 0)
        #expect(drawn.rows == 2 && drawn.squaredNorm > 0)
        #expect(try fanIns(reading: x, seed: 1) != drawn)
    }

    @Test("a width of 0 gets fan-ins of Kaiming's norm, from any of them", arguments: North.Target.allCases)
    func empty(target: North.Target) throws {
        var random = Philox(seed: 2, purpose: .growth)
        let problem = SiteProblem(
            statistics: try SiteStatistics(
                producerInput: random.matrix(40, 5, deviation: 1).appendingOnes,
                consumerInput: Matrix(rows: 40, columns: 1, repeating: 1),
                functionalGradient: random.matrix(40, 3, deviation: 1)),
            producerWeights: Matrix(rows: 0, columns: 6), consumerWeights: Matrix(rows: 3, columns: 1),
            gain: 1.5)
        let found = try North(target: target, fanOut: 1).propose(for: problem, limit: 3).neurons
        #expect(found.fanIn.transposed.columnNorms.allSatisfy { agrees($0, 1.5) })
        #expect(found.fanOut.columnNorms.allSatisfy { agrees($0, problem.meanFanOutNorm(for: 3)) })
    }

    @Test(
        "a fan-out of 0 keeps the function; another has so much of the existing norm",
        arguments: RuleCase.all, North.Target.allCases)
    func fanOut(named: RuleCase, target: North.Target) throws {
        let some = try named.open()
        let none = try North(target: target).propose(for: some.problem, limit: 4)
        let before = some.grown(none.neurons.selecting([]), 1).output
        #expect(none.update == nil && none.neurons.room == nil)
        #expect(agrees(some.grown(none.neurons, 1).output, before, to: 1e-12))
        let half = try North(target: target, fanOut: 0.5).propose(for: some.problem, limit: 4).neurons
        #expect(half.fanIn == none.neurons.fanIn)
        let expected = 0.5 * some.problem.meanFanOutNorm(for: 4)
        #expect(half.fanOutNorms.allSatisfy { agrees($0, expected) })
    }

    @Test(
        "in rounds they keep the function of networks with widths of both kinds",
        arguments: ["weights", "pre-activations", "activations"])
    func rounds(target: String) throws {
        let yaml = "{residual-widths: true, method: {kind: north, of: \(target)}, neurons: {most: 2}}"
        let plan = try GrowthPlan(tree: Tree(yaml: yaml, file: "x"), file: "x")
        let network = try ResidualNetworks.network(.classic)
        let before = try outputs(network, dataset.validation)
        let outcome = try grow(network) { $0.proposal = plan.proposal }.outcome
        #expect(outcome.records.allSatisfy { $0.neurons == 2 })
        let after = try outputs(try #require(outcome.network), dataset.validation)
        let scale = before.map(abs).max() ?? 0
        #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
    }

    @Test("producers whose inputs are of other sizes count by what their inputs really are")
    func units() throws {
        var network = try ResidualNetworks.twoByTwo(.relu)
        let inner = try #require(network.parameters["inner/weight"])
        network.parameters["inner/weight"]?.values = inner.values.map { 16 * $0 }
        let (bottlenecks, outcome) = try grow(network) {
            $0.proposal.residualWidths = true
            $0.proposal.method = MethodParameters(method: North(target: .preActivations))
            $0.measurement.keepStatistics = true
        }
        let grown = try #require(outcome.network)
        let statistics = try #require(bottlenecks.widths.first { $0.width == "stem" }?.statistics)
        var (common, sizes) = (Matrix(rows: 2, columns: 3), 0.0)
        for (index, node) in ["stem", "back"].enumerated() {
            let weights = network.extendedWeights(of: node)
            let all = grown.extendedWeights(of: node)
            let columns = Array(0..<weights.columns - (node == "stem" ? 1 : 0))
            let fanIn = all.selecting(rows: 3..<5).selecting(columns: columns)
                .spread(to: columns, of: weights.columns)
            let covariance = try #require(statistics.inputCovariance(of: index))
            let part = fanIn.times(covariance).timesTransposed(weights)
            common = common + part
            sizes += part.squaredNorm
        }
        #expect(sizes > 0)
        #expect(common.squaredNorm < 1e-8 * sizes)
    }

    @Test("what is orthogonal is named in a file")
    func file() throws {
        let yaml = "method: {kind: north, of: pre-activations, fan-out: 0.5}"
        let plan = try GrowthPlan(tree: Tree(yaml: yaml, file: "x"), file: "x")
        let found = try #require(plan.proposal.method.method as? North)
        #expect(found.target == .preActivations && found.fanOut == 0.5)
        #expect(try GrowthPlan(tree: plan.tree, file: "x") == plan)
    }
}
