package import Parameters

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
