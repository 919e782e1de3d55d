package import Networks
package import Tensors

/// One width of a network that can grow: the layer that makes it, what lies between, the layer that reads it.
///
/// Named after its producer. A width is growable if one linear layer makes it, only element-wise nodes with
/// σ(0) = 0 follow, and one linear layer reads the result; the network's own output is none.
package struct GrowthSite: Sendable, Equatable {
    /// P: the linear node whose outputs are the width.
    package let producer: String
    /// Activations and dropouts between producer and consumer, in order.
    package let between: [String]
    /// Q: the linear node that reads the width.
    package let consumer: String
    /// Neurons now.
    package let width: Int
    package let producerHasBias: Bool
    package let consumerHasBias: Bool
    /// σ₀ of everything between.
    package let slopes: SlopesAtZero
    /// The gain that keeps variances through the activation.
    package let gain: Double
    /// The node that gives X, or the data.
    package let producerInput: String
    /// The node that gives H.
    package let consumerInput: String

    package var name: String { producer }

    /// Every growable width of a network, in the order of its nodes.
    package static func all(in architecture: Architecture) -> [GrowthSite] {
        architecture.nodes.compactMap { GrowthSite(producer: $0, in: architecture) }
    }

    private init?(producer node: Architecture.Node, in architecture: Architecture) {
        guard let linear = node.operation as? Linear, let input = node.inputs.first else { return nil }
        var between: [String] = []
        var last = node.name
        var slopes = SlopesAtZero.unit
        while true {
            let readers = architecture.consumers(of: last)
            guard readers.count == 1, let reader = readers.first else { return nil }
            if let consumer = reader.operation as? Linear {
                self.consumer = reader.name
                consumerHasBias = consumer.bias
                break
            }
            if let activation = reader.operation as? Activation {
                slopes = slopes.followed(by: SlopesAtZero(activation.function))
            } else if !(reader.operation is Dropout) {
                return nil
            }
            between.append(reader.name)
            last = reader.name
        }
        producer = node.name
        self.between = between
        width = linear.width
        producerHasBias = linear.bias
        self.slopes = slopes
        gain = architecture.initializationGain(after: node.name)
        producerInput = input
        consumerInput = last
    }
}

extension SlopesAtZero {
    package init(_ function: Activation.Function) {
        let slopes = function.slopesAtZero
        self.init(right: slopes.right, left: slopes.left)
    }

    /// σ₀ of another activation after this one.
    func followed(by next: SlopesAtZero) -> SlopesAtZero {
        SlopesAtZero(
            right: right * (right >= 0 ? next.right : next.left),
            left: left * (left >= 0 ? next.left : next.right))
    }
}

extension GrowthSite {
    /// The producer's weights, [width, a], its bias as the last column if it has one.
    package func producerWeights(of network: Network) -> Matrix { network.extendedWeights(of: producer) }

    /// The consumer's weights, [c, b], its bias as the last column if it has one.
    package func consumerWeights(of network: Network) -> Matrix { network.extendedWeights(of: consumer) }

    /// Parameters that one neuron adds: a + c.
    package func parametersPerNeuron(in network: Network) -> Int {
        producerWeights(of: network).columns + consumerWeights(of: network).rows
    }
}

extension Network {
    /// W [out, in] of a linear node with b as a last column.
    fileprivate func extendedWeights(of node: String) -> Matrix {
        guard let weight = parameters["\(node)/weight"] else {
            preconditionFailure("no linear node '\(node)'")
        }
        let matrix = Matrix(rows: weight.shape[0], columns: weight.shape[1], widening: weight.values)
        guard let bias = parameters["\(node)/bias"] else { return matrix }
        return matrix.appending(columns: Matrix(rows: weight.shape[0], columns: 1, widening: bias.values))
    }
}
