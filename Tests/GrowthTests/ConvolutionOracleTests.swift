import Parameters
import Correlations
import GrowthMath
import GrowthReference
import Networks
import Tensors
import Testing

@testable import Growth

@Suite("Growth of convolutions agrees with the oracle")
struct ConvolutionOracleTests {
    @Test("the reference network of these tests is the oracle's", arguments: ConvolutionCase.all)
    func referenceNetwork(named: ConvolutionCase) throws {
        let oracle = try named.open()
        #expect(agrees(oracle.network.forward(oracle.images).output, try oracle.shared("output")))
        #expect(agrees(oracle.consumerInput, try oracle.rows("conv2/B_prev_ext", rank: 3)))
        #expect(agrees(oracle.producerPatches.rows, try oracle.rows("conv2/X_unfolded_ext", rank: 3)))
        #expect(agrees(oracle.gradient, try oracle.rows("conv2/V_goal", rank: 4)))
    }

    @Test("every statistic, for all taps and for the centre alone", arguments: ConvolutionCase.all)
    func statistics(named: ConvolutionCase) throws {
        let oracle = try named.open()
        let found = try oracle.statistics()
        #expect(agrees(found.consumerCovariance, try oracle.shared("conv2/S")))
        #expect(agrees(found.consumerMoment, -(try oracle.shared("conv2/M"))))
        #expect(agrees(try #require(found.gradientCovariance), try oracle.shared("conv2/E")))
        #expect(agrees(found.gradientNorm, try oracle.sharedNumber("conv2/V_goal_sqnorm_over_n")))
        #expect(agrees(found.bottleneck, try oracle.sharedNumber("conv2/V_goal_proj_sqnorm_over_n")))
        #expect(agrees(found.bestUpdate.weights, try oracle.shared("conv2/dW_star")))
        #expect(agrees(found.bestUpdate.decrease, try oracle.sharedNumber("conv2/decrease")))
        // In the restricted scheme the published S is over positions that the centre does not read.
        let covariance = oracle.scheme == .full ? "S_growth" : "S_growth_same_positions"
        #expect(agrees(try #require(found.inputCovariance), try oracle.matrix(covariance)))
        #expect(agrees(try #require(found.inputMoment), -(try oracle.matrix("M_prev"))))
        #expect(agrees(try #require(found.crossCovariance), try oracle.matrix("N")))
        let overlaps = try #require(found.overlap?.taps)
        let expected = try oracle.overlaps()
        #expect(overlaps.count == expected.count)
        for (overlap, expected) in zip(overlaps, expected) { #expect(agrees(overlap, expected)) }
    }

    @Test("the neurons of tiny: singular values, directions, signs", arguments: ConvolutionCase.all)
    func tiny(named: ConvolutionCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny())
        #expect(agrees(found.singularValues, try oracle.numbers("singular_values")))
        #expect(agrees(found.neurons.product, try oracle.matrix("omega_alpha")))
        #expect(agrees(found.neurons.fanIn, try oracle.matrix("alpha")))
        // Stored as [c E, k].
        let fanOut = try oracle.matrix("omega").transposed.tapsToRows(found.neurons.taps).transposed
        #expect(agrees(found.neurons.fanOut, fanOut))
    }

    @Test("gradmax", arguments: ConvolutionCase.all.filter { $0.scheme == .full })
    func gradMax(named: ConvolutionCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(GradMax(unit: .one, countsBias: true), "gradmax/")
        #expect(agrees(found.singularValues, try oracle.numbers("gradmax/singular_values")))
        let fanOut = try oracle.matrix("gradmax/omega").transposed.tapsToRows(found.neurons.taps).transposed
        #expect(agrees(found.neurons.fanOut, fanOut))
        // A tiny bias lets a ReLU learn; the file has 0.
        #expect(found.neurons.fanIn.values.allSatisfy { $0 == 0 || $0 == NewNeurons.silentBias })
    }

    @Test("gains of each neuron with either sign, linear gain and totals", arguments: ConvolutionCase.all)
    func gains(named: ConvolutionCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny())
        let moments = try oracle.moments(found.neurons)
        let gains = NeuronGains(moments.gradient, neurons: found.neurons, slopes: oracle.slopes)
        #expect(agrees(gains.plus, try oracle.numbers("fo_exact_per_neuron_plus")))
        #expect(agrees(gains.minus, try oracle.numbers("fo_exact_per_neuron_minus")))
        #expect(agrees(gains.plus.reduce(0, +), try oracle.number("fo_neurons_exact")))
        #expect(agrees(gains.linear.reduce(0, +), try oracle.number("fo_neurons_linear")))
        let published = oracle.slopes.right * found.singularValues.reduce(0) { $0 + $1 * $1 }
        #expect(agrees(published, try oracle.number("fo_neurons_gromo")))
    }

    @Test("what linear neurons add, and what they leave of the gradient", arguments: ConvolutionCase.all)
    func residual(named: ConvolutionCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny())
        let remaining = bottleneckGradient(
            oracle.gradient, input: oracle.consumerInput, update: try #require(found.update))
        let activity = linearActivity(oracle, found.neurons)
        let samples = Double(oracle.images.samples)
        #expect(
            agrees(activity.squaredNorm / samples, try oracle.number("linear_activity_sqnorm_over_n")))
        #expect(
            agrees(
                (remaining - activity).squaredNorm / samples,
                try oracle.number("residual_sqnorm_over_n_after")))
        #expect(
            agrees(
                oracle.slopes.right * remaining.inner(activity) / samples,
                try oracle.number("fo_neurons_linear_on_Vproj")))
    }

    @Test(
        "the loss of the grown network at every amplitude, with and without the update",
        arguments: ConvolutionCase.all)
    func lossCurves(named: ConvolutionCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny())
        for (index, factor) in try oracle.numbers("gammas").enumerated() {
            for (update, name) in [(found.update, "loss_delta_and_neurons"), (nil, "loss_neurons_only")] {
                let loss = oracle.network.grown(found.neurons, update: update, amplitude: factor * factor)
                    .meanLoss(oracle.images, oracle.target)
                #expect(agrees(loss, try oracle.numbers(name)[index]), "at g = \(factor)")
            }
        }
    }

    @Test("the grown network: output and loss", arguments: ConvolutionCase.all)
    func grown(named: ConvolutionCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny())
        let factor = try oracle.number("grown/gamma")
        let chosen = found.neurons.selecting(0..<min(2, found.neurons.count))
        let grown = oracle.network.grown(chosen, update: found.update, amplitude: factor * factor)
        #expect(agrees(grown.forward(oracle.images).output, try oracle.matrix("grown/output")))
        #expect(agrees(grown.meanLoss(oracle.images, oracle.target), try oracle.number("grown/loss_mean")))
    }

    @Test(
        "the loss falls from γ = 0 at the exact first-order rate, for either sign and for the joint update",
        arguments: ConvolutionCase.all)
    func slope(named: ConvolutionCase) throws {
        let oracle = try named.open()
        let statistics = try oracle.statistics()
        for method in [Tiny() as any GrowthMethod, TinyJoint(ridge: 0), Fisher()] {
            let found = try method.propose(for: oracle.problem(largest: 1, published: false), limit: 3)
            let gains = NeuronGains(
                try oracle.moments(found.neurons).gradient, neurons: found.neurons, slopes: oracle.slopes)
            for sign in [1.0, -1.0] {
                let neurons = found.neurons.signed(Array(repeating: sign, count: found.neurons.count))
                let update = found.consumerUpdate(with: neurons)
                let predicted = FirstOrderDecrease(
                    update: update, moment: statistics.consumerMoment,
                    gains: sign > 0 ? gains.plus : gains.minus)
                let slope = slope(oracle, neurons, update)
                #expect(agrees(-slope, predicted.total, to: 1e-6), "\(type(of: method).kind)")
            }
        }
    }

    /// dL/dγ at γ = 0+, three points extrapolated in √γ.
    private func slope(_ oracle: ConvolutionOracle, _ neurons: NewNeurons, _ update: Matrix?) -> Double {
        let move = update.map { oracle.consumerInput.timesTransposed($0).squaredNorm } ?? 0
        let unit = 1 / max(1, linearActivity(oracle, neurons).squaredNorm + move).squareRoot()
        let before = oracle.network.meanLoss(oracle.images, oracle.target)
        let quotients = [1.0, 2, 3].map { multiple in
            let amplitude = unit * (multiple * 2e-3) * (multiple * 2e-3)
            let after = oracle.network.grown(neurons, update: update, amplitude: amplitude)
                .meanLoss(oracle.images, oracle.target)
            return (after - before) / amplitude
        }
        return 3 * quotients[0] - 3 * quotients[1] + quotients[2]
    }

    /// Σ_e X_e αᵀ ω_eᵀ
    private func linearActivity(_ oracle: ConvolutionOracle, _ neurons: NewNeurons) -> Matrix {
        byTap(oracle.readings.map { $0.timesTransposed(neurons.fanIn) }).timesTransposed(neurons.fanOut)
    }
}
