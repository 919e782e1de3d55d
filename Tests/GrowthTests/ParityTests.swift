import Datasets
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("How newborn weights are driven beside older ones")
struct ParityTests: GrowsNetworks {
    let dataset = SampleDataset.make(train: 96, validation: 20)

    @Test(
        "parity is the ratio of root mean squares over the weights of the last round, step by step",
        arguments: [1, 3])
    func ratios(threads: Int) throws {
        let seed = try SampleDataset.network(.relu, dataset: dataset)
        var grown = try #require(try grow(seed) { $0.proposal.method.method = Random() }.outcome.network)
        grown.data = dataset.convention
        var training = TrainingParameters(epochs: 1, batch: 96, shards: 1)
        training.optimizer.rule = SGD(momentum: 0)
        let trained = try #require(
            try fineTune(
                TuneParameters(training: training, loss: LossParameters(), seed: 0), dataset: dataset,
                network: grown, environment: TrainingEnvironment(threads: threads)))
        let gradients = NetworkRun(grown, dataset.train, dataset.normalization).lossAndGradients().gradients
        #expect(trained.parity.map(\.node) == ["hidden1", "hidden2", "output"])
        for measured in trained.parity {
            let values = try #require(gradients["\(measured.node)/weight"]?.values)
            let births = try #require(grown.births[measured.node])
            var (young, old) = ([Float](), [Float]())
            for (row, born) in births.rows.enumerated() {
                for (column, since) in births.columns.enumerated() {
                    let value = values[row * births.columns.count + column]
                    if max(born, since) == 1 { young.append(value) } else { old.append(value) }
                }
            }
            func size(_ values: [Float]) -> Double {
                (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot()
            }
            let expected = size(young) / size(old)
            #expect(abs(measured.gradient / expected - 1) < 1e-4, "\(measured.node)")
            #expect(abs(measured.update / expected - 1) < 1e-2, "\(measured.node)")
            #expect(measured.steps == 1 && measured.round == 1)
        }
    }

    @Test("it is measured once after each growth, over a hundred steps at most, and never for a seed")
    func once() throws {
        let parameters = SeedParameters(
            network: NetworkParameters(widths: [4, 4]), training: TrainingParameters(epochs: 1), seed: 0)
        let seed = try trainSeed(parameters, dataset: dataset)
        #expect(seed.parity.isEmpty)
        let grown = try #require(try grow(seed) { $0.proposal.method.method = Random() }.outcome.network)
        var training = TrainingParameters(epochs: 5, batch: 4)
        training.optimizer.rate = 0.005
        let tune = TuneParameters(training: training, loss: LossParameters(), seed: 0)
        let first = try #require(try fineTune(tune, dataset: dataset, network: grown))
        #expect(first.parity.map(\.steps).max() == GradientParity.mostSteps)
        #expect(try fineTune(tune, dataset: dataset, network: first)?.parity == first.parity)
    }
}
