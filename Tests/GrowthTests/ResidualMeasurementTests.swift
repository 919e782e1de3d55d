import Parameters
import Correlations
import Datasets
import GrowthMath
import GrowthReference
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Statistics of widths that residual branches share")
struct ResidualMeasurementTests {
    private let dataset = SampleNetworks.dataset(train: 150, validation: 60)

    private func measured(
        _ width: Width, of network: Network, _ method: String, taps: SiteGeometry.Scheme = .full,
        ridge: Double = 0.1, most: Int = 3, threads: Int = 1
    ) throws -> WidthBottleneck {
        var parameters = BottleneckParameters()
        parameters.proposal.method = try #require(MethodParameters(method))
        parameters.proposal.method.set(taps: taps)
        parameters.proposal.neurons = .most(most)
        parameters.proposal.method.set(ridge: ridge)
        parameters.measurement.keepStatistics = true
        return try WidthMeasurement(
            [width], of: network, dataset: dataset, samples: Array(0..<150), parameters: parameters,
            threads: threads
        ).run(positions: [0])[0]
    }

    private func run(_ network: Network) -> NetworkRun {
        NetworkRun(network, dataset.train, dataset.normalization)
    }

    @Test("every consumer reads the producers before it, through the pools on the way")
    func routes() throws {
        let network = try ResidualNetworks.twoByTwo(.relu, pool: .average)
        let width = try #require(Width.residual(in: network.architecture).first)
        #expect(width.producers == ["stem", "back"] && width.consumers == ["inner", "last"])
        let routes = width.routes
        #expect(routes.map { [$0.producer, $0.consumer] } == [[0, 0], [0, 1], [1, 1]])
        #expect(routes.map(\.geometry.pools.count) == [0, 1, 1])
        #expect(routes.map(\.slopes) == [.relu, .relu, .unit])
        #expect(routes.allSatisfy { $0.count == 1 })

        // Both branches of a sum may come from the same producer.
        let twice = try Architecture(
            inputShape: [2, 6, 6],
            nodes: [
                .init("stem", Convolution(width: 3, window: Window(kernel: Extent(1, 1))), inputs: ["input"]),
                .init("double", Add(), inputs: ["stem", "stem"]),
                .init("activation", Activation(.relu), inputs: ["double"]),
                .init("sum", Add(), inputs: ["double", "activation"]),
                .init("flatten", Flatten(), inputs: ["sum"]),
                .init("output", Linear(width: 3), inputs: ["flatten"]),
            ])
        let ways = try #require(Width.residual(in: twice).first).routes
        #expect(ways.map(\.count) == [2, 2] && ways.map(\.slopes) == [.unit, .relu])
        #expect(ways.allSatisfy { $0.geometry.taps == 36 })
    }

    @Test(
        "the blocks of N follow from what weights of new channels would learn, and are zero for consumers before producers",
        arguments: [Pooling.Function?.none, .average])
    func momentsAreGradients(pool: Pooling.Function?) throws {
        let network = try ResidualNetworks.twoByTwo(.tanh, pool: pool)
        let width = try #require(Width.residual(in: network.architecture).first)
        let problem = try WidthProblem(
            width, of: network,
            statistics: measured(width, of: network, "gradmax").statistics,
            proposal: ProposalParameters(), seed: 0, round: 1, position: 0)
        let moment = try #require(problem.site.statistics.inputMoment)
        // [2·9 + 1 | 4·9] inputs, [4·9 | 4·9] outputs and taps.
        #expect(moment.rows == 19 + 36 && moment.columns == 36 + 36)

        // A channel for every input of a producer, with fan-in t and fan-out 0: what its fan-out would learn is −t XᵀG.
        let small = 1.0 / 256
        for (producer, rows) in [0..<19, 19..<55].enumerated() {
            let count = rows.count
            var fanIn = Matrix(rows: count, columns: 55)
            for (channel, row) in rows.enumerated() { fanIn[channel, row] = small }
            let silent = Extension(
                neurons: NewNeurons(fanIn: fanIn, fanOut: Matrix(rows: 4, columns: count * 9)), update: nil)
            let wider = try network.grafting([silent, silent], at: width)
            let gradients = run(wider).lossAndGradients().gradients
            for (consumer, name) in width.consumers.enumerated() {
                let tensor = try #require(gradients["\(name)/weight"])
                #expect(tensor.shape == [4, 3 + count, 3, 3])
                let learned = Matrix(rows: 4, columns: (3 + count) * 9, widening: tensor.values)
                    .selecting(columns: 27..<(3 + count) * 9)
                let block = moment.selecting(rows: rows)
                    .selecting(columns: consumer * 36..<(consumer + 1) * 36)
                if producer == 1, consumer == 0 {
                    #expect(learned.values.allSatisfy { $0 == 0 } && block.values.allSatisfy { $0 == 0 })
                    continue
                }
                // [c, k E] as [k, c E].
                let expected = -1 / small * learned.tapsToRows(9).transposed
                #expect(relativeDifference(block, expected) < 2e-4, "\(producer) \(name)")
            }
        }
    }

    @Test("all blocks agree with explicit sums in Float64", arguments: [Pooling.Function?.none, .average])
    func explicitSums(pool: Pooling.Function?) throws {
        let network = try ResidualNetworks.twoByTwo(.relu, pool: pool)
        let width = try #require(Width.residual(in: network.architecture).first)
        let statistics = try #require(try measured(width, of: network, "tiny-joint").statistics)
        let problem = try WidthProblem(
            width, of: network, statistics: statistics, proposal: ProposalParameters(), seed: 0, round: 1,
            position: 0)
        let cross = try #require(problem.site.statistics.crossCovariance)
        var covariances = [Matrix(rows: 19, columns: 19), Matrix(rows: 36, columns: 36)]
        let (inputs, outputs) = ([0..<19, 19..<55], [0..<36, 36..<72])
        let run = run(network)
        for route in width.routes {
            let x = run.values(of: route.reading.input)
            let h = run.values(of: route.reading.hidden)
            let g = -150.0 * run.gradient(of: route.reading.gradient)
            let pair = try #require(
                statistics.pairs.first { $0.producer == route.producer && $0.consumer == route.consumer }
            ).statistics
            let expected = ReferenceSums(
                route.geometry, SiteSamples(count: 150, x: x.narrowed, h: h.narrowed, g: g.narrowed),
                update: pair.bestUpdate.weights)
            #expect(relativeDifference(pair.consumerCovariance, expected.consumerCovariance) < 1e-5)
            #expect(relativeDifference(pair.consumerMoment, expected.consumerMoment) < 1e-4)
            #expect(try relativeDifference(#require(pair.crossCovariance), expected.crossCovariance) < 1e-4)
            #expect(abs(pair.bottleneck / expected.bottleneck - 1) < 1e-5)
            let overlap = try #require(pair.overlap).taps
            for (found, expected) in zip(overlap, expected.overlap) {
                #expect(relativeDifference(found, expected) < 1e-5)
            }
            covariances[route.producer] = covariances[route.producer] + expected.inputCovariance

            // The pair of layers that stands for the width has the same, in units of each producer's own.
            let block = cross.selecting(rows: inputs[route.producer])
                .selecting(columns: outputs[route.consumer])
            let scale = (block.squaredNorm / expected.crossCovariance.squaredNorm).squareRoot()
            #expect(relativeDifference(block, scale * expected.crossCovariance) < 1e-4)
            let own = try #require(problem.site.statistics.inputCovariance)
                .selecting(rows: inputs[route.producer]).selecting(columns: inputs[route.producer])
            #expect(own.largestDiagonal > 0.45 && own.largestDiagonal < 2.3)
            if route.producer == 1 || route.consumer == 1 {
                let total = scale * scale * covariances[route.producer]
                #expect(relativeDifference(own, total) < 1e-4)
            }
        }
        let before = cross.selecting(rows: inputs[1]).selecting(columns: outputs[0])
        #expect(before.values.allSatisfy { $0 == 0 })
    }

    @Test(
        "directions of a residual width descend: what candidates do for G⊥ is the sum of their squared singular values"
    )
    func identity() throws {
        let network = try ResidualNetworks.twoByTwo(.identity)
        let width = try #require(Width.residual(in: network.architecture).first)
        for method in ["tiny", "tiny-joint"] {
            let found = try measured(width, of: network, method, ridge: 0, most: 4)
            let consumers = found.consumers
            let values = consumers[0].proposal.singularValues
            #expect(values.count == 4)
            // ⟨G⊥, activity⟩/n of each candidate over both consumers.
            let gains = try consumers.map { consumer in
                let effects = try #require(consumer.effects)
                return NeuronGains(
                    effects.moments.gradient - effects.moments.overlap.timesTransposed(consumer.bestUpdate),
                    neurons: consumer.proposal.neurons, slopes: .unit)
            }
            for (neuron, value) in values.enumerated() {
                let gain = gains.reduce(0) { $0 + $1.plus[neuron] }
                #expect(abs(gain / (value * value) - 1) < 1e-3, "\(method) \(neuron)")
            }
        }
    }

    @Test("signs are those that all consumers together gain most by")
    func signs() throws {
        let network = try ResidualNetworks.twoByTwo(.relu)
        let width = try #require(Width.residual(in: network.architecture).first)
        let found = try measured(width, of: network, "tiny", most: 6)
        let gains = try #require(found.gains).gains
        let own = try found.consumers.map { try #require($0.effects).gains }
        #expect(gains.plus == zip(own[0].plus, own[1].plus).map(+))
        // Consumers would choose differently.
        let wishes = own.map { zip($0.plus, $0.minus).map { $0 >= $1 } }
        #expect(wishes[0] != wishes[1])
        var parameters = GrowthParameters()
        parameters.proposal.method = try #require(MethodParameters("tiny"))
        parameters.placement.update = false
        let choice = try NeuronChoice(
            found, at: width, price: 1, parameters: parameters, requested: 6, most: .max,
            rankThreshold: 1e-6)
        let best = zip(gains.plus, gains.minus).map(max)
        #expect(abs(choice.decrease(at: 1, update: 1) - best.reduce(0, +)) < 1e-12)
        let signs = zip(gains.plus, gains.minus).map { $0 >= $1 ? 1.0 : -1 }
        for (extended, consumer) in zip(choice.extensions, found.consumers) {
            #expect(extended.neurons == consumer.proposal.neurons.signed(signs))
        }
    }

    @Test("the result has the same bits with any number of threads", arguments: ["tiny-joint", "fisher"])
    func threads(method: String) throws {
        let network = try ResidualNetworks.network(.classic)
        for width in Width.residual(in: network.architecture) {
            let found = try [1, 3].map { try measured(width, of: network, method, threads: $0) }
            #expect(found[0] == found[1])
            #expect(found[0].gains?.plusErrors.allSatisfy { $0 > 0 } == true)
        }
    }
}
