import Datasets
import Foundation
import HDF5
import Networks
import Parameters
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite("Evaluation")
struct EvaluationTests {
    /// A network whose outputs are chosen: one input, the outputs are its multiples.
    private func linear(_ weights: [Float]) throws -> Network {
        let architecture = try Architecture(
            inputShape: [1],
            nodes: [.init("output", Linear(width: weights.count, bias: false), inputs: ["input"])])
        return try Network(
            architecture, parameters: ["output/weight": Tensor(shape: [weights.count, 1], values: weights)])
    }

    /// Samples of one value; the training split has mean 127.5 and deviation 127.5, so 0 and 255 become -1 and 1.
    private func dataset(_ values: [UInt8], _ labels: [Int32], classes: Int) -> Datasets.Dataset {
        let shape = ImageShape(height: 1, width: 1, channels: 1)
        return Dataset(
            identity: .init(name: "signs", title: "", licence: "", citation: ""),
            classes: (0..<classes).map(String.init),
            train: Split(shape: shape, images: [0, 255], labels: [0, 1]),
            validation: .empty(shape), test: Split(shape: shape, images: values, labels: labels))
    }

    @Test("accuracy, loss, confusion, calibration and predictions are those computed by hand")
    func byHand() throws {
        // Outputs (-1, 1, 0) for 255 and (1, -1, 0) for 0: confidence e / (e + 1 + 1/e) always.
        let data = dataset([255, 255, 0, 0, 0], [1, 0, 0, 0, 1], classes: 3)
        let found = try evaluate(
            EvaluationParameters(loss: LossParameters(labelSmoothing: 0.3)), dataset: data,
            network: linear([-1, 1, 0]))
        #expect(found.samples == 5 && found.predictions == [1, 1, 0, 0, 0])
        #expect(found.accuracy == 0.6)
        #expect(found.confusion == [[2, 1, 0], [1, 1, 0], [0, 0, 0]])
        #expect(found.perClass[0] == 2.0 / 3 && found.perClass[1] == 0.5 && found.perClass[2].isNaN)
        let sum = M_E + 1 + 1 / M_E
        // Without smoothing: three samples lose log sum - 1, two log sum + 1.
        #expect(abs(found.loss - (log(sum) - 1.0 / 5)) < 1e-6)
        let confidence = M_E / sum
        let bin = Int(confidence * 15)
        #expect(found.calibration.counts[bin] == 5 && found.calibration.counts.reduce(0, +) == 5)
        #expect(abs(found.calibration.confidence[bin] - confidence) < 1e-6)
        #expect(found.calibration.accuracy[bin] == 0.6)
        #expect(abs(found.calibration.expectedError - abs(0.6 - confidence)) < 1e-6)
    }

    @Test("several chunks and threads give one result", arguments: [511, 512, 513, 1100])
    func chunks(count: Int) throws {
        let data = prototypes(train: 50, test: count, validation: count)
        let network = try trainSeed(seedParameters(), dataset: data)
        let parameters = EvaluationParameters(loss: LossParameters())
        let one = try evaluate(parameters, dataset: data, network: network)
        #expect(try evaluate(parameters, dataset: data, network: network, threads: 3) == one)
        #expect(one.predictions.count == count && one.confusion.flatMap { $0 }.reduce(0, +) == count)
        let right = zip(one.predictions, data.test.labels).count { $0 == Int($1) }
        #expect(one.accuracy == Double(right) / Double(count))
        let evaluator = Evaluator(
            network.architecture, ParameterArena(ParameterLayout(network.architecture), network.parameters),
            Batches(data.test, data.normalization))
        let sums = try evaluator.sums(LossParameters(), threads: 2)
        #expect(sums.correct == right && abs(sums.loss / Double(count) - one.loss) < 1e-9)
    }

    @Test("with mirror images, outputs are the means for both, and stand apart", arguments: [1, 3])
    func mirrored(threads: Int) throws {
        let data = prototypes(train: 50, test: 600, noise: 60)
        let network = try trainSeed(seedParameters(), dataset: data)
        func found(_ data: Datasets.Dataset, flip: Bool) throws -> Evaluation {
            try evaluate(
                EvaluationParameters(choices: EvaluationChoices(flip: flip)), dataset: data, network: network,
                threads: threads)
        }
        var twice = try found(data, flip: true)
        let mirrored = try #require(twice.mirrored)
        twice.mirrored = nil
        #expect(try twice == found(data, flip: false))
        func outputs(_ images: [UInt8]) throws -> [Float] {
            let split = Split(shape: data.test.shape, images: images, labels: data.test.labels)
            let layout = ParameterLayout(network.architecture)
            return try Evaluator(
                network.architecture, ParameterArena(layout, network.parameters),
                Batches(split, data.normalization)
            ).outputs(LossParameters(), threads: 1).values
        }
        // Rows of three pixels, read backwards.
        let turned = data.test.images.indices.map { data.test.images[$0 - $0 % 3 + 2 - $0 % 3] }
        let pairs = try zip(outputs(data.test.images), outputs(turned)).map { (Double($0) + Double($1)) / 2 }
        var correct = 0, loss = 0.0
        for (index, label) in data.test.labels.enumerated() {
            let row = Array(pairs[index * 4..<(index + 1) * 4])
            correct += row.firstIndex(of: row.max() ?? 0) == Int(label) ? 1 : 0
            loss += log(row.reduce(0) { $0 + exp($1) }) - row[Int(label)]
        }
        #expect(mirrored.accuracy == Double(correct) / 600 && mirrored.accuracy != twice.accuracy)
        #expect(abs(mirrored.loss - loss / 600) < 1e-5)
    }

    @Test("outputs that overflow are an error, not a crash", arguments: LossParameters.functions.all)
    func overflow(function: any LossFunction) throws {
        let architecture = try Architecture(
            inputShape: [1],
            nodes: [
                .init("hidden", Linear(width: 1, bias: false), inputs: ["input"]),
                .init("output", Linear(width: 2, bias: false), inputs: ["hidden"]),
            ])
        let network = try Network(
            architecture,
            parameters: [
                "hidden/weight": Tensor(shape: [1, 1], values: [1e30]),
                "output/weight": Tensor(shape: [2, 1], values: [1e30, -1e30]),
            ])
        let error = TrainingError.outputsNotFinite(split: "test")
        #expect(throws: error) {
            try evaluate(
                EvaluationParameters(loss: LossParameters(function: function)),
                dataset: dataset([0, 255], [0, 1], classes: 2),
                network: network)
        }
        #expect(error.exitCode == 65 && "\(error)".contains("test"))
    }

    @Test("the artifact holds everything with its shape, and the summary reads back")
    func content() throws {
        let data = prototypes(train: 50, test: 30)
        let evaluation = try evaluate(
            EvaluationParameters(loss: LossParameters()), dataset: data,
            network: trainSeed(seedParameters(epochs: 4), dataset: data))
        let content = evaluation.content
        #expect(
            content.datasets.keys.sorted() == ["accuracy", "confusion", "loss", "per_class", "predictions"])
        #expect(content["accuracy"]?.values == .float64([evaluation.accuracy]))
        #expect(content["confusion"]?.shape == [4, 4] && content["per_class"]?.shape == [4])
        #expect(content["confusion"]?.values == .int64(evaluation.confusion.flatMap { $0 }.map(Int64.init)))
        #expect(content["predictions"]?.values == .int64(evaluation.predictions.map(Int64.init)))
        let calibration = content[group: "calibration"]
        #expect(
            calibration.attributes["NX_class"] == "NXdata" && calibration.attributes["signal"] == "accuracy")
        #expect(calibration.attributes["expected_error"] == .real(evaluation.calibration.expectedError))
        #expect(calibration.datasets.values.allSatisfy { $0.shape == [15] })
        let folder = TemporaryFolder()
        try content.write(to: folder.path("evaluation.h5"))
        let summary = try Evaluation.summary(reading: File(reading: folder.path("evaluation.h5")))
        #expect(summary.accuracy == evaluation.accuracy && summary.loss == evaluation.loss)
        var twice = evaluation
        twice.mirrored = .init(accuracy: 0.25, loss: 1.5)
        try twice.content.write(to: folder.path("twice.h5"))
        for (file, expected) in [("evaluation.h5", nil), ("twice.h5", twice.mirrored)] {
            let found = try Evaluation.mirrored(reading: File(reading: folder.path(file)))
            #expect(found == expected)
        }
    }
}
