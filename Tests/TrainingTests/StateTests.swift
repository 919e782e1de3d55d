import Datasets
import HDF5
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

/// A small convolutional network with everything whose bits could depend on threads.
private func convolutional(side: Int, classes: Int) throws -> Architecture {
    let three = Window(kernel: Extent(square: 3), padding: Extent(square: 1))
    return try Architecture(
        inputShape: [1, side, side],
        nodes: [
            .init("stem", Convolution(width: 40, window: three, bias: false), inputs: ["input"]),
            .init("norm0", BatchNormalization(), inputs: ["stem"]),
            .init("relu0", Activation(.relu), inputs: ["norm0"]),
            .init("conv1", Convolution(width: 40, window: three, bias: false), inputs: ["relu0"]),
            .init("norm1", BatchNormalization(momentum: 0.25), inputs: ["conv1"]),
            .init("sum1", Add(), inputs: ["norm1", "relu0"]),
            .init("relu1", Activation(.relu), inputs: ["sum1"]),
            .init("drop1", Dropout(rate: 0.2), inputs: ["relu1"]),
            .init("mean", GlobalAveragePooling(), inputs: ["drop1"]),
            .init("output", Linear(width: classes), inputs: ["mean"]),
        ])
}

@Suite("Training of convolutional networks with a state")
struct StateTests {
    private func train(
        _ dataset: Datasets.Dataset, epochs: Int, shards: Int, threads: Int = 1, from start: Network? = nil
    ) throws -> Network {
        var training = TrainingParameters(epochs: epochs, batch: 16, shards: shards)
        training.optimizer = OptimizerParameters(rate: 0.05)
        training.schedule = ScheduleParameters()
        let environment = TrainingEnvironment(threads: threads)
        if let start {
            return try #require(
                try fineTune(
                    TuneParameters(training: training, loss: LossParameters(), seed: 7), dataset: dataset,
                    network: start, environment: environment))
        }
        return try trainSeed(
            SeedParameters(network: nil, training: training, loss: LossParameters(), seed: 7),
            dataset: dataset, architecture: convolutional(side: 6, classes: 4), environment: environment)
    }

    @Test(
        "one, two and three threads give the same bits, last batches of other sizes included",
        arguments: [1, 2, 3])
    func threads(shards: Int) throws {
        let dataset = prototypes(train: 41, validation: 9, side: 6)
        let runs = try (1...3).map { try train(dataset, epochs: 2, shards: shards, threads: $0) }
        #expect(runs[1] == runs[0] && runs[2] == runs[0])
        #expect(runs[0].history.epochs.allSatisfy { $0.loss.isFinite && $0.validationLoss != nil })
        #expect(runs[0].state["norm0/running_mean"]?.values.contains { $0 != 0 } ?? false)
    }

    @Test("an epoch and two more, through a file, are three epochs bit for bit")
    func resumed() throws {
        let dataset = prototypes(train: 41, validation: 9, side: 6)
        let whole = try train(dataset, epochs: 3, shards: 2)
        let first = try train(dataset, epochs: 1, shards: 2)
        let folder = TemporaryFolder()
        try first.content.write(to: folder.path("network.h5"))
        let read = try Network(reading: File(reading: folder.path("network.h5")))
        let resumed = try train(dataset, epochs: 2, shards: 2, from: read)
        #expect(resumed.parameters == whole.parameters && resumed.state == whole.state)
        #expect(resumed.history == whole.history)
    }

    @Test("it learns, and evaluation reads the running averages")
    func learns() throws {
        let dataset = prototypes(train: 200, test: 60, validation: 20, side: 6)
        let network = try train(dataset, epochs: 6, shards: 2)
        let parameters = EvaluationParameters(loss: LossParameters())
        let found = try evaluate(parameters, dataset: dataset, network: network)
        #expect(found.accuracy > 0.95)
        #expect(try evaluate(parameters, dataset: dataset, network: network, threads: 2) == found)
        var forgetful = network
        forgetful.state = try Network(initializing: network.architecture, seed: 0).state
        #expect(try evaluate(parameters, dataset: dataset, network: forgetful).loss > 2 * found.loss)
    }

    @Test("running averages move by their momentum to the mean of the shards' means and unbiased variances")
    func movement() throws {
        let architecture = try Architecture(
            inputShape: [4],
            nodes: [
                .init("norm", BatchNormalization(momentum: 0.25), inputs: ["input"]),
                .init("output", Linear(width: 2), inputs: ["norm"]),
            ])
        let images: [UInt8] = (0..<28).map { UInt8($0 * $0 % 251) }
        let shape = ImageShape(height: 2, width: 2, channels: 1)
        let split = Split(shape: shape, images: images, labels: [0, 1, 0, 1, 0, 1, 0])
        let dataset = Datasets.Dataset(
            identity: .init(name: "few", title: "Few", licence: "none", citation: "nobody"),
            classes: ["a", "b"], train: split, validation: .empty(shape), test: split)
        var training = TrainingParameters(epochs: 1, batch: 7, shards: 2)
        training.optimizer = OptimizerParameters(rate: 0)
        let network = try trainSeed(
            SeedParameters(network: nil, training: training, loss: LossParameters(), seed: 7),
            dataset: dataset, architecture: architecture)

        var random = Philox(seed: 7, purpose: .dataOrder, epoch: 0)
        let order = random.permutation(7)
        let rows = gathered(Batches(split, dataset.normalization), order).rows
        for feature in 0..<4 {
            let moments = [0..<3, 3..<7].map { range in
                let values = range.map { Double(rows[$0 * 4 + feature]) }
                let mean = values.reduce(0, +) / Double(values.count)
                let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                return (mean: mean, variance: squares / Double(values.count - 1))
            }
            let mean = 0.25 * (moments[0].mean + moments[1].mean) / 2
            let variance = 0.75 + 0.25 * (moments[0].variance + moments[1].variance) / 2
            let foundMean = try #require(network.state["norm/running_mean"]).values[feature]
            let foundVariance = try #require(network.state["norm/running_var"]).values[feature]
            #expect(abs(Double(foundMean) - mean) < 1e-6)
            #expect(abs(Double(foundVariance) - variance) < 1e-6)
        }
    }
}
