import Parameters
import GrowthMath
import GrowthReference
import Tensors
import Testing

@testable import Growth

@Suite("First-order numbers and losses along the ray agree with the oracle")
struct OracleFirstOrderTests {
    private func gains(_ oracle: Oracle, _ neurons: NewNeurons) throws -> NeuronGains {
        NeuronGains(
            try oracle.moments(neurons, oracle.slopes).gradient, neurons: neurons, slopes: oracle.slopes)
    }

    @Test("gains of each neuron with either sign, linear gain, cross term", arguments: OracleCase.regular)
    func gainsOfTiny(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny(), "tiny")
        let gains = try gains(oracle, found.neurons)
        #expect(agrees(gains.plus, try oracle.numbers("tiny/fo_exact_per_neuron_plus")))
        #expect(agrees(gains.minus, try oracle.numbers("tiny/fo_exact_per_neuron_minus")))
        let linear = gains.linear.reduce(0, +)
        let published = oracle.slopes.right * found.singularValues.reduce(0) { $0 + $1 * $1 }
        #expect(agrees(linear, try oracle.number("tiny/fo_neurons_linear")))
        #expect(agrees(published, try oracle.number("tiny/fo_neurons_gromo")))
        #expect(agrees(linear - published, try oracle.number("tiny/fo_neurons_cross_term")))
    }

    @Test("totals, exact and as published", arguments: OracleCase.regular)
    func totals(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny(), "tiny")
        let statistics = try oracle.statistics
        let exact = FirstOrderDecrease(
            update: found.update, moment: statistics.consumerMoment,
            gains: try gains(oracle, found.neurons).plus)
        #expect(agrees(exact.update, try oracle.number("decrease")))
        #expect(agrees(exact.neurons, try oracle.number("tiny/fo_neurons_exact")))
        #expect(agrees(exact.total, try oracle.number("tiny/fo_total_exact")))
        let published = oracle.slopes.right * found.singularValues.reduce(0) { $0 + $1 * $1 }
        #expect(agrees(exact.update + published, try oracle.number("tiny/fo_total_gromo")))
    }

    @Test("gains of the neurons that follow the whole gradient", arguments: OracleCase.regular)
    func gainsOfRaw(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny(isProjected: false), "tiny_raw")
        let gains = try gains(oracle, found.neurons)
        #expect(agrees(gains.plus.reduce(0, +), try oracle.number("tiny_raw/fo_neurons_exact")))
        #expect(agrees(gains.linear.reduce(0, +), try oracle.number("tiny_raw/fo_neurons_linear")))
    }

    @Test("gains on singular covariances", arguments: OracleCase.singular)
    func gainsSingular(named: OracleCase) throws {
        let oracle = try named.open()
        let gains = try gains(oracle, try oracle.propose(Tiny(), "tiny").neurons)
        #expect(agrees(gains.plus.reduce(0, +), try oracle.number("tiny/fo_neurons_exact")))
        #expect(agrees(gains.linear.reduce(0, +), try oracle.number("tiny/fo_neurons_linear")))
    }

    @Test("what the linear neurons leave of the gradient", arguments: OracleCase.all)
    func residual(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny(), "tiny")
        let remaining =
            bottleneckGradient(
                try oracle.gradient, input: try oracle.consumerInput, update: try #require(found.update))
            - (try oracle.producerInput).timesTransposed(found.neurons.product)
        #expect(
            agrees(
                remaining.squaredNorm / Double(remaining.rows),
                try oracle.number("tiny/residual_sqnorm_over_n_after")))
    }

    @Test(
        "the loss of the grown network at every amplitude, with and without the update",
        arguments: OracleCase.all)
    func lossCurves(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny(), "tiny")
        for (index, factor) in try oracle.numbers("tiny/gammas").enumerated() {
            for (update, name) in [(found.update, "loss_delta_and_neurons"), (nil, "loss_neurons_only")] {
                let grown = oracle.network.grown(
                    oracle.layer, found.neurons, update: update, amplitude: factor * factor)
                let loss = grown.meanLoss(oracle.samples, oracle.target)
                #expect(agrees(loss, try oracle.numbers("tiny/\(name)")[index]), "at g = \(factor)")
            }
        }
    }

    @Test(
        "the grown network: output and loss, and its weights where they are determined",
        arguments: OracleCase.all)
    func grown(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny(), "tiny")
        let factor = try oracle.number("grown/gamma")
        let count = min(2, found.neurons.count)
        let grown = oracle.network.grown(
            oracle.layer, found.neurons.selecting(0..<count), update: found.update, amplitude: factor * factor
        )
        #expect(agrees(grown.output(oracle.samples), try oracle.matrix("grown/output")))
        #expect(agrees(grown.meanLoss(oracle.samples, oracle.target), try oracle.number("grown/loss_mean")))
        if !named.name.hasPrefix("rankdef") {
            #expect(agrees(grown.layers[oracle.layer - 1].weights, try oracle.matrix("grown/W_prev")))
            #expect(agrees(grown.layers[oracle.layer].weights, try oracle.matrix("grown/W")))
            if oracle.usesBias {
                #expect(
                    agrees(
                        try #require(grown.layers[oracle.layer - 1].bias), try oracle.numbers("grown/b_prev"))
                )
                #expect(agrees(try #require(grown.layers[oracle.layer].bias), try oracle.numbers("grown/b")))
            }
        }
    }
}
