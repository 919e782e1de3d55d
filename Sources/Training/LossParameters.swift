package import Parameters

/// The `loss:` section: what is minimised.
package struct LossParameters: ParameterSet {
    package enum Kind: String, CaseIterable, Codable, Sendable {
        /// -Σ t_c log softmax(y)_c
        case crossEntropy = "cross-entropy"
        /// Σ (y_c - t_c)², summed over the outputs
        case meanSquaredError = "mean-squared-error"
    }

    package var kind: Kind = .crossEntropy
    /// ε: targets are (1 - ε) one-hot + ε / classes (Szegedy et al., 2016).
    package var labelSmoothing: Double = 0

    package init(kind: Kind = .crossEntropy, labelSmoothing: Double = 0) {
        self.kind = kind
        self.labelSmoothing = labelSmoothing
    }

    package init(fields: inout Fields) throws {
        kind = try fields.choice("kind", default: .crossEntropy, "what is minimised; its mean over samples")
        labelSmoothing = try fields.real(
            "label-smoothing", in: 0...0.999, default: 0,
            "share of each target spread evenly over the classes")
    }

    /// The same loss against plain one-hot targets, as evaluation reports it.
    package var withoutSmoothing: LossParameters { LossParameters(kind: kind) }
}
