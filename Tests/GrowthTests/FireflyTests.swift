import Correlations
import GrowthMath
import GrowthReference
import Tensors
import Testing

@testable import Growth

@Suite("Firefly: neurons of unit norm along which the loss falls fastest")
struct FireflyTests {
    /// ⟨G, Σ_e X_e αᵀ ω_eᵀ⟩/n over the samples, α [1, a], ω [c, E]: −∂L/∂ε of a linear neuron.
    private func slope(_ some: OpenRuleCase, _ fanIn: Matrix, _ fanOut: Matrix) -> Double {
        let activity = byTap(some.readings.map { $0.timesTransposed(fanIn) }).timesTransposed(fanOut)
        return activity.inner(some.gradient) / Double(some.samples)
    }

    private func unit(_ matrix: Matrix) -> Matrix { (1 / matrix.squaredNorm.squareRoot()) * matrix }

    /// The paper's steps of gradient ascent on both sides, from drawn neurons, on the samples themselves.
    private func ascended(_ some: OpenRuleCase, _ random: inout Philox) -> Double {
        var fanIn = unit(random.matrix(1, some.readings[0].columns, deviation: 1))
        var fanOut = unit(random.matrix(some.gradient.columns, some.readings.count, deviation: 1))
        for _ in 0..<400 {
            let back = some.gradient.times(fanOut)
            let ascent = some.readings.enumerated().reduce(Matrix(rows: 1, columns: fanIn.columns)) {
                sum, tap in
                sum + back.selecting(columns: [tap.offset]).transposedTimes(tap.element)
            }
            // One side after the other: both at once may swap their signs for ever.
            fanIn = unit(fanIn + 10 * unit(ascent))
            let activity = byTap(some.readings.map { $0.timesTransposed(fanIn) })
            fanOut = unit(fanOut + 10 * unit(some.gradient.transposedTimes(activity)))
        }
        return slope(some, fanIn, fanOut)
    }

    @Test(
        "gradient ascent on the samples ends at the first of them, and nowhere higher",
        arguments: RuleCase.all)
    func ascent(named: RuleCase) throws {
        let some = try named.open()
        let found = try Firefly().propose(for: some.problem, limit: 1)
        let best = slope(some, found.neurons.fanIn, found.neurons.fanOut)
        #expect(agrees(best, try #require(found.singularValues.first)))
        var random = Philox(seed: 1, purpose: .growth)
        let reached = (0..<5).map { _ in ascended(some, &random) }
        #expect(reached.allSatisfy { $0 <= best * (1 + 1e-9) })
        let highest = try #require(reached.max())
        #expect(highest > 0.999 * best, "\(highest) of \(best), behind it \(found.singularValues)")
    }

    @Test(
        "each has unit fan-in and fan-out, orthogonal to those before, and its own slope",
        arguments: RuleCase.all)
    func directions(named: RuleCase) throws {
        let some = try named.open()
        let found = try Firefly().propose(for: some.problem, limit: 3)
        let count = found.neurons.count
        #expect(count > 0 && found.update == nil && found.neurons.room == nil)
        #expect(agrees(found.neurons.fanIn.outerGram, Matrix.identity(count)))
        #expect(found.singularValues == found.singularValues.sorted(by: >))
        for neuron in 0..<count {
            let chosen = found.neurons.selecting([neuron])
            #expect(agrees(chosen.fanOutNorms, [1]))
            #expect(agrees(slope(some, chosen.fanIn, chosen.fanOut), found.singularValues[neuron]))
        }
    }

    @Test(
        "the loss falls by what is measured of each, kinks included, for either sign",
        arguments: RuleCase.all)
    func loss(named: RuleCase) throws {
        let some = try named.open()
        let neurons = try Firefly().propose(for: some.problem, limit: 2).neurons
        let (moments, slopes) =
            switch named {
            case .linear(let named):
                (try named.open().moments(neurons, try named.open().slopes), try named.open().slopes)
            case .convolution(let named): (try named.open().moments(neurons), try named.open().slopes)
            }
        let gains = NeuronGains(moments.gradient, neurons: neurons, slopes: slopes)
        let before = some.grown(neurons.selecting([]), 1).loss
        for neuron in 0..<neurons.count {
            for (sign, gain) in [(1.0, gains.plus[neuron]), (-1.0, gains.minus[neuron])] {
                let gate = 1e-7
                let fell = before - some.grown(neurons.selecting([neuron]).signed([sign]), gate).loss
                #expect(abs(fell / gate - gain) < 2e-3 * max(1, abs(gain)))
            }
        }
        // The better sign has at least half of what a linear neuron has.
        for neuron in 0..<neurons.count {
            #expect(max(gains.plus[neuron], gains.minus[neuron]) >= gains.linear[neuron] / 2)
        }
    }
}
