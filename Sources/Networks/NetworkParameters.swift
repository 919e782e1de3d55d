package import Parameters

/// The `network:` section of a pipeline: a family of architectures, and what the family needs to know.
package struct NetworkParameters: ParameterSet {
    package var family: any NetworkFamily

    package init(_ family: any NetworkFamily) { self.family = family }

    /// Fully connected layers.
    package init(
        widths: [Int], activation: Activation.Function = .selu, dropout: Double = 0, bias: Bool = true
    ) {
        self.init(MLP(widths: widths, activation: activation, dropout: dropout, bias: bias))
    }

    package init(fields: inout Fields) throws {
        let kind = try fields.choice(
            "kind", among: NetworkFamilies.kinds, default: MLP.kind, "the family of architectures")
        guard !fields.isDescribing else {
            for type in NetworkFamilies.types { fields.describeAlternative(type.kind, type) }
            family = MLP(widths: [])
            return
        }
        try fields.stop(ifRefused: "kind")
        guard let type = NetworkFamilies.types.first(where: { $0.kind == kind }) else {
            preconditionFailure("'\(kind)' is none of \(NetworkFamilies.kinds)")
        }
        family = try type.init(fields: &fields)
    }

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

    private enum CodingKeys: CodingKey { case kind }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type(of: family).kind, forKey: .kind)
        try family.encode(to: encoder)
    }

    package static func == (left: NetworkParameters, right: NetworkParameters) -> Bool {
        left.tree == right.tree
    }
}
