import Datasets
import HDF5
import Networks
import Parameters
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Running averages of weights")
struct AverageTests {
    /// With batch normalisation, so that there is a state.
    private let network: NetworkParameters = {
        let window = Window(kernel: Extent(square: 3), padding: Extent(square: 1))
        return NetworkParameters(
            GivenGraph(nodes: [
                .init("conv", Convolution(width: 5, window: window, bias: false), inputs: ["input"]),
                .init("norm", BatchNormalization(momentum: 0.25), inputs: ["conv"]),
                .init("relu", Activation(.relu), inputs: ["norm"]),
                .init("mean", GlobalAveragePooling(), inputs: ["relu"]),
                .init("output", Linear(width: 4), inputs: ["mean"]),
            ]))
    }()

    /// Whose validation split is its test split; a batch of all samples makes an epoch one step.
    private let dataset: Datasets.Dataset = {
        let made = prototypes(train: 32, test: 30, side: 6)
        return Dataset(
            identity: made.identity, classes: made.classes, train: made.train, validation: made.test,
            test: made.test)
    }()

    private func parameters(
        _ average: AverageParameters, epochs: Int, batch: Int = 32, shards: Int = 2
    ) -> SeedParameters {
        var parameters = seedParameters(network, epochs: epochs, batch: batch, shards: shards)
        parameters.training.optimizer.rule = SGD(momentum: 0)
        parameters.training.average = average
        return parameters
    }

    private func trained(_ average: AverageParameters, epochs: Int) throws -> Network {
        try trainSeed(parameters(average, epochs: epochs), dataset: dataset)
    }

    /// Parameters and state in one order.
    private func values(_ network: Network) -> [Float] { flat(network.parameters) + flat(network.state) }

    @Test(
        "the average follows weights and running statistics step by step, from the first weights on",
        arguments: [1, 2])
    func follows(every: Int) throws {
        let steps = 6, decay = 0.75
        let path = try (0...steps).map {
            try values(trained(AverageParameters(), epochs: $0)).map(Double.init)
        }
        var expected = path[0]
        for step in 1...steps where step % every == 0 {
            for index in expected.indices {
                expected[index] += (1 - decay) * (path[step][index] - expected[index])
            }
        }
        let found = try trained(AverageParameters(decay: decay, every: every), epochs: steps)
        // The weights themselves take no notice of it.
        #expect(values(found).map(Double.init) == path[steps])
        let averages = values(found.averaged)
        #expect(relativeDistance(averages, expected.map { Float($0) }) < 1e-6)
        #expect(relativeDistance(averages, values(found)) > 1e-3)
    }

    @Test("Lookahead goes back to the slow weights every few steps")
    func lookahead() throws {
        var slow = try trained(AverageParameters(), epochs: 0)
        let training = parameters(AverageParameters(), epochs: 2).training
        func fast(_ network: Network) throws -> Network {
            try #require(
                try fineTune(
                    TuneParameters(training: training, loss: LossParameters(), seed: 7), dataset: dataset,
                    network: network))
        }
        func mean(_ a: [String: Tensor], _ b: [String: Tensor]) -> [String: Tensor] {
            a.reduce(into: [:]) { result, item in
                let other = b[item.key]?.values ?? []
                result[item.key] = Tensor(
                    shape: item.value.shape, values: zip(item.value.values, other).map { ($0 + $1) / 2 })
            }
        }
        for _ in 0..<3 {
            var next = try fast(slow)
            next.parameters = mean(slow.parameters, next.parameters)
            next.state = mean(slow.state, next.state)
            slow = next
        }
        let found = try trained(AverageParameters(decay: 0.5, every: 2, lookahead: true), epochs: 6)
        #expect(relativeDistance(values(found), values(slow)) < 1e-5)
        #expect(found.averaged.parameters == found.parameters)
        #expect(relativeDistance(try values(trained(AverageParameters(), epochs: 6)), values(slow)) > 1e-3)
    }

    @Test("an epoch and two more, through a file, are three epochs bit for bit, with any number of threads")
    func resumed() throws {
        let average = AverageParameters(decay: 0.9)
        func run(_ epochs: Int, threads: Int = 1) throws -> Network {
            try trainSeed(
                parameters(average, epochs: epochs, batch: 7), dataset: dataset,
                environment: TrainingEnvironment(threads: threads))
        }
        let whole = try run(3), first = try run(1)
        #expect(try run(3, threads: 2) == whole && run(3, threads: 3) == whole)
        let folder = TemporaryFolder()
        try first.content.write(to: folder.path("network.h5"))
        let read = try Network(reading: File(reading: folder.path("network.h5")))
        #expect(read == first && Set(read.lags.keys) == Set(read.parameters.keys).union(read.state.keys))
        let training = parameters(average, epochs: 2, batch: 7).training
        let resumed = try #require(
            try fineTune(
                TuneParameters(training: training, loss: LossParameters(), seed: 7), dataset: dataset,
                network: read))
        #expect(resumed.lags == whole.lags && resumed.averaged.parameters == whole.averaged.parameters)
        #expect(resumed.history == whole.history)
        // A phase without an average ends it.
        let plain = TuneParameters(
            training: parameters(AverageParameters(), epochs: 1).training, loss: LossParameters(), seed: 7)
        #expect(try fineTune(plain, dataset: dataset, network: read)?.lags == [:])
    }

    @Test("validation and evaluation measure the average, and evaluation the weights themselves where asked")
    func measured() throws {
        let network = try trained(AverageParameters(decay: 0.9), epochs: 5)
        func loss(_ weights: EvaluationChoices.Weights, of network: Network) throws -> Double {
            try evaluate(
                EvaluationParameters(choices: EvaluationChoices(weights: weights)), dataset: dataset,
                network: network
            ).loss
        }
        let averaged = try loss(.average, of: network)
        #expect(network.history.epochs.last?.validationLoss == averaged)
        let plain = try trained(AverageParameters(), epochs: 5)
        #expect(try loss(.own, of: network) == loss(.own, of: plain))
        #expect(try loss(.own, of: network) == loss(.average, of: plain))
        #expect(try loss(.own, of: network) != averaged)
    }

    @Test("lookahead without an average is refused")
    func refusal() throws {
        func read(_ yaml: String) throws -> AverageParameters {
            try TrainingParameters(tree: Tree(yaml: "average: \(yaml)", file: "x"), file: "x").average
        }
        #expect(
            try read("{decay: 0.5, every: 5, lookahead: true}")
                == AverageParameters(decay: 0.5, every: 5, lookahead: true))
        do {
            _ = try read("{lookahead: true}")
            Issue.record("lookahead without a decay was read")
        } catch {
            #expect("\(error)".contains("average.lookahead"))
            #expect("\(error)".contains("true only with a decay above 0"))
        }
    }
}
