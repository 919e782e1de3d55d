import Parameters
import Foundation
import GrowthMath
import Tensors

@testable import Growth

enum ReferenceActivation: String {
    case relu, selu, tanh

    func callAsFunction(_ z: Double) -> Double {
        switch self {
        case .relu: max(z, 0)
        case .tanh: Foundation.tanh(z)
        case .selu:
            SlopesAtZero.selu.right
                * (z > 0 ? z : SlopesAtZero.selu.left / SlopesAtZero.selu.right * expm1(min(z, 0)))
        }
    }

    func derivative(_ z: Double) -> Double {
        switch self {
        case .relu: z > 0 ? 1 : 0
        case .tanh: 1 - Foundation.tanh(z) * Foundation.tanh(z)
        case .selu: z > 0 ? SlopesAtZero.selu.right : SlopesAtZero.selu.left * exp(z)
        }
    }
}

enum ReferenceTarget {
    case classes([Int])
    case values(Matrix)

    /// Each sample's loss, and its gradient with respect to the outputs.
    func lossAndGradient(_ outputs: Matrix) -> (losses: [Double], gradient: Matrix) {
        var gradient = Matrix(rows: outputs.rows, columns: outputs.columns)
        var losses: [Double] = []
        for sample in 0..<outputs.rows {
            let row = outputs.row(sample)
            switch self {
            case .classes(let labels):
                let largest = row.max() ?? 0
                let logSum = largest + log(row.reduce(0) { $0 + exp($1 - largest) })
                losses.append(logSum - row[labels[sample]])
                for column in row.indices {
                    gradient[sample, column] = exp(row[column] - logSum) - (column == labels[sample] ? 1 : 0)
                }
            case .values(let target):
                losses.append(row.indices.reduce(0) { $0 + pow(row[$1] - target[sample, $1], 2) })
                for column in row.indices {
                    gradient[sample, column] = 2 * (row[column] - target[sample, column])
                }
            }
        }
        return (losses, gradient)
    }

    func meanLoss(_ outputs: Matrix) -> Double {
        lossAndGradient(outputs).losses.reduce(0, +) / Double(outputs.rows)
    }
}

/// A fully connected network in Float64, written for these tests alone.
struct ReferenceNetwork {
    struct Layer {
        var weights: Matrix
        var bias: [Double]?

        /// The weights with the bias as the last column.
        var extended: Matrix {
            guard let bias else { return weights }
            return weights.appending(columns: Matrix(rows: bias.count, columns: 1, values: bias))
        }

        init(weights: Matrix, bias: [Double]?) {
            self.weights = weights
            self.bias = bias
        }

        /// The inverse of ``extended``.
        init(extended: Matrix, hasBias: Bool) {
            weights = extended.selecting(columns: 0..<extended.columns - (hasBias ? 1 : 0))
            bias = hasBias ? extended.column(extended.columns - 1) : nil
        }
    }

    var layers: [Layer]
    var activation: ReferenceActivation

    /// The input of each layer (ones last where it has a bias), its output before the activation.
    func forward(_ samples: Matrix) -> (inputs: [Matrix], outputs: [Matrix]) {
        var inputs: [Matrix] = []
        var outputs: [Matrix] = []
        var hidden = samples
        for layer in layers {
            inputs.append(layer.bias == nil ? hidden : hidden.appendingOnes)
            outputs.append(inputs[inputs.count - 1].timesTransposed(layer.extended))
            hidden = outputs[outputs.count - 1].mapping { activation($0) }
        }
        return (inputs, outputs)
    }

    func output(_ samples: Matrix) -> Matrix { forward(samples).outputs[layers.count - 1] }

    /// X, H and G of the site between layer − 1 and layer.
    func site(_ layer: Int, _ samples: Matrix, _ target: ReferenceTarget) -> (x: Matrix, h: Matrix, g: Matrix)
    {
        let (inputs, outputs) = forward(samples)
        var gradient = target.lossAndGradient(outputs[layers.count - 1]).gradient
        for index in stride(from: layers.count - 1, to: layer, by: -1) {
            let back = gradient.times(layers[index].weights)
            let slope = outputs[index - 1].mapping { activation.derivative($0) }
            gradient = Matrix(
                rows: back.rows, columns: back.columns, values: zip(back.values, slope.values).map(*))
        }
        return (inputs[layer - 1], inputs[layer], -gradient)
    }

    /// The network grown at the input of `layer`: neurons appended last at amplitude γ, the consumer moved by γ δW.
    func grown(_ layer: Int, _ neurons: NewNeurons, update: Matrix?, amplitude: Double) -> ReferenceNetwork {
        var result = self
        let scaled = neurons.scaled(by: amplitude)
        let (producer, consumer) = (layers[layer - 1], layers[layer])
        result.layers[layer - 1] = Layer(
            extended: producer.extended.appending(rows: scaled.fanIn), hasBias: producer.bias != nil)
        let moved = Layer(
            extended: update.map { consumer.extended + amplitude * $0 } ?? consumer.extended,
            hasBias: consumer.bias != nil)
        result.layers[layer] = Layer(
            weights: moved.weights.appending(columns: scaled.fanOut), bias: moved.bias)
        return result
    }

    func meanLoss(_ samples: Matrix, _ target: ReferenceTarget) -> Double { target.meanLoss(output(samples)) }
}
