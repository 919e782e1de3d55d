import Parameters
import Correlations
import GrowthMath
import GrowthReference
import Tensors
import Testing

@testable import Growth

@Suite("Growth mathematics agree with the oracle")
struct OracleTests {
    @Test("the reference network of these tests is the oracle's", arguments: OracleCase.all)
    func referenceNetwork(named: OracleCase) throws {
        let oracle = try named.open()
        let site = oracle.network.site(oracle.layer, oracle.samples, oracle.target)
        #expect(agrees(site.x, try oracle.producerInput))
        #expect(agrees(site.h, try oracle.consumerInput))
        #expect(agrees(site.g, try oracle.gradient))
        #expect(agrees(oracle.network.output(oracle.samples), try oracle.shared("output")))
    }

    @Test("every statistic", arguments: OracleCase.all)
    func statistics(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.statistics
        #expect(agrees(found.consumerCovariance, try oracle.matrix("S")))
        #expect(agrees(found.consumerMoment, -(try oracle.matrix("M"))))
        #expect(agrees(try #require(found.inputCovariance), try oracle.matrix("S_growth")))
        #expect(found.overlap?.taps.count == 1)
        #expect(agrees(try #require(found.overlap?.taps.first), try oracle.matrix("C")))
        #expect(agrees(try #require(found.inputMoment), -(try oracle.matrix("M_prev"))))
        #expect(agrees(try #require(found.crossCovariance), try oracle.matrix("N")))
        #expect(agrees(try #require(found.gradientCovariance), try oracle.matrix("E")))
        #expect(agrees(found.gradientNorm, try oracle.number("V_goal_sqnorm_over_n")))
    }

    @Test(
        "the bottleneck and the decrease of the best update, singular covariances included",
        arguments: OracleCase.all)
    func bottleneck(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.statistics
        #expect(agrees(found.bottleneck, try oracle.number("V_goal_proj_sqnorm_over_n")))
        #expect(agrees(found.bestUpdate.decrease, try oracle.number("decrease")))
        let remaining = bottleneckGradient(
            try oracle.gradient, input: try oracle.consumerInput, update: found.bestUpdate.weights)
        #expect(agrees(remaining, try oracle.matrix("V_goal_proj")))
    }

    @Test("the best update itself where it is determined", arguments: OracleCase.regular)
    func bestUpdate(named: OracleCase) throws {
        let oracle = try named.open()
        #expect(agrees(try oracle.statistics.bestUpdate.weights, try oracle.matrix("dW_star")))
    }

    @Test("a singular covariance gives the update of minimum norm", arguments: OracleCase.singular)
    func minimumNorm(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.statistics.bestUpdate
        #expect(found.weights.squaredNorm <= (try oracle.matrix("dW_star")).squaredNorm * (1 + 1e-9))
    }

    @Test(
        "the neurons of tiny and its variants: singular values, directions, signs",
        arguments: OracleCase.regular,
        [
            ("tiny", Tiny()), ("tiny_raw", Tiny(isProjected: false)), ("tiny_ignore_s", Tiny(scaling: .unit)),
        ])
    func tiny(named: OracleCase, variant: (group: String, method: Tiny)) throws {
        let oracle = try named.open()
        let found = try oracle.propose(variant.method, variant.group)
        #expect(agrees(found.singularValues, try oracle.numbers("\(variant.group)/singular_values")))
        #expect(agrees(found.neurons.product, try oracle.matrix("\(variant.group)/omega_alpha")))
        #expect(agrees(found.neurons.fanIn, try oracle.matrix("\(variant.group)/alpha")))
        #expect(agrees(found.neurons.fanOut, try oracle.matrix("\(variant.group)/omega")))
    }

    @Test(
        "the neurons of tiny on singular covariances: what they do",
        arguments: OracleCase.singular, [("tiny", Tiny()), ("tiny_raw", Tiny(isProjected: false))])
    func tinySingular(named: OracleCase, variant: (group: String, method: Tiny)) throws {
        let oracle = try named.open()
        let found = try oracle.propose(variant.method, variant.group)
        let x = try oracle.producerInput
        #expect(
            agrees(
                x.timesTransposed(found.neurons.product),
                x.timesTransposed(try oracle.matrix("\(variant.group)/omega_alpha"))))
    }

    @Test("both forms of gradmax", arguments: OracleCase.all)
    func gradMax(named: OracleCase) throws {
        let oracle = try named.open()
        let paper = try oracle.propose(GradMax(unit: .one, countsBias: true), "gradmax")
        #expect(agrees(paper.singularValues, try oracle.numbers("gradmax/singular_values")))
        #expect(agrees(paper.neurons.fanOut, try oracle.matrix("gradmax/omega")))
        #expect(
            paper.neurons.fanIn
                == Matrix(rows: paper.neurons.count, columns: try oracle.producerInput.columns))

        let scale = try oracle.number("growneuron_gradmax/scale")
        var problem = try oracle.problem(largest: 1)
        problem.consumerWeights = oracle.network.layers[oracle.layer].extended
        let published = try GradMax(scale: scale).propose(for: problem, limit: 2)
        #expect(agrees(problem.meanFanOutNorm(for: 2), try oracle.number("growneuron_gradmax/mean_norm")))
        #expect(agrees(published.neurons.fanOut, try oracle.matrix("growneuron_gradmax/omega")))
        #expect(
            agrees(
                published.singularValues,
                Array(try oracle.numbers("growneuron_gradmax/singular_values").prefix(2))))
    }

    @Test("fisher: update and neurons", arguments: OracleCase.regular)
    func fisher(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Fisher(target: .afterOwnUpdate), "fisher")
        #expect(agrees(found.singularValues, try oracle.numbers("fisher/singular_values")))
        #expect(agrees(found.neurons.product, try oracle.matrix("fisher/omega_alpha")))
        #expect(agrees(found.neurons.fanIn, try oracle.matrix("fisher/alpha")))
        #expect(agrees(found.neurons.fanOut, try oracle.matrix("fisher/omega")))
        // E of a cross-entropy is singular at the output layer: the update is determined in its range alone.
        let gradients = try oracle.matrix("E")
        let update = try #require(found.update)
        #expect(agrees(gradients.times(update), -gradients.times(try oracle.matrix("fisher/delta_raw"))))
    }

    @Test("tiny-joint: Schur complement, neurons, update, what remains", arguments: OracleCase.all)
    func joint(named: OracleCase) throws {
        let oracle = try named.open()
        let statistics = try oracle.statistics
        let covariance = try #require(statistics.inputCovariance)
        let explained = try #require(statistics.overlap).explained(
            consumer: statistics.bestUpdate.factor, threshold: 1e-10)
        let schur = covariance - explained
        #expect(agrees(schur, try oracle.matrix("joint/S_schur")))

        let found = try oracle.propose(TinyJoint(ridge: 0), "joint", keeping: 1e-9)
        let update = try #require(found.consumerUpdate(with: found.neurons))
        let x = try oracle.producerInput
        let h = try oracle.consumerInput
        let expected =
            x.timesTransposed(try oracle.matrix("joint/omega_alpha"))
            - h.timesTransposed(try oracle.matrix("joint/delta_raw"))
        let activity = x.timesTransposed(found.neurons.product) + h.timesTransposed(update)
        #expect(agrees(activity, expected))
        #expect(
            agrees(
                (try oracle.gradient - activity).squaredNorm / Double(x.rows),
                try oracle.number("joint/residual_sqnorm_over_n_after")))
        #expect(
            agrees(
                try oracle.gradient.inner(activity) / Double(x.rows),
                try oracle.number("joint/fo_linear_total")))
    }

    @Test(
        "tiny-joint: singular values, fan-in and fan-out where they are determined",
        arguments: OracleCase.regular)
    func jointNeurons(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(TinyJoint(ridge: 0), "joint", keeping: 1e-9)
        #expect(agrees(found.singularValues, try oracle.numbers("joint/singular_values")))
        #expect(agrees(found.neurons.fanIn, try oracle.matrix("joint/alpha")))
        #expect(agrees(found.neurons.fanOut, try oracle.matrix("joint/omega")))
        #expect(
            agrees(
                try #require(found.consumerUpdate(with: found.neurons)),
                -(try oracle.matrix("joint/delta_raw"))))
    }

    @Test("the scale factors of every rule", arguments: OracleCase.scaled)
    func scaling(named: OracleCase) throws {
        let oracle = try named.open()
        let found = try oracle.propose(Tiny(), "tiny")
        let update = try #require(found.update)
        let withoutBias = { (matrix: Matrix) in matrix.selecting(columns: 0..<matrix.columns - 1) }
        let rules: [(UpdateScaling, String)] = [
            (.equalizeSecondLayer, "equalize_second_layer"), (.equalizeExtensions, "equalize_extensions"),
            (.matchExtendingLayer, "match_extending_layer"), (.legacy, "legacy_normalization"),
        ]
        let consumer = oracle.network.layers[oracle.layer].weights
        for (rule, name) in rules {
            let factors = rule.factors(
                update: withoutBias(update), fanOut: found.neurons.fanOut,
                fanIn: withoutBias(found.neurons.fanIn),
                producerWeights: oracle.network.layers[oracle.layer - 1].weights, consumerWeights: consumer)
            #expect(
                agrees(
                    [factors.update, factors.fanOut, factors.fanIn],
                    try oracle.numbers("normalisation/\(name)")))
        }
        let mean = try oracle.problem(largest: 1).meanFanOutNorm(for: found.neurons.count)
        #expect(
            agrees(
                found.neurons.fanOut.columnNorms.map { mean / $0 },
                try oracle.numbers("normalisation/gradmax_normalization_column_factors")))
    }

    @Test("the factor 1 of no rule leaves everything as it is")
    func noScaling() {
        let any = Matrix([[1, 2], [3, 5]])
        let factors = UpdateScaling.none.factors(
            update: any, fanOut: any, fanIn: any, producerWeights: any, consumerWeights: any)
        #expect(factors == UpdateScaling.Factors(update: 1, fanOut: 1, fanIn: 1))
    }
}
