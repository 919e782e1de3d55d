package import Parameters
internal import Tensors

/// The `network:` section of a pipeline: a family of architectures, and what the family needs to know.
package struct NetworkParameters: ParameterSet {
    /// Every family that a pipeline may name.
    package static let families = Alternatives<any NetworkFamily>(
        MLP.self,
        VGG.self,
        ResNet.self,
        WideResNet.self,
        ResidualMLP.self,
        GivenGraph.self)

    package var family: any NetworkFamily

    package init(_ family: any NetworkFamily) { self.family = family }

    /// Fully connected layers.
    package init(
        widths: [Int], activation: Activation.Function = .selu, dropout: Double = 0, bias: Bool = true
    ) {
        self.init(MLP(widths: widths, activation: activation, dropout: dropout, bias: bias))
    }

    package static let schema = Schema(
        Self(widths: []), .kind(\.family, among: families, "the family of architectures"))

    /// The architecture for data of these sizes.
    ///
    /// - Parameters:
    ///   - sample: [channels, height, width], or [features].
    ///   - outputs: the number of classes.
    /// - Throws: `NetworkError` where layers do not fit each other or the sample.
    package func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        let architecture = try family.architecture(sample: sample, outputs: outputs)
        try architecture.checkThatInputReachesOutput()
        return architecture
    }
}

/// A family of architectures: what a pipeline says about it, and the graph that follows for a dataset.
///
/// A new family is one file in this folder and one line in ``NetworkParameters/families``.
package protocol NetworkFamily: Alternative {
    /// The graph for samples of this shape.
    ///
    /// - Parameters:
    ///   - sample: [channels, height, width], or [features].
    ///   - outputs: the number of classes.
    /// - Throws: `NetworkError` where the layers do not fit the sample.
    func architecture(sample: [Int], outputs: Int) throws -> Architecture
}

/// What follows the convolutions of a block before their activation.
package enum NormalizationChoice: String, CaseIterable, Sendable {
    case batch
    case layer
    case none

    var operation: (any Operation)? {
        switch self {
        case .batch: BatchNormalization()
        case .layer: LayerNormalization()
        case .none: nil
        }
    }
}

/// Nodes put one behind the other.
struct NodeChain {
    private(set) var nodes: [Architecture.Node] = []
    /// What the next node reads.
    private(set) var last = Architecture.inputName

    mutating func append(_ name: String, _ operation: any Operation, reading inputs: [String]? = nil) {
        nodes.append(Architecture.Node(name, operation, inputs: inputs ?? [last]))
        last = name
    }

    /// Appends nothing where there is no operation.
    mutating func append(_ name: String, _ operation: (any Operation)?) {
        if let operation { append(name, operation) }
    }

    mutating func append(_ name: String, _ function: Activation.Function) {
        append(name, Activation(function))
    }
}

extension Convolution {
    /// A convolution whose output is as large as its input, divided by the stride and rounded up.
    ///
    /// - Precondition: `kernel` is odd.
    static func same(
        width: Int, kernel: Int, stride: Int = 1, bias: Bool, initialization: Initialization
    ) -> Convolution {
        precondition(kernel % 2 == 1, "a kernel of \(kernel) has no centre")
        return Convolution(
            width: width,
            window: Window(
                kernel: Extent(square: kernel), stride: Extent(square: stride),
                padding: Extent(square: kernel / 2)),
            bias: bias, initialization: initialization)
    }
}
