import Datasets
import HDF5
import Networks
import Parameters
import Tensors
import TestSupport
import Testing

@testable import Training

/// How a batch is cut, and a split that leaves a last batch smaller than the number of shards.
struct CutCase: Sendable, CustomTestStringConvertible {
    var shards: Int
    var samples: Int
    var batch: Int

    var testDescription: String { "\(samples) samples in batches of \(batch), \(shards) shards" }

    static let all = [1, 2, 3, 5].flatMap { shards in
        [(50, 16), (37, 17), (33, 16), (4, 16), (31, 1)].map {
            CutCase(shards: shards, samples: $0, batch: $1)
        }
    }
}

@Suite("The same bits")
struct DeterminismTests {
    private let wide = NetworkParameters(widths: [40, 31], activation: .selu, dropout: 0.2)

    @Test("one, two and three threads give the same network and history", arguments: CutCase.all)
    func threads(given: CutCase) throws {
        let dataset = prototypes(train: given.samples, validation: 9)
        let parameters = seedParameters(
            wide, epochs: 2, batch: given.batch, shards: given.shards,
            optimizer: OptimizerParameters(rate: 0.005))
        let runs = try (1...3).map {
            try trainSeed(parameters, dataset: dataset, environment: TrainingEnvironment(threads: $0))
        }
        #expect(runs[1] == runs[0] && runs[2] == runs[0])
        #expect(runs[0].history.epochs.allSatisfy { $0.loss.isFinite && $0.validationLoss != nil })
    }

    @Test(
        "shards change the gradient by no more than rounding, with dropout too", arguments: [2, 3, 5, 23, 64])
    func shards(count: Int) throws {
        let dataset = prototypes(train: 23)
        func gradient(_ shards: Int) throws -> [Float] {
            let start = try Network(
                initializing: wide.architecture(sample: [9], outputs: 4), seed: 3)
            var training = TrainingParameters(epochs: 1, batch: 23, shards: shards)
            training.optimizer = OptimizerParameters(rule: SGD(momentum: 0), rate: 1)
            let end = try #require(
                try fineTune(
                    TuneParameters(training: training, loss: LossParameters(), seed: 1), dataset: dataset,
                    network: start))
            return zip(flat(start.parameters), flat(end.parameters)).map { $0 - $1 }
        }
        #expect(try relativeDistance(gradient(count), gradient(1)) < 2e-6)
    }

    @Test(
        "two epochs and three more, through a file, are five epochs bit for bit",
        arguments: OptimizerParameters.rules.all, [1, 3])
    func resumed(rule: any OptimizerRule, shards: Int) throws {
        let dataset = prototypes(train: 50, validation: 9)
        let optimizer = OptimizerParameters(rule: rule, rate: 0.02)
        func parameters(epochs: Int, from begin: Int) -> SeedParameters {
            var parameters = seedParameters(wide, epochs: epochs, shards: shards, optimizer: optimizer)
            parameters.training.schedule = ScheduleParameters(
                rule: WarmupStableDecay(), warmUp: 0.5, begin: begin, length: 5)
            return parameters
        }
        let whole = try trainSeed(parameters(epochs: 5, from: 0), dataset: dataset)
        let first = try trainSeed(parameters(epochs: 2, from: 0), dataset: dataset)
        let folder = TemporaryFolder()
        try first.content.write(to: folder.path("network.h5"))
        let read = try Network(reading: File(reading: folder.path("network.h5")))
        #expect(read == first)
        let rest = parameters(epochs: 3, from: 2).training
        let resumed = try #require(
            try fineTune(
                TuneParameters(training: rest, loss: LossParameters(), seed: 7), dataset: dataset,
                network: read,
                environment: TrainingEnvironment(threads: 2)))
        #expect(resumed.parameters == whole.parameters)
        #expect(resumed.optimizerState == whole.optimizerState)
        #expect(resumed.history == whole.history)
        #expect(resumed.cost.total == whole.cost.total)
        #expect(resumed.cost[.seed] * 3 == resumed.cost[.tune] * 2)
    }

    @Test("another seed gives another order, another start, and another network")
    func seeds() throws {
        let dataset = prototypes(train: 50)
        var parameters = seedParameters()
        let first = try trainSeed(parameters, dataset: dataset)
        #expect(try trainSeed(parameters, dataset: dataset) == first)
        parameters.seed = 8
        #expect(try trainSeed(parameters, dataset: dataset).parameters != first.parameters)
    }

    /// SHA-256 of the network artifact of the run below, by platform: a change of any bit of training shows here.
    ///
    /// When a change is meant, or a platform is new, put the digest that the test prints here.
    private static let golden = [
        "OpenBLAS 0.3.21 SkylakeX; libm 2.36":
            "9c827ca9fb8a61e72a9bbdeeef9a6ab4a7cb57b6989e1eff66d4595620930dcc"
    ]

    @Test("the artifact of a small run on the digits is the pinned one")
    func pinned() throws {
        let network = NetworkParameters(widths: [8, 8], activation: .selu, dropout: 0.1)
        var parameters = seedParameters(network, epochs: 2, batch: 64, shards: 3)
        parameters.training.schedule = ScheduleParameters(rule: CosineDecay(), warmUp: 0.5)
        parameters.loss.labelSmoothing = 0.05
        let trained = try trainSeed(
            parameters, dataset: digits(validation: 137), environment: TrainingEnvironment(threads: 2))
        let folder = TemporaryFolder()
        try trained.content.write(to: folder.path("network.h5"))
        let found = try Program.system("sha256sum", [folder.path("network.h5")]).output.prefix(64)
        guard let expected = Self.golden[Platform.identifier] else {
            print("not pinned for \"\(Platform.identifier)\": \(found)")
            return
        }
        #expect(String(found) == expected)
    }
}
