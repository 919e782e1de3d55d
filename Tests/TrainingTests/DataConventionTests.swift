import Datasets
import Networks
import Testing

@testable import Training

@Suite("Networks and other datasets")
struct DataConventionTests {
    private let own = prototypes(train: 40, test: 10, validation: 5)

    /// The dataset with other class names, or other training samples to be normalised over.
    private func changed(classes: [String]? = nil, train: Split? = nil) -> Dataset {
        Dataset(
            identity: own.identity, classes: classes ?? own.classes, train: train ?? own.train,
            validation: own.validation, test: own.test)
    }

    private func seed() throws -> Network { try trainSeed(seedParameters(epochs: 1), dataset: own) }

    /// What evaluating and training on say of a dataset.
    private func errors(_ network: Network, _ dataset: Dataset) -> [TrainingError?] {
        let tune = TuneParameters(
            training: TrainingParameters(epochs: 1), loss: LossParameters(), seed: 1, round: 0)
        func error(_ body: () throws -> Void) -> TrainingError? {
            do { try body() } catch { return error as? TrainingError }
            return nil
        }
        return [
            error {
                _ = try evaluate(
                    EvaluationParameters(loss: LossParameters()), dataset: dataset, network: network)
            },
            error { _ = try fineTune(tune, dataset: dataset, network: network) },
        ]
    }

    @Test("a trained network knows the normalisation and the classes of its dataset")
    func known() throws {
        let network = try seed()
        let data = try #require(network.data)
        #expect(data.mean == own.normalization.mean && data.classes == own.classes)
        #expect(data.standardDeviation == own.normalization.standardDeviation)
        #expect(errors(network, own) == [nil, nil])
    }

    @Test("images that are normalised otherwise are refused, were it by one sample")
    func normalization() throws {
        let network = try seed()
        let other = changed(train: own.train.selecting(Array(1..<own.train.count)))
        let expected = TrainingError.dataDiffers(network: own.convention, dataset: other.convention)
        #expect(errors(network, other) == [expected, expected])
        for value in own.normalization.mean + other.normalization.standardDeviation {
            #expect(expected.description.contains("\(value)"))
        }
    }

    @Test("images of another shape are refused by a network of rows, were they of as many values")
    func image() throws {
        let network = try seed()
        func turned(_ split: Split) -> Split {
            Split(
                shape: ImageShape(height: 1, width: 9, channels: 1), images: split.images,
                labels: split.labels)
        }
        let other = Dataset(
            identity: own.identity, classes: own.classes, train: turned(own.train),
            validation: turned(own.validation), test: turned(own.test))
        let expected = TrainingError.dataDiffers(network: own.convention, dataset: other.convention)
        #expect(errors(network, other) == [expected, expected])
        #expect(expected.description.contains("[3, 3, 1]") && expected.description.contains("[1, 9, 1]"))
    }

    @Test("the same classes in another order, or under other names, are refused with the first that differs")
    func classes() throws {
        let network = try seed()
        for (classes, label) in [([0, 2, 1, 3], 1), ([0, 1, 2, 9], 3)] {
            let names = classes.map { "class \($0)" }
            let expected = TrainingError.classesDiffer(
                label: label, network: "class \(label)", dataset: names[label])
            #expect(errors(network, changed(classes: names)) == [expected, expected])
        }
    }

    @Test("a network that has seen no data takes any")
    func untrained() throws {
        var network = try seed()
        network.data = nil
        #expect(errors(network, changed(classes: ["a", "b", "c", "d"])) == [nil, nil])
    }
}
