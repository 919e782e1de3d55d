@testable import Networks
import Parameters
import Tensors

@testable import Growth

/// Small networks with widths that several layers make and read, over images of 2 x 6 x 6.
enum ResidualNetworks {
    typealias Node = Architecture.Node

    /// A residual network of three stages with normalisations that have seen something.
    static func network(
        _ order: ResNet.Order, _ normalization: NormalizationChoice = .batch,
        activation: Activation.Function = .relu
    ) throws -> Network {
        let family = ResNet(
            depth: 8, width: 3, inner: .factor(1), order: order, normalization: normalization,
            activation: activation, bias: normalization == .none)
        var network = try Network(
            initializing: family.architecture(sample: [2, 6, 6], outputs: 3), seed: 2)
        var random = Philox(seed: 3, purpose: .growth)
        for (name, tensor) in network.state.sorted(by: { $0.key < $1.key }) {
            let drawn = random.normal(tensor.count, deviation: 0.2)
            network.state[name]?.values = name.hasSuffix("running_var") ? drawn.map { 0.6 + abs($0) } : drawn
        }
        network.drawBiases(&random)
        return network
    }

    /// Two producers, "stem" and "back", and two consumers, "inner" and "last", of which "inner" stands before "back".
    static func twoByTwo(_ activation: Activation.Function, pool: Pooling.Function? = nil) throws -> Network {
        let same = Window(kernel: Extent(3, 3), padding: Extent(1, 1))
        let halving = Window(kernel: Extent(2, 2), stride: Extent(2, 2))
        var nodes = [
            Node("stem", Convolution(width: 3, window: same), inputs: ["input"]),
            Node("activation", Activation(activation), inputs: ["stem"]),
            Node("inner", Convolution(width: 4, window: same), inputs: ["activation"]),
            Node("inner-activation", Activation(activation), inputs: ["inner"]),
            Node("back", Convolution(width: 3, window: same, bias: false), inputs: ["inner-activation"]),
            Node("add", Add(), inputs: ["activation", "back"]),
        ]
        if let pool { nodes.append(Node("halve", Pooling(pool, window: halving), inputs: ["add"])) }
        nodes += [
            Node(
                "last",
                Convolution(
                    width: 4,
                    window: Window(kernel: Extent(3, 3), stride: Extent(2, 2), padding: Extent(1, 1))),
                inputs: [pool == nil ? "add" : "halve"]),
            Node("last-activation", Activation(.tanh), inputs: ["last"]),
            Node("flatten", Flatten(), inputs: ["last-activation"]),
            Node("output", Linear(width: 3), inputs: ["flatten"]),
        ]
        var network = try Network(
            initializing: Architecture(inputShape: [2, 6, 6], nodes: nodes), seed: 4)
        var random = Philox(seed: 6, purpose: .growth)
        network.drawBiases(&random)
        return network
    }
}

extension Network {
    fileprivate mutating func drawBiases(_ random: inout Philox) {
        for (name, tensor) in parameters.sorted(by: { $0.key < $1.key }) where name.hasSuffix("/bias") {
            parameters[name]?.values = random.normal(tensor.count, deviation: 0.2)
        }
    }
}
