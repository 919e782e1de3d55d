import Parameters
import Correlations
import Datasets
import GrowthMath
import GrowthReference
import HDF5
import Networks
import Tensors
import TestSupport
import Testing
@testable import Training

@testable import Growth

@Suite("Statistics of a running network")
struct MeasurementTests {
    private let dataset = SampleDataset.make()

    private func parameters(
        _ method: String, samples: SamplePolicy = .all, shards: Int = 2, widths: WidthPolicy = .all
    ) throws -> BottleneckParameters {
        var result = BottleneckParameters()
        result.proposal.method = try #require(MethodParameters(method))
        result.proposal.neurons = .most(3)
        result.proposal.widths = widths
        result.measurement.samples = samples
        result.measurement.shards = shards
        result.measurement.keepStatistics = true
        result.proposal.method.set(ridge: 0)
        return result
    }

    private func relative(_ found: Matrix, _ expected: Matrix) -> Double {
        ((found - expected).squaredNorm / max(expected.squaredNorm, 1e-300)).squareRoot()
    }

    @Test(
        "Float32 sums over chunks agree with Float64 matrices, for every site, method and activation",
        arguments: [Activation.Function.relu, .selu, .tanh], ["tiny-joint", "tiny", "fisher", "gradmax"])
    func agreement(activation: Activation.Function, method: String) throws {
        for bias in [true, false] {
            let network = try SampleDataset.network(activation, dataset: dataset, bias: bias)
            let found = try computeBottlenecks(parameters(method), dataset: dataset, network: network)
            let sites = Width.plain(in: network.architecture)
            #expect(sites.map(\.name) == ["hidden1", "hidden2"])
            for (site, measured) in zip(sites, found.widths) {
                let (x, h, g) = try SampleDataset.exact(
                    site, network, dataset, Array(0..<dataset.train.count))
                let exact = try SiteStatistics(
                    producerInput: x, consumerInput: h, functionalGradient: g, producerHasBias: bias,
                    consumerHasBias: bias)
                let problem = try SiteProblem(
                    statistics: exact, producerWeights: site.producerWeights(of: network),
                    consumerWeights: site.consumerWeights(of: network), slopes: site.slopes,
                    thresholds: parameters(method).measurement.thresholds)
                let proposal = try found.method.method.propose(for: problem, limit: 3)
                let statistics = try #require(measured.statistics).consumer(0)
                #expect(relative(measured.only.consumerCovariance, exact.consumerCovariance) < 1e-5)
                #expect(relative(measured.only.consumerMoment, exact.consumerMoment) < 1e-4)
                #expect(agrees(measured.gradientNorm, exact.gradientNorm, to: 1e-5))
                #expect(agrees(measured.bottleneck, exact.bottleneck, to: 1e-5))
                #expect(relative(measured.only.bestUpdate, exact.bestUpdate.weights) < 1e-4)
                let pairs: [KeyPath<SiteStatistics, Matrix?>] = [
                    \.inputCovariance, \.inputMoment, \.crossCovariance, \.gradientCovariance,
                ]
                for path in pairs {
                    if let sum = statistics[keyPath: path], let expected = exact[keyPath: path] {
                        #expect(relative(sum, expected) < 1e-4, "\(path)")
                    }
                }
                if let overlap = statistics.overlap?.taps.first {
                    #expect(relative(overlap, try #require(exact.overlap?.taps.first)) < 1e-4)
                }
                let (activity, expected) = (measured.proposal.neurons.product, proposal.neurons.product)
                #expect(relative(x.timesTransposed(activity), x.timesTransposed(expected)) < 1e-4)
                #expect(
                    zip(measured.proposal.singularValues, proposal.singularValues).allSatisfy {
                        abs($0 - $1) < 1e-4 * $1
                    })
                #expect(measured.proposal.singularValues.count == proposal.singularValues.count)
                if let effects = measured.effects {
                    let moments = CandidateMoments(
                        producerInput: x, consumerInput: h, functionalGradient: g,
                        fanIn: measured.proposal.neurons.fanIn, slopes: site.slopes)
                    #expect(relative(effects.moments.gradient, moments.gradient) < 1e-4)
                    #expect(relative(effects.moments.covariance, moments.covariance) < 1e-4)
                    #expect(relative(effects.moments.overlap, moments.overlap) < 1e-4)
                }
            }
        }
    }

    @Test("the result has the same bits with any number of threads", arguments: [2, 3, 5])
    func threads(count: Int) throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let parameters = try parameters("tiny-joint", shards: 4)
        let one = try computeBottlenecks(parameters, dataset: dataset, network: network, threads: 1)
        #expect(try computeBottlenecks(parameters, dataset: dataset, network: network, threads: count) == one)
    }

    @Test("another number of shards changes rounding alone")
    func shards() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let one = try computeBottlenecks(parameters("tiny", shards: 1), dataset: dataset, network: network)
        let five = try computeBottlenecks(parameters("tiny", shards: 5), dataset: dataset, network: network)
        for (left, right) in zip(one.widths, five.widths) {
            #expect(relative(left.proposal.neurons.product, right.proposal.neurons.product) < 1e-4)
        }
    }

    @Test("dropout is off while measuring")
    func dropout() throws {
        let plain = try SampleDataset.network(.relu, dataset: dataset)
        let dropped = try SampleDataset.network(.relu, dataset: dataset, dropout: 0.5)
        let parameters = try parameters("tiny")
        let expected = try computeBottlenecks(parameters, dataset: dataset, network: plain).widths
        let found = try computeBottlenecks(parameters, dataset: dataset, network: dropped).widths
        #expect(found.map(\.proposal) == expected.map(\.proposal))
    }

    @Test("samples are drawn by the seed; auto takes no more than are needed")
    func samples() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        var some = try parameters("tiny", samples: .count(100))
        let first = try computeBottlenecks(some, dataset: dataset, network: network)
        #expect(first.samples == 100)
        #expect(try computeBottlenecks(some, dataset: dataset, network: network) == first)
        some.seed = 1
        #expect(try computeBottlenecks(some, dataset: dataset, network: network).widths != first.widths)

        let large = SampleDataset.make(train: 9000, validation: 10)
        var auto = try parameters("tiny", samples: .auto)
        auto.measurement.tolerance = 1
        #expect(try computeBottlenecks(auto, dataset: large, network: network).samples == 4096)
        auto.measurement.tolerance = 1e-6
        #expect(try computeBottlenecks(auto, dataset: large, network: network).samples == 9000)
    }

    @Test("standard errors are those of the spread between samples")
    func standardErrors() throws {
        let chunks = [(10, 12.0), (10, 8.0), (10, 10.0), (10, 14.0)].map { (rows: $0.0, sum: $0.1) }
        let found = ChunkedMean(chunks)
        #expect(agrees(found.mean, 1.1))
        // Chunk means 1.2, 0.8, 1.0, 1.4: variance 0.2/3, of the mean of 4 a quarter of it.
        #expect(agrees(found.error, (0.2 / 3 / 4).squareRoot()))
        #expect(ChunkedMean([(rows: 3, sum: 6)]).error == 0)
    }

    @Test("widths: each measures one width per round, in turn")
    func each() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        var parameters = try parameters("tiny", widths: .each)
        parameters.rounds = 3
        let names = try (1...3).map { round in
            parameters.round = round
            return try computeBottlenecks(parameters, dataset: dataset, network: network).widths.map(\.width)
        }
        #expect(names == [["hidden1"], ["hidden2"], ["hidden1"]])
    }

    @Test("a network without a hidden layer has no width that can grow, and the message says what one is")
    func noWidths() throws {
        let architecture = try Architecture(
            inputShape: [16], nodes: [.init("output", Linear(width: 3), inputs: ["input"])])
        let network = try Network(initializing: architecture, seed: 0)
        #expect(throws: GrowthError.noWidths(nodes: ["output"])) {
            try computeBottlenecks(parameters("tiny"), dataset: dataset, network: network)
        }
    }

    @Test("a network that has diverged is refused by name")
    func diverged() throws {
        var network = try SampleDataset.network(.relu, dataset: dataset)
        network.parameters["hidden1/weight"]?.values[0] = 3e38
        #expect(throws: GrowthError.self) {
            try computeBottlenecks(parameters("tiny"), dataset: dataset, network: network)
        }
    }

    @Test(
        "what is written to a file reads back the same, raw statistics aside",
        arguments: MethodParameters.all)
    func file(name: MethodParameters) throws {
        let network = try SampleDataset.network(.relu, dataset: dataset)
        var found = try computeBottlenecks(parameters(name.kind), dataset: dataset, network: network)
        let folder = TemporaryFolder()
        let path = folder.path("bottlenecks.h5")
        try found.content.write(to: path)
        let again = try Bottlenecks(reading: File(reading: path))
        for index in found.widths.indices { found.widths[index].statistics = nil }
        #expect(again == found)
    }
}
