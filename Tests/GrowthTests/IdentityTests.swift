import Parameters
import GrowthMath
import GrowthReference
import Tensors
import Testing

@testable import Growth

@Suite("Identities of the growth mathematics")
struct IdentityTests {
    @Test("nothing in H can follow G⊥, and Pythagoras holds", arguments: OracleCase.all)
    func orthogonality(named: OracleCase) throws {
        let oracle = try named.open()
        let statistics = try oracle.statistics
        let h = try oracle.consumerInput
        let remaining = bottleneckGradient(
            try oracle.gradient, input: h, update: statistics.bestUpdate.weights)
        #expect(agrees(h.transposedTimes(remaining), Matrix(rows: h.columns, columns: remaining.columns)))
        let followed = statistics.consumerMoment.transposed.inner(statistics.bestUpdate.weights)
        #expect(agrees(statistics.gradientNorm - statistics.bottleneck, followed))
        #expect(statistics.relativeBottleneck >= -1e-12 && statistics.relativeBottleneck <= 1 + 1e-12)
    }

    @Test(
        "linear neurons of the joint optimum take Σλ̃² off the bottleneck, for any number of them",
        arguments: OracleCase.all)
    func bottleneckAfter(named: OracleCase) throws {
        let oracle = try named.open()
        let statistics = try oracle.statistics
        let found = try TinyJoint(ridge: 0).propose(
            for: oracle.problem(keeping: 1e-12, largest: 1), limit: .max)
        let (x, h) = (try oracle.producerInput, try oracle.consumerInput)
        for count in 0...found.neurons.count {
            let chosen = found.neurons.selecting(0..<count)
            // H after growth holds the neurons' activities too, and its best update leaves what is new.
            let grownInput = h.appending(columns: x.timesTransposed(chosen.fanIn))
            let after = try SiteStatistics(
                producerInput: x, consumerInput: grownInput, functionalGradient: oracle.gradient)
            let taken = found.singularValues[0..<count].reduce(0) { $0 + $1 * $1 }
            let update = try #require(found.consumerUpdate(with: chosen))
            let activity = h.timesTransposed(update) + x.timesTransposed(chosen.product)
            let left = (try oracle.gradient - activity).squaredNorm / Double(x.rows)
            #expect(agrees(statistics.bottleneck - left, taken))
            #expect(after.bottleneck <= left + 1e-9)
        }
    }

    @Test(
        "joint neurons take at least as much off the bottleneck as published ones", arguments: OracleCase.all)
    func jointIsBetter(named: OracleCase) throws {
        let oracle = try named.open()
        let problem = try oracle.problem(keeping: 1e-12, largest: 1)
        let joint = try TinyJoint(ridge: 0).propose(for: problem, limit: .max).singularValues
        let published = try Tiny().propose(for: problem, limit: .max).singularValues
        let sum = { (values: [Double]) in values.reduce(0) { $0 + $1 * $1 } }
        #expect(sum(joint) >= sum(published) - 1e-12)
    }

    @Test(
        "the loss falls from γ = 0 at the exact first-order rate, for either sign and for the joint update",
        arguments: OracleCase.regular)
    func slope(named: OracleCase) throws {
        let oracle = try named.open()
        let statistics = try oracle.statistics
        for method in [
            Tiny() as any GrowthMethod, TinyJoint(ridge: 0), Fisher(), Fisher(target: .afterOwnUpdate),
        ] {
            let found = try method.propose(for: oracle.problem(largest: 1), limit: 3)
            let gains = try gains(oracle, found.neurons, oracle.slopes)
            for signs in [1.0, -1.0] {
                let neurons = found.neurons.signed(Array(repeating: signs, count: found.neurons.count))
                let update = found.consumerUpdate(with: neurons)
                let predicted = FirstOrderDecrease(
                    update: update, moment: statistics.consumerMoment,
                    gains: signs > 0 ? gains.plus : gains.minus)
                let slope = try slope(oracle, neurons, update)
                #expect(agrees(-slope, predicted.total, to: 1e-6), "\(type(of: method).kind)")
            }
        }
    }

    /// dL/dγ at γ = 0+. With g = √γ a kinked or curved σ makes L(γ) = L + L' g² + O(g³): three points are
    /// extrapolated to g = 0.
    private func slope(_ oracle: Oracle, _ neurons: NewNeurons, _ update: Matrix?) throws -> Double {
        let activity = try oracle.producerInput.timesTransposed(neurons.product)
        let move = try update.map { try oracle.consumerInput.timesTransposed($0).squaredNorm } ?? 0
        let unit = 1 / max(1, activity.squaredNorm + move).squareRoot()
        let before = oracle.network.meanLoss(oracle.samples, oracle.target)
        let quotients = [1.0, 2, 3].map { multiple in
            let amplitude = unit * (multiple * 2e-3) * (multiple * 2e-3)
            let after = oracle.network.grown(oracle.layer, neurons, update: update, amplitude: amplitude)
                .meanLoss(oracle.samples, oracle.target)
            return (after - before) / amplitude
        }
        return 3 * quotients[0] - 3 * quotients[1] + quotients[2]
    }

    @Test("the gains of both signs of a ReLU neuron add up to its linear gain", arguments: OracleCase.regular)
    func signsAddUp(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try Tiny().propose(for: oracle.problem(largest: 1), limit: .max)
        let gains = try gains(oracle, found.neurons, .relu)
        #expect(agrees(zip(gains.plus, gains.minus).map(+), gains.linear))
        let best = SignRule.best.choose(found.neurons, gains: gains)
        for (gain, linear) in zip(best.gains, gains.linear) { #expect(gain >= linear / 2 - 1e-12) }
        let chosen = try self.gains(oracle, best.neurons, .relu)
        #expect(agrees(chosen.plus, best.gains))
    }

    @Test("a pair of ReLU neurons is linear at any amplitude", arguments: [0.01, 1.0, 25.0])
    func pairs(amplitude: Double) throws {
        let oracle = try OracleCase(name: "mlp_relu_ce", layer: 1).open()
        let found = try Tiny().propose(for: oracle.problem(largest: 1), limit: 2)
        let gains = try gains(oracle, found.neurons, .relu)
        let pair = SignRule.pair.choose(found.neurons, gains: gains)
        #expect(pair.neurons.count == 4)
        let before = oracle.network.forward(oracle.samples).outputs[1]
        let after = oracle.network.grown(1, pair.neurons, update: nil, amplitude: amplitude)
            .forward(oracle.samples).outputs[1]
        let linear = amplitude * (try oracle.producerInput).timesTransposed(found.neurons.product)
        #expect(agrees(after - before, linear))
    }

    @Test(
        "inputs scaled by t with weights scaled by 1/t get the same neurons", arguments: [1e-3, 1e3],
        [Tiny() as any GrowthMethod, TinyJoint(ridge: 0), Fisher()])
    func inputScale(t: Double, method: any GrowthMethod) throws {
        let oracle = try OracleCase(name: "mlp_tanh_mse", layer: 1).open()
        let x = try oracle.producerInput
        let scales = Array(repeating: t, count: x.columns - 1) + [1]
        let scaled = try SiteStatistics(
            producerInput: x.scaling(columns: scales), consumerInput: oracle.consumerInput,
            functionalGradient: oracle.gradient)
        var problem = try oracle.problem(keeping: 1e-4, largest: 1)
        let before = try method.propose(for: problem, limit: .max)
        problem.statistics = scaled
        let after = try method.propose(for: problem, limit: .max)
        #expect(agrees(after.singularValues, before.singularValues))
        #expect(agrees(after.neurons.fanOut, before.neurons.fanOut))
        #expect(agrees(after.neurons.fanIn.scaling(columns: scales), before.neurons.fanIn))
    }

    @Test(
        "a loss multiplied by t gets the same neurons, their singular values times t", arguments: [1e-6, 1e6])
    func lossScale(t: Double) throws {
        let oracle = try OracleCase(name: "mlp_selu_ce", layer: 2).open()
        var problem = try oracle.problem(keeping: 1e-4, largest: 1)
        let before = try TinyJoint(ridge: 0).propose(for: problem, limit: .max)
        problem.statistics = try SiteStatistics(
            producerInput: oracle.producerInput, consumerInput: oracle.consumerInput,
            functionalGradient: t * (try oracle.gradient))
        let after = try TinyJoint(ridge: 0).propose(for: problem, limit: .max)
        #expect(agrees((1 / t) * after.neurons.product, before.neurons.product))
        #expect(after.singularValues.count == before.singularValues.count)
    }

    private func gains(
        _ oracle: Oracle, _ neurons: NewNeurons, _ slopes: SlopesAtZero
    ) throws -> NeuronGains {
        NeuronGains(try oracle.moments(neurons, slopes).gradient, neurons: neurons, slopes: slopes)
    }
}
