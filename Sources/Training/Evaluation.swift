package import Datasets
internal import Foundation
package import Networks
internal import Tensors

/// What the stage evaluate measures on the test split.
package struct Evaluation: Equatable, Sendable {
    /// Share of samples classified correctly.
    package var accuracy: Double
    /// Mean loss, without label smoothing.
    package var loss: Double
    /// n
    package var samples: Int
    /// [true class][predicted class], counts.
    package var confusion: [[Int]]
    /// The most likely class of each sample, [n].
    package var predictions: [Int]
    package var calibration: Calibration
    /// Accuracy and loss by the mean of the outputs for each image and its mirror image, where asked for.
    package var mirrored: Mirrored?

    package struct Mirrored: Equatable, Sendable {
        package var accuracy: Double
        package var loss: Double
    }

    /// The correct share of each class, NaN for a class without samples.
    package var perClass: [Double] {
        confusion.enumerated().map { label, row in Double(row[label]) / Double(row.reduce(0, +)) }
    }
}

/// How far predicted probabilities are from observed frequencies (Guo et al., 2017).
package struct Calibration: Equatable, Sendable {
    /// Equal parts of [0, 1] that confidences fall into.
    package static let bins = 15

    /// Per bin: samples, mean confidence and share of correct ones (0 where the bin is empty).
    package var counts = [Int](repeating: 0, count: bins)
    package var confidence = [Double](repeating: 0, count: bins)
    package var accuracy = [Double](repeating: 0, count: bins)

    /// Σ over bins of (samples / n) |accuracy - confidence|.
    package var expectedError: Double {
        let total = Double(counts.reduce(0, +))
        return counts.indices.reduce(0) {
            $0 + Double(counts[$1]) / total * abs(accuracy[$1] - confidence[$1])
        }
    }
}

/// Measures a network on the test split.
///
/// - Throws: `TrainingError`; `.outputsNotFinite` where finite parameters give outputs that are not.
package func evaluate(
    _ parameters: EvaluationParameters, dataset: Dataset, network: Network, threads: Int = 1
) throws -> Evaluation {
    try checkFits(network, dataset)
    let network = parameters.choices.weights == .average ? network.averaged : network
    let test = dataset.test
    guard test.count > 0 else { throw TrainingError.emptySplit("test") }
    let layout = ParameterLayout(network.architecture)
    let evaluator = Evaluator(
        network.architecture, ParameterArena(layout, network.parameters),
        state: ParameterArena(.state(network.architecture), network.state),
        Batches(test, dataset.normalization, shape: network.architecture.inputShape))
    let loss = parameters.loss.withoutSmoothing
    let (outputs, sums) = try evaluator.outputs(loss, threads: threads)
    let classes = dataset.classes.count
    let mirrored =
        parameters.choices.flip ? try evaluator.outputs(loss, mirrors: true, threads: threads).sums : nil
    guard sums.loss.isFinite, mirrored?.loss.isFinite ?? true else {
        throw TrainingError.outputsNotFinite(split: "test")
    }

    var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
    var predictions: [Int] = []
    var calibration = Calibration()
    for (index, label) in test.labels.enumerated() {
        let (prediction, confidence) = mostLikely(outputs[index * classes..<(index + 1) * classes])
        predictions.append(prediction)
        confusion[Int(label)][prediction] += 1
        calibration.add(confidence: confidence, isCorrect: prediction == Int(label))
    }
    calibration.average()
    return Evaluation(
        accuracy: Double(sums.correct) / Double(test.count), loss: sums.loss / Double(test.count),
        samples: test.count, confusion: confusion, predictions: predictions, calibration: calibration,
        mirrored: mirrored.map {
            Evaluation.Mirrored(
                accuracy: Double($0.correct) / Double(test.count), loss: $0.loss / Double(test.count))
        })
}

extension Calibration {
    /// Adds one sample to the sums of its bin.
    fileprivate mutating func add(confidence sample: Double, isCorrect: Bool) {
        let bin = min(Int(sample * Double(Self.bins)), Self.bins - 1)
        counts[bin] += 1
        confidence[bin] += sample
        accuracy[bin] += isCorrect ? 1 : 0
    }

    /// Makes means of the sums.
    fileprivate mutating func average() {
        for bin in 0..<Self.bins where counts[bin] > 0 {
            confidence[bin] /= Double(counts[bin])
            accuracy[bin] /= Double(counts[bin])
        }
    }
}

/// The position of the largest output, the first of equals, and its softmax probability.
private func mostLikely(_ outputs: ArraySlice<Float>) -> (index: Int, probability: Double) {
    var best = outputs.startIndex
    for index in outputs.indices where outputs[index] > outputs[best] { best = index }
    let maximum = Double(outputs[best])
    let sum = outputs.reduce(0.0) { $0 + exp(Double($1) - maximum) }
    return (best - outputs.startIndex, 1 / sum)
}
