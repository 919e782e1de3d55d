import Parameters
import Datasets
import GrowthMath
import GrowthReference
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

/// An input of a consumer that hardly varies must not get weights as long as its variation is small: no loss on samples
/// refuses them, and training then diverges.
@Suite("How far consumers move")
struct MoveBoundTests: GrowsNetworks {
    let dataset = SampleDataset.make()

    /// Factors of the weights that make one input of a consumer.
    private static let shares = [1e-2, 1e-6]

    struct Case: Sendable, CustomTestStringConvertible {
        var method: String
        var update = true
        var refit = true
        var amplitude = AmplitudePolicy.method

        var testDescription: String { "\(method), update: \(update), refit: \(refit), \(amplitude)" }

        func apply(_ plan: inout GrowthPlan) throws {
            plan.proposal.method = try #require(MethodParameters(method))
            plan.placement.update = update
            plan.proposal.method.set(refit: refit)
            plan.placement.amplitude = amplitude
            // Nothing counts as zero but zero.
            plan.measurement.rankThreshold = 1e-16
        }
    }

    static let cases = [
        Case(method: "tiny-joint"), Case(method: "tiny-joint", update: false),
        Case(method: "tiny-joint", refit: false), Case(method: "tiny"), Case(method: "fisher"),
        Case(method: "tiny", amplitude: .fixed(1)), Case(method: "tiny-joint", amplitude: .fixed(4)),
    ]

    /// The longest norm of the weights that an input of a layer has.
    private func longest(_ weights: Matrix, inputs: Int) -> Double {
        let taps = weights.columns / inputs
        return weights.selecting(columns: 0..<inputs * taps).columnNorms.norms(ofEach: taps).max() ?? 0
    }

    private func shrink(_ network: inout Network, _ node: String, output: Int, by share: Double) throws {
        for name in ["\(node)/weight", "\(node)/bias"] {
            guard let tensor = network.parameters[name] else { continue }
            let each = tensor.count / tensor.shape[0]
            for index in output * each..<(output + 1) * each {
                network.parameters[name]?.values[index] *= Float(share)
            }
        }
    }

    @Test(
        "no input's weights move further than the longest that any has, and training goes on",
        arguments: cases, shares)
    func sites(given: Case, share: Double) throws {
        var network = try SampleDataset.network(.tanh, dataset: dataset)
        try shrink(&network, "hidden2", output: 1, by: share)
        let outcome = try grow(network, { try? given.apply(&$0) }).outcome
        let grown = try #require(outcome.network)
        for site in Width.plain(in: network.architecture) {
            let before = site.consumerWeights(of: network)
            let after = site.consumerWeights(of: grown)
            let kept = after.selecting(rows: 0..<before.rows).selecting(columns: 0..<site.count)
            let old = before.selecting(columns: 0..<site.count)
            let most = max(
                longest(old, inputs: site.count), (Double(before.rows) / Double(site.count)).squareRoot())
            #expect(longest(kept - old, inputs: site.count) <= most * (1 + 1e-5), "\(site.name)")
        }
        var training = TrainingParameters(epochs: 3, batch: 20)
        training.optimizer = OptimizerParameters(rate: 0.05)
        let tuned = try #require(
            try fineTune(
                TuneParameters(training: training, loss: LossParameters(), seed: 1), dataset: dataset,
                network: grown))
        #expect(try loss(tuned, dataset.train) < loss(network, dataset.train))
    }

    @Test("what is predicted of a shorter move is the slope of the loss", arguments: ["tiny-joint", "tiny"])
    func prediction(method: String) throws {
        let same = Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: dataset.train, test: dataset.test)
        var network = try SampleDataset.network(.tanh, dataset: same)
        try shrink(&network, "hidden2", output: 1, by: 1e-6)
        let outcome = try grow(
            network,
            {
                try? Case(method: method, amplitude: .fixed(1e-3)).apply(&$0)
                $0.proposal.widths = .best
            }, on: same
        ).outcome
        let record = try #require(outcome.records.first)
        #expect(record.note.contains("a shorter move of the consumer's weights"))
        #expect(abs(record.realizedDecrease / (try #require(record.predictedDecrease)) - 1) < 0.1)
    }

    @Test("consumers of a residual width are held to it too", arguments: ["tiny-joint", "tiny"])
    func residual(method: String) throws {
        let images = SampleDataset.make(train: 200, validation: 50, side: 6, channels: 2)
        var network = try ResidualNetworks.twoByTwo(.tanh)
        for producer in ["stem", "back"] { try shrink(&network, producer, output: 0, by: 1e-6) }
        var plan = GrowthPlan(rounds: 1)
        try Case(method: method, amplitude: .fixed(1)).apply(&plan)
        plan.proposal.neurons = .most(2)
        plan.proposal.residualWidths = true
        var bottlenecks = try computeBottlenecks(
            plan.bottleneckParameters(round: 1, loss: LossParameters(), seed: 0), dataset: images,
            network: network)
        // Other widths would change the layers that this one's are compared with.
        bottlenecks.widths.removeAll { $0.width != "stem" }
        let outcome = try growNetwork(
            plan.growthParameters(round: 1, loss: LossParameters(), seed: 0), dataset: images,
            network: network, bottlenecks: bottlenecks)
        let grown = try #require(outcome.network)
        let width = try #require(Width.residual(in: network.architecture).first)
        let record = try #require(outcome.records.first { $0.width == width.name })
        #expect(record.neurons > 0 && record.note.contains("a shorter move of the consumer's weights"))
        for consumer in width.consumers {
            let (old, new) = (network.extendedWeights(of: consumer), grown.extendedWeights(of: consumer))
            let columns = old.columns - 1
            let kept = new.selecting(rows: 0..<old.rows).selecting(columns: 0..<columns)
            let most = max(
                longest(old, inputs: width.count), (Double(old.rows) / Double(width.count)).squareRoot())
            let moved = kept - old.selecting(columns: 0..<columns)
            #expect(longest(moved, inputs: width.count) <= most * (1 + 1e-5), "\(consumer)")
        }
    }

    @Test("a move within the bound stays, bit for bit; of a longer one, what samples show stays")
    func parts() throws {
        let network = try SampleDataset.network(.tanh, dataset: dataset)
        let weights = network.extendedWeights(of: "output")
        var covariance = Matrix(rows: 5, columns: 5)
        for (index, value) in [4, 1, 1e-9, 2, 1].enumerated() { covariance[index, index] = value }
        let bound = MoveBound(covariance: covariance, consumer: "output", inputs: 4, of: network)
        let neurons = NewNeurons(fanIn: Matrix(rows: 0, columns: 6), fanOut: Matrix(rows: 3, columns: 0))
        let short = Extension(neurons: neurons, update: 0.5 * weights, room: 0.25 * weights)
        #expect(try bound.bounding(short) == short)

        var long = short
        for row in 0..<3 { long.update?[row, 2] = 1e4 }
        let found = try #require(try bound.bounding(long).move)
        let wanted = try #require(short.move)
        for column in [0, 1, 3, 4] {
            #expect(
                agrees(
                    found.selecting(columns: [column]), wanted.selecting(columns: [column]), to: 1e-3))
        }
        #expect(longest(found, inputs: 4) <= longest(weights, inputs: 4))
    }

    @Test(
        "covariances that say nothing, or nothing true, end the search for a shorter move",
        arguments: [0, -1, 1e300, 1e-300])
    func hostile(value: Double) throws {
        let network = try SampleDataset.network(.tanh, dataset: dataset)
        let bound = MoveBound(
            covariance: Matrix(rows: 5, columns: 5, repeating: value), consumer: "output", inputs: 4,
            of: network)
        let neurons = NewNeurons(fanIn: Matrix(rows: 0, columns: 6), fanOut: Matrix(rows: 3, columns: 0))
        for long in [1e6, 1e300, .infinity] {
            let move = Matrix(rows: 3, columns: 5, repeating: long)
            _ = try bound.bounding(Extension(neurons: neurons, update: move))
        }
    }
}
