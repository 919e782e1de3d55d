import Datasets
import Foundation
import Networks
import Tensors

@testable import Training

/// An MLP in Float64 with loops instead of products: slow, short and written from the formulas alone.
struct ReferenceMLP {
    /// One layer: W [out][in] and b [out].
    struct Layer {
        var weight: [[Double]]
        var bias: [Double]
    }

    var layers: [Layer]
    var activation: Activation.Function
    var loss: LossParameters

    init(_ network: Network, activation: Activation.Function, loss: LossParameters) {
        self.activation = activation
        self.loss = loss
        layers = network.architecture.nodes.filter { $0.operation is Linear }.map { node in
            let weight = network.parameters["\(node.name)/weight"] ?? Tensor(repeating: 0, shape: [0, 0])
            let bias = network.parameters["\(node.name)/bias"]?.values
            let columns = weight.shape[1]
            return Layer(
                weight: (0..<weight.shape[0]).map { row in
                    weight.values[row * columns..<(row + 1) * columns].map(Double.init)
                },
                bias: bias?.map(Double.init) ?? [Double](repeating: 0, count: weight.shape[0]))
        }
    }

    private func value(_ x: Double) -> Double {
        switch activation {
        case .relu: max(x, 0)
        case .selu: 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x))
        case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
        case .tanh: Foundation.tanh(x)
        case .identity: x
        }
    }

    private func slope(_ x: Double) -> Double {
        switch activation {
        case .relu: x > 0 ? 1 : 0
        case .selu: 1.0507009873554805 * (x > 0 ? 1 : 1.6732632423543772 * exp(x))
        case .gelu: 0.5 * erfc(-x / 2.0.squareRoot()) + x * exp(-x * x / 2) / (2 * .pi).squareRoot()
        case .tanh: 1 - Foundation.tanh(x) * Foundation.tanh(x)
        case .identity: 1
        }
    }

    /// The mean loss over samples, and its gradient in the shape of the layers.
    func lossAndGradient(_ samples: [[Double]], _ labels: [Int]) -> (loss: Double, gradient: [Layer]) {
        var total = 0.0
        var gradient = layers.map { layer in
            Layer(
                weight: layer.weight.map { $0.map { _ in 0 } }, bias: layer.bias.map { _ in 0 })
        }
        for (sample, label) in zip(samples, labels) {
            var inputs = [sample], sums: [[Double]] = []
            for layer in layers {
                let input = inputs[inputs.count - 1]
                let sum = zip(layer.weight, layer.bias).map { row, bias in
                    zip(row, input).reduce(bias) { $0 + $1.0 * $1.1 }
                }
                sums.append(sum)
                inputs.append(sum.map(value))
            }
            let output = sums[sums.count - 1]
            let (own, outputGradient) = rowLoss(output, label)
            total += own
            var delta = outputGradient
            for index in layers.indices.reversed() {
                for (row, slope) in delta.enumerated() {
                    gradient[index].bias[row] += slope / Double(samples.count)
                    for column in inputs[index].indices {
                        gradient[index].weight[row][column] +=
                            slope * inputs[index][column] / Double(samples.count)
                    }
                }
                guard index > 0 else { continue }
                delta = sums[index - 1].indices.map { column in
                    delta.indices.reduce(0) { $0 + delta[$1] * layers[index].weight[$1][column] }
                        * slope(sums[index - 1][column])
                }
            }
        }
        return (total / Double(samples.count), gradient)
    }

    private func rowLoss(_ output: [Double], _ label: Int) -> (Double, [Double]) {
        let smoothing = loss.labelSmoothing, classes = Double(output.count)
        let targets = output.indices.map { smoothing / classes + ($0 == label ? 1 - smoothing : 0) }
        switch loss.function {
        case is CrossEntropy:
            let top = output.max() ?? 0
            let logSum = top + log(output.reduce(0) { $0 + exp($1 - top) })
            return (
                zip(targets, output).reduce(0) { $0 + $1.0 * (logSum - $1.1) },
                zip(targets, output).map { exp($1 - logSum) - $0 }
            )
        default:
            return (
                zip(targets, output).reduce(0) { $0 + ($1.1 - $1.0) * ($1.1 - $1.0) },
                zip(targets, output).map { 2 * ($1 - $0) }
            )
        }
    }

    /// Gradients by parameter name, as the network lays them out.
    static func named(_ gradient: [Layer], like network: Network) -> [String: [Double]] {
        var result: [String: [Double]] = [:]
        let nodes = network.architecture.nodes.filter { $0.operation is Linear }
        for (node, layer) in zip(nodes, gradient) {
            result["\(node.name)/weight"] = layer.weight.flatMap { $0 }
            if network.parameters["\(node.name)/bias"] != nil { result["\(node.name)/bias"] = layer.bias }
        }
        return result
    }
}

extension Dataset {
    /// The normalised training samples in their order, in Float64.
    var referenceSamples: [[Double]] {
        let channels = shape.channels
        return (0..<train.count).map { row in
            (0..<shape.count).map { place in
                let raw = Double(train.images[row * shape.count + place]) / 255
                let deviation = Double(normalization.standardDeviation[place % channels])
                return (raw - Double(normalization.mean[place % channels])) / deviation
            }
        }
    }

    var referenceLabels: [Int] { train.labels.map(Int.init) }
}
