import Datasets
import Foundation
@testable import Networks
import Tensors
import Testing

@testable import Training

/// A whole network, its loss and how its batch is cut.
struct WholeCase: Sendable, CustomTestStringConvertible {
    var network: MLP
    var loss: LossParameters
    var shards: Int

    var testDescription: String {
        "\(network.widths) \(network.activation) bias \(network.bias), \(loss.function) \(loss.labelSmoothing), \(shards) shards"
    }

    static let all = zip(
        [
            MLP(widths: [7], activation: .relu),
            MLP(widths: [5, 9], activation: .selu),
            MLP(widths: [4, 3, 6], activation: .gelu),
            MLP(widths: [33, 26], activation: .tanh),
            MLP(widths: [8, 2], activation: .identity),
            MLP(widths: [6, 5], activation: .gelu, bias: false),
            MLP(widths: [1], activation: .tanh),
        ], [1, 2, 3, 5, 2, 3, 2]
    ).flatMap { network, shards in losses.map { WholeCase(network: network, loss: $0, shards: shards) } }
}

/// Everything against an independent implementation in Float64.
@Suite("Training against a Float64 reference")
struct ReferenceTests {
    private let dataset = prototypes(train: 23)

    @Test("the gradient of a whole network is the reference's", arguments: WholeCase.all)
    func gradient(given: WholeCase) throws {
        let architecture = try given.network.architecture(sample: [9], outputs: 4)
        var start = try Network(initializing: architecture, seed: 3)
        for (index, name) in start.parameters.keys.sorted().enumerated() where name.hasSuffix("bias") {
            var random = Philox(seed: 1, purpose: .growth, index: index)
            let count = start.parameters[name]?.count ?? 0
            start.parameters[name]?.values = random.normal(count, deviation: 0.3)
        }
        // One step of the whole split, momentum 0 and rate 1: what the parameters lost is the gradient.
        var training = TrainingParameters(epochs: 1, batch: 23, shards: given.shards)
        training.optimizer = OptimizerParameters(rule: SGD(momentum: 0), rate: 1)
        let end = try #require(
            try fineTune(
                TuneParameters(training: training, loss: given.loss, seed: 1), dataset: dataset,
                network: start))
        let reference = ReferenceMLP(start, activation: given.network.activation, loss: given.loss)
        let (loss, layers) = reference.lossAndGradient(dataset.referenceSamples, dataset.referenceLabels)
        #expect(abs(end.history.epochs[0].loss - loss) < 1e-6 * (1 + loss))
        let expected = ReferenceMLP.named(layers, like: start)
        #expect(expected.keys.sorted() == start.parameters.keys.sorted())
        for (name, values) in expected {
            let before = try #require(start.parameters[name]).values,
                after = try #require(end.parameters[name]).values
            for index in values.indices {
                let found = Double(before[index]) - Double(after[index])
                #expect(abs(found - values[index]) < 2e-6 * (1 + abs(values[index])), "\(name)[\(index)]")
            }
        }
    }

    @Test("the reference's own gradient is that of central differences", arguments: losses)
    func referenceGradient(loss: LossParameters) throws {
        for activation in Activation.Function.allCases {
            let architecture = try NetworkParameters(widths: [5, 4], activation: activation)
                .architecture(sample: [9], outputs: 4)
            let network = try Network(initializing: architecture, seed: 3)
            let reference = ReferenceMLP(network, activation: activation, loss: loss)
            let samples = dataset.referenceSamples, labels = dataset.referenceLabels
            let gradient = reference.lossAndGradient(samples, labels).gradient
            for layer in gradient.indices {
                for row in gradient[layer].bias.indices {
                    func moved(_ by: Double) -> Double {
                        var other = reference
                        other.layers[layer].weight[row][1] += by
                        other.layers[layer].bias[row] += 2 * by
                        return other.lossAndGradient(samples, labels).loss
                    }
                    let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6
                    let expected = gradient[layer].weight[row][1] + 2 * gradient[layer].bias[row]
                    #expect(
                        abs(difference - expected) < 1e-7 * (1 + abs(expected)),
                        "\(activation) \(layer) \(row)")
                }
            }
        }
    }

    @Test("the losses of ten steps are the reference's, for every loss", arguments: losses)
    func tenSteps(loss: LossParameters) throws {
        let network = NetworkParameters(widths: [6, 5], activation: .selu)
        let optimizer = OptimizerParameters(rule: SGD(nesterov: true), rate: 0.05, weightDecay: 0.01)
        // The batch is the split, so that an epoch is a step and the history holds every step's loss.
        let parameters = seedParameters(
            network, epochs: 10, batch: 23, shards: 3, optimizer: optimizer, loss: loss)
        let trained = try trainSeed(parameters, dataset: dataset)

        let start = try Network(
            initializing: network.architecture(sample: [9], outputs: 4), seed: parameters.seed)
        var reference = ReferenceMLP(start, activation: .selu, loss: loss)
        var velocity = reference.layers.map { layer in
            ReferenceMLP.Layer(
                weight: layer.weight.map { $0.map { _ in 0 } }, bias: layer.bias.map { _ in 0 })
        }
        for step in 0..<10 {
            let (expected, gradient) = reference.lossAndGradient(
                dataset.referenceSamples, dataset.referenceLabels)
            let found = trained.history.epochs[step].loss
            #expect(abs(found - expected) < 1e-5 * expected, "step \(step): \(found), \(expected)")
            func move(_ weight: inout Double, _ velocity: inout Double, _ slope: Double) {
                let slope = slope + 0.01 * weight
                velocity = 0.9 * velocity + slope
                weight -= 0.05 * (slope + 0.9 * velocity)
            }
            for layer in gradient.indices {
                for row in gradient[layer].bias.indices {
                    move(
                        &reference.layers[layer].bias[row], &velocity[layer].bias[row],
                        gradient[layer].bias[row])
                    for column in gradient[layer].weight[row].indices {
                        move(
                            &reference.layers[layer].weight[row][column],
                            &velocity[layer].weight[row][column],
                            gradient[layer].weight[row][column])
                    }
                }
            }
        }
    }
}
