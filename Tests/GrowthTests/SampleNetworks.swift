import Parameters
import Datasets
import Networks
import Tensors
@testable import Training

@testable import Growth

/// Small convolutional networks over images of `side` x `side`, for every way in which a consumer can read a producer.
enum SampleNetworks {
    typealias Node = Architecture.Node

    /// What stands between the two layers of the site "first", and the layer that reads it.
    enum Kind: String, CaseIterable, Sendable {
        case plain, strided, even, batchNormalized, normalizedLate, maxPooled, averagePooled,
            pooledWithPadding
        case depthwise, flattened, flattenedNormalized, globallyPooled, residual, pointwise

        var between: [any Operation] {
            let relu = Activation(.relu)
            return switch self {
            case .plain, .strided, .even, .pointwise: [relu]
            case .batchNormalized: [BatchNormalization(), relu]
            case .normalizedLate: [Activation(.selu), BatchNormalization(), Dropout(rate: 0.25)]
            case .maxPooled: [relu, Pooling(.max, window: .init(kernel: .init(2, 2), stride: .init(2, 2)))]
            case .averagePooled:
                [
                    Pooling(.average, window: .init(kernel: .init(2, 2), stride: .init(2, 2))),
                    Activation(.tanh),
                ]
            case .pooledWithPadding:
                [
                    relu,
                    Pooling(
                        .average,
                        window: .init(kernel: .init(3, 3), stride: .init(2, 2), padding: .init(1, 1))),
                ]
            case .depthwise:
                [
                    relu, DepthwiseConvolution(window: .init(kernel: .init(3, 3), padding: .init(1, 1))),
                    Activation(.gelu),
                ]
            case .flattened: [relu, Flatten()]
            case .flattenedNormalized: [Flatten(), BatchNormalization(), Activation(.selu)]
            case .globallyPooled: [BatchNormalization(), relu, GlobalAveragePooling()]
            case .residual: [BatchNormalization(), relu]
            }
        }

        var readsRows: Bool { [.flattened, .flattenedNormalized, .globallyPooled].contains(self) }

        var windows: (first: Window, second: Window) {
            let same = Window(kernel: Extent(3, 3), padding: Extent(1, 1))
            return switch self {
            case .strided: (Window(kernel: Extent(3, 3), stride: Extent(2, 2), padding: Extent(1, 1)), same)
            case .even: (same, Window(kernel: Extent(2, 3), stride: Extent(2, 1), dilation: Extent(2, 1)))
            case .pointwise: (same, Window(kernel: Extent(1, 1)))
            default: (same, same)
            }
        }
    }

    static func architecture(
        _ kind: Kind, width: Int = 3, bias: Bool = true, channels: Int = 2, side: Int = 6, classes: Int = 3
    ) throws -> Architecture {
        var nodes = [
            Node(
                "stem", Convolution(width: 4, window: Window(kernel: Extent(1, 1)), bias: bias),
                inputs: ["input"]),
            Node("stem-activation", Activation(.tanh), inputs: ["stem"]),
            Node(
                "first", Convolution(width: width, window: kind.windows.first, bias: bias),
                inputs: ["stem-activation"]),
        ]
        func append(_ name: String, _ operation: any Operation, with other: String? = nil) {
            nodes.append(
                Node(name, operation, inputs: [nodes[nodes.count - 1].name] + (other.map { [$0] } ?? [])))
        }
        for (index, operation) in kind.between.enumerated() { append("between\(index)", operation) }
        if kind.readsRows {
            append("second", Linear(width: 5, bias: bias))
        } else {
            append("second", Convolution(width: 4, window: kind.windows.second, bias: bias))
            if kind == .residual { append("add", Add(), with: "stem-activation") }
            append("late", Activation(.relu))
            append("pool", GlobalAveragePooling())
        }
        append("output", Linear(width: classes))
        return try Architecture(inputShape: [channels, side, side], nodes: nodes)
    }

    static func dataset(train: Int = 300, validation: Int = 120) -> Datasets.Dataset {
        SampleDataset.make(train: train, validation: validation, side: 6, channels: 2)
    }

    static func network(
        _ kind: Kind, width: Int = 3, bias: Bool = true, seed: Int = 1
    ) throws -> Network {
        var network = try Network(
            initializing: architecture(kind, width: width, bias: bias), seed: seed)
        var random = Philox(seed: seed, purpose: .growth)
        for (name, tensor) in network.parameters.sorted(by: { $0.key < $1.key }) where name.hasSuffix("/bias")
        {
            network.parameters[name]?.values = random.normal(tensor.count, deviation: 0.2)
        }
        // Normalisations that have seen something.
        for entry in ParameterLayout.state(network.architecture).entries {
            let drawn = random.normal(entry.count, deviation: 0.3)
            network.state[entry.name] = Tensor(
                shape: entry.specification.shape,
                values: drawn.map { entry.name.hasSuffix("running_var") ? 0.5 + abs($0) : $0 })
        }
        return network
    }
}
