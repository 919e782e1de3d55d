import Artifacts
import HDF5
@testable import Networks
import Parameters
import Tensors
import TestSupport
import Testing

@testable import Training

/// A network, a batch, and the passes that are compared.
struct InteropCase: Sendable {
    var name: String
    var network: NetworkParameters
    /// [channels, height, width]
    var sample = [2, 8, 8]
    var loss: any LossFunction = CrossEntropy()
    /// Dropout draws its masks otherwise than PyTorch: networks that have some are compared in evaluation alone.
    var modes = ["evaluation", "training"]

    static let rows = 12
    static let classes = 5

    static let all = connected + convolutional + residual + everyOperation

    private static let connected =
        [
            InteropCase(name: "mlp", network: NetworkParameters(widths: [9, 7], activation: .selu)),
            InteropCase(
                name: "mlp-squared",
                network: NetworkParameters(widths: [6, 1], activation: .tanh, bias: false),
                loss: SquaredError()),
            InteropCase(
                name: "mlp-dropout",
                network: NetworkParameters(widths: [8, 8], activation: .relu, dropout: 0.5),
                modes: ["evaluation"]),
        ]
        + Activation.Function.allCases.map { function in
            InteropCase(
                name: "mlp-\(function.rawValue)",
                network: NetworkParameters(widths: [8, 8], activation: function))
        }

    private static let convolutional = [
        vgg("vgg", VGG(stages: [[8], [16, 17]], classifier: [11])),
        vgg("vgg-plain", VGG(stages: [[3, 5], [33]], normalization: .none, bias: true)),
        vgg(
            "vgg-average",
            VGG(
                stages: [[6], [20], [1]], kernel: 5, activation: .selu, pooling: .average, head: .global,
                bias: true)),
        vgg("vgg-layer", VGG(stages: [[4, 4]], activation: .gelu, normalization: .layer, head: .global)),
        InteropCase(
            name: "vgg-odd", network: NetworkParameters(VGG(stages: [[16], [8]], activation: .tanh)),
            sample: [3, 11, 7], loss: SquaredError()),
    ]

    private static let residual = [
        InteropCase(name: "resnet", network: NetworkParameters(ResNet(depth: 8, width: 8))),
        InteropCase(
            name: "resnet-empty",
            network: NetworkParameters(ResNet(depth: 14, width: 6, inner: .widths([0, 3, 2, 0, 0, 16])))),
        InteropCase(
            name: "resnet-pre-activation",
            network: NetworkParameters(
                ResNet(depth: 14, width: 5, inner: .factor(0.5), order: .preActivation, activation: .selu))),
        InteropCase(
            name: "resnet-pre-activation-empty",
            network: NetworkParameters(ResNet(depth: 8, width: 3, inner: .factor(0), order: .preActivation))),
        InteropCase(
            name: "resnet-plain",
            network: NetworkParameters(
                ResNet(depth: 8, width: 4, normalization: .none, activation: .tanh, bias: true))),
        InteropCase(
            name: "resnet-large",
            network: NetworkParameters(ResNet(depth: 18, width: 4, stem: .large, order: .classic)),
            sample: [3, 37, 30]),
        InteropCase(
            name: "wrn",
            network: NetworkParameters(WideResNet(depth: 10, widen: 2, width: 4, inner: .widths([0, 2, 9])))),
        InteropCase(
            name: "residual-mlp",
            network: NetworkParameters(ResidualMLP(width: 6, hidden: 9, normalization: .layer))),
    ]

    private static func vgg(_ name: String, _ family: VGG) -> InteropCase {
        InteropCase(name: name, network: NetworkParameters(family))
    }

    /// What no family has: depthwise kernels, groups, dilation, strides and windows that are not square, joins.
    private static let everyOperation: [InteropCase] = {
        func node(_ name: String, _ operation: any Operation, _ inputs: String...) -> Architecture.Node {
            Architecture.Node(name, operation, inputs: inputs)
        }
        let tall = Window(
            kernel: Extent(3, 2), stride: Extent(2, 1), padding: Extent(1, 1), dilation: Extent(1, 2))
        let small = Window(kernel: Extent(2, 3), stride: Extent(1, 2), padding: Extent(1, 1))
        let nodes = [
            node("conv", Convolution(width: 18, window: tall), "input"),
            node("group", GroupNormalization(groups: 3), "conv"),
            node("depthwise", DepthwiseConvolution(window: tall), "group"),
            node("max", Pooling(.max, window: small), "depthwise"),
            node("mean", Pooling(.average, window: small), "depthwise"),
            node("both", Concatenation(), "max", "mean", "max"),
            node("norm", BatchNormalization(epsilon: 1e-3, momentum: 0.3), "both"),
            node("gelu", Activation(.gelu), "norm"),
            node("sum", Add(), "gelu", "both", "gelu"),
            node("flat", Flatten(), "sum"),
            node("hidden", Linear(width: 7), "flat"),
            node("row-norm", LayerNormalization(), "hidden"),
            node("row-batch", BatchNormalization(), "row-norm"),
            node("tanh", Activation(.tanh), "row-batch"),
            node("joined", Concatenation(), "tanh", "hidden"),
            node("output", Linear(width: classes), "joined"),
        ]
        return [InteropCase(name: "graph", network: NetworkParameters(GivenGraph(nodes: nodes)))]
    }()
}

extension InteropCase {
    /// Writes the network's artifact and what its passes give.
    ///
    /// - Parameter change: may spoil a gradient, to see that it is noticed.
    func write(
        to folder: TemporaryFolder, changing change: (String, inout [Float]) -> Void = { _, _ in }
    ) throws {
        let network = try drawNetwork()
        var artifact = network.content
        let header = Header(kind: .network, stage: "train-seed", parameters: .empty, inputs: [:])
        artifact.attributes.merge(header.attributes) { $1 }
        try artifact.write(to: folder.path("\(name).network.h5"))

        let shape = network.architecture.inputShape
        let inputs = numbers(Self.rows * shape.reduce(1, *), index: 1000)
        let labels = (0..<Self.rows).map { Int32(($0 * 3 + 1) % Self.classes) }
        var content = Group(attributes: ["loss": .text(type(of: loss).kind)])
        content["inputs"] = Dataset(inputs, [Self.rows] + shape)
        content["labels"] = Dataset(.int64(labels.map(Int64.init)), shape: [Self.rows], dims: "sample")
        for mode in modes {
            var pass = Pass(network)
            content[group: mode] = pass.content(
                mode: mode == "training" ? .training(seed: 0, epoch: 0, firstSample: 0) : .evaluation,
                inputs: inputs, labels: labels, loss: LossParameters(function: loss), changing: change)
        }
        try content.write(to: folder.path("\(name).pass.h5"))
    }

    /// Parameters as if trained: biases, scales and running averages are not what they begin with.
    private func drawNetwork() throws -> Network {
        var network = try Network(
            initializing: network.architecture(sample: sample, outputs: Self.classes), seed: 5)
        let image = sample.count == 3 ? [sample[1], sample[2], sample[0]] : [1, sample[0], 1]
        network.data = DataConvention(
            image: image, mean: [Float](repeating: 0, count: image[2]),
            standardDeviation: [Float](repeating: 1, count: image[2]),
            classes: (0..<Self.classes).map(String.init))
        for (index, name) in network.parameters.keys.sorted().enumerated() {
            guard let tensor = network.parameters[name], tensor.shape.count == 1 else { continue }
            let center: Float = name.hasSuffix("/weight") ? 1 : 0
            network.parameters[name]?.values = numbers(tensor.count, index: index).map { center + 0.3 * $0 }
        }
        for (index, name) in network.state.keys.sorted().enumerated() {
            let count = network.state[name]?.count ?? 0
            let draws = numbers(count, index: 500 + index)
            network.state[name]?.values = draws.map {
                name.hasSuffix("_var") ? 0.5 + $0 * $0 : 0.3 * $0
            }
        }
        return network
    }

    private func numbers(_ count: Int, index: Int) -> [Float] {
        var random = Philox(seed: 8, purpose: .growth, index: index)
        return random.normal(count, deviation: 1)
    }
}

/// One forward and backward pass of a whole batch: a single shard.
private struct Pass {
    private let network: Network
    private let executor: Executor
    private let gradients: ParameterArena
    private let updates: ParameterArena

    init(_ network: Network) {
        self.network = network
        let layout = ParameterLayout(network.architecture)
        let stateLayout = ParameterLayout.state(network.architecture)
        gradients = ParameterArena(layout)
        updates = ParameterArena(stateLayout)
        executor = Executor(
            network.architecture, parameters: ParameterArena(layout, network.parameters),
            gradients: gradients, state: ParameterArena(stateLayout, network.state), stateUpdates: updates,
            capacity: InteropCase.rows, keeping: [])
    }

    /// - Parameter inputs: [rows, channels, height, width], or [rows, features].
    mutating func content(
        mode: ForwardMode, inputs: [Float], labels: [Int32], loss: LossParameters,
        changing change: (String, inout [Float]) -> Void
    ) -> Group {
        let rows = labels.count
        let classes = InteropCase.classes
        executor.writeRows(of: Architecture.inputName, rows: rows, from: rowsOf(inputs))
        executor.forward(rows: rows, mode: mode)
        var outputs = [Float](repeating: 0, count: rows * classes)
        executor.readRows(of: network.architecture.outputName, .value, rows: rows, into: &outputs)
        let sums = loss.evaluate(
            executor.output, labels: labels, rows: rows, scale: 1 / Float(rows), hasGradient: true)
        executor.backward(rows: rows)

        var content = Group(attributes: ["loss": .real(sums.loss / Double(rows))])
        content["outputs"] = Dataset(outputs, [rows, classes])
        for (name, gradient) in gradients.tensors() {
            var values = gradient.values
            change(name, &values)
            content["gradients/\(name)"] = Dataset(values, gradient.shape)
        }
        if case .training = mode {
            for (name, value) in movedState() {
                content["state/\(name)"] = Dataset(value.values, value.shape)
            }
        }
        return content
    }

    /// [rows, channels, height, width] as [rows, height, width, channels].
    private func rowsOf(_ inputs: [Float]) -> [Float] {
        let shape = network.architecture.inputShape
        guard shape.count == 3 else { return inputs }
        let (channels, positions) = (shape[0], shape[1] * shape[2])
        return inputs.indices.map { index in
            let (place, channel) = index.quotientAndRemainder(dividingBy: channels)
            let (row, position) = place.quotientAndRemainder(dividingBy: positions)
            return inputs[(row * channels + channel) * positions + position]
        }
    }

    /// r ← (1 − m) r + m s, as training does after a step.
    private func movedState() -> [String: Tensor] {
        var state = network.state
        let measured = updates.tensors()
        for node in network.architecture.nodes {
            guard let operation = node.operation as? BatchNormalization else { continue }
            for name in state.keys where name.hasPrefix(node.name + "/") {
                guard let old = state[name], let new = measured[name] else { continue }
                let momentum = Float(operation.momentum)
                state[name]?.values = zip(old.values, new.values).map { $0 + momentum * ($1 - $0) }
            }
        }
        return state
    }
}

extension Dataset {
    fileprivate init(_ values: [Float], _ shape: [Int]) {
        let dims = shape.indices.map { "axis\($0)" }.joined(separator: ",")
        self.init(.float32(values), shape: shape, dims: dims)
    }
}
