import Parameters
import Correlations
import GrowthMath
import GrowthReference
import Networks
import Tensors
import Testing

@testable import Growth

@Suite("The joint optimum of convolutions")
struct ConvolutionJointTests {
    /// A case with X_e freed from what H contains by an explicit projection, row by row.
    private struct Projected {
        let oracle: ConvolutionOracle
        let problem: SiteProblem
        let readings: [Matrix]
        let h: Matrix
        let gradient: Matrix
        var samples: Double { Double(oracle.images.samples) }

        init(_ named: ConvolutionCase) throws {
            oracle = try named.open()
            var problem = try oracle.problem(largest: 1, published: false)
            // The identities are those of linear neurons.
            problem.slopes = .unit
            self.problem = problem
            h = oracle.consumerInput
            gradient = oracle.gradient
            let factor = try SemidefiniteFactor(h.gram)
            readings = oracle.readings.map { [h] in $0 - h.times(factor.solving(h.transposedTimes($0))) }
        }

        /// ‖G − H δWᵀ − Σ_e X_e αᵀ ω_eᵀ‖²/n
        func left(_ neurons: NewNeurons, _ update: Matrix?) -> Double {
            let activity = byTap(oracle.readings.map { $0.timesTransposed(neurons.fanIn) })
                .timesTransposed(neurons.fanOut)
            let moved =
                update.map { h.timesTransposed($0) } ?? Matrix(rows: h.rows, columns: gradient.columns)
            return (gradient - activity - moved).squaredNorm / samples
        }
    }

    @Test("S̃ is the covariance of what H leaves of X, over all taps", arguments: ConvolutionCase.all)
    func schur(named: ConvolutionCase) throws {
        let some = try Projected(named)
        let statistics = some.problem.statistics
        let explained = try #require(statistics.overlap).explained(
            consumer: statistics.bestUpdate.factor, threshold: 1e-10)
        let schur = try #require(statistics.inputCovariance) - explained
        let grams = some.readings.map { (1 / some.samples) * $0.gram }
        #expect(agrees(schur, grams.dropFirst().reduce(grams[0], +)))
    }

    @Test(
        "with one tap the solution is that of a brute-force reduced-rank regression, and Ψ falls by Σλ̃² exactly",
        arguments: ConvolutionCase.all.filter { $0.scheme == .restricted || $0.name.contains("1x1_second") })
    func oneTap(named: ConvolutionCase) throws {
        let some = try Projected(named)
        let statistics = some.problem.statistics
        let found = try TinyJoint(ridge: 0).propose(for: some.problem, limit: .max)
        #expect(found.neurons.count > 0)
        // Orthonormal rows for what H leaves of X; the singular values of G seen in them.
        let factor = try SemidefiniteFactor(some.readings[0].gram, threshold: 1e-9)
        let seen = factor.whitening(some.readings[0].transposedTimes(some.gradient))
        let expected = try seen.singularValueDecomposition().values.map { $0 / some.samples.squareRoot() }
        let shown = expected.prefix(found.singularValues.count)
        #expect(agrees(found.singularValues, Array(shown), to: 1e-8))
        for count in 0...found.neurons.count {
            let chosen = found.neurons.selecting(0..<count)
            let taken = found.singularValues[0..<count].reduce(0) { $0 + $1 * $1 }
            let left = some.left(chosen, found.consumerUpdate(with: chosen))
            #expect(agrees(left, statistics.bottleneck - taken, to: 1e-8))
        }
    }

    @Test(
        "taps overlap: one neuron takes at least λ̃² off Ψ, k of them at least Σλ̃²/min(k, E) at that amplitude",
        arguments: ConvolutionCase.all.filter { $0.scheme == .full })
    func manyTaps(named: ConvolutionCase) throws {
        let some = try Projected(named)
        let bottleneck = some.problem.statistics.bottleneck
        let found = try TinyJoint(ridge: 0).propose(for: some.problem, limit: 6)
        for neuron in 0..<found.neurons.count {
            let chosen = found.neurons.selecting([neuron])
            let taken = bottleneck - some.left(chosen, found.consumerUpdate(with: chosen))
            let square = found.singularValues[neuron] * found.singularValues[neuron]
            #expect(taken >= square - 1e-9)
        }
        for count in 1...found.neurons.count {
            let chosen = found.neurons.selecting(0..<count)
            let most = Double(min(count, found.neurons.taps))
            let scaled = chosen.scaled(by: 1 / most)
            let taken = bottleneck - some.left(scaled, found.consumerUpdate(with: scaled))
            let squares = found.singularValues[0..<count].reduce(0) { $0 + $1 * $1 }
            #expect(taken >= squares / most - 1e-9)
        }
    }

    @Test(
        "the refit explains all of the gradient that H and what the taps read of the neurons span",
        arguments: ConvolutionCase.all, SignRule.allCases)
    func refit(named: ConvolutionCase, signs: SignRule) throws {
        let some = try Projected(named)
        let found = try TinyJoint(ridge: 0).propose(for: some.problem, limit: 2)
        let moments = try some.oracle.moments(found.neurons)
        let gains = NeuronGains(moments.gradient, neurons: found.neurons, slopes: some.oracle.slopes)
        let chosen = signs.choose(found.neurons, gains: gains)
        let refit = try Refit(
            chosen, moments: moments, bestUpdate: some.problem.statistics.bestUpdate, threshold: 1e-10)

        let z = some.oracle.producerPatches.rows.timesTransposed(refit.neurons.fanIn)
            .mapping { some.oracle.slopes($0) }
        let all = Planes(rows: z, samples: some.oracle.images.samples, extent: some.oracle.geometry.hidden)
            .readings(some.oracle.network.windows.consumer)
        let activity = byTap(
            named.scheme == .full ? all : [all[some.oracle.geometry.consumerTap(0)]])
        let span = some.h.appending(columns: activity)
        let projected = try SemidefiniteFactor(span.gram).whitening(span.transposedTimes(some.gradient))
            .squaredNorm
        #expect(agrees(refit.decrease, projected / some.samples))
        // What the extension does at first order is that projection.
        var proposal = found
        proposal.update = some.problem.statistics.bestUpdate.weights
        let update = try #require(proposal.consumerUpdate(with: refit.neurons))
        let done = some.h.timesTransposed(update) + activity.timesTransposed(refit.neurons.fanOut)
        #expect(agrees(done.inner(some.gradient) / some.samples, refit.decrease))
        #expect(
            agrees((some.gradient - done).squaredNorm, some.gradient.squaredNorm - projected))
    }

    @Test("a neuron kept to one tap stands there in the consumer's kernel")
    func placed() {
        let neurons = NewNeurons(
            fanIn: Matrix([[1], [2]]), fanOut: Matrix([[3, 4], [5, 6]]), compensation: Matrix([[7], [8]]))
        let placed = neurons.placed(at: 1, of: 3)
        #expect(placed.taps == 3 && placed.count == 2)
        #expect(placed.fanOut == Matrix([[0, 3, 0, 0, 4, 0], [0, 5, 0, 0, 6, 0]]))
        #expect(placed.compensation == Matrix([[0], [7], [0], [0], [8], [0]]))
        #expect(placed.selecting([1]).fanOut == Matrix([[0, 4, 0], [0, 6, 0]]))
        #expect(placed.product == Matrix([[0], [3 + 8], [0], [0], [5 + 12], [0]]))
    }

    @Test("taps move between rows and columns and back")
    func taps() {
        let matrix = Matrix([[1, 2, 3, 4], [5, 6, 7, 8]])
        #expect(matrix.tapsToRows(2) == Matrix([[1, 3], [2, 4], [5, 7], [6, 8]]))
        #expect(matrix.tapsToRows(2).tapsToColumns(2) == matrix)
        #expect(byTap([Matrix([[1, 3]]), Matrix([[2, 4]])]) == Matrix([[1, 2, 3, 4]]))
    }
}
