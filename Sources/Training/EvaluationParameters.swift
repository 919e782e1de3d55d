package import Parameters

/// Parameters of the stage evaluate; the loss is reported without label smoothing.
package struct EvaluationParameters: ParameterSet {
    package var loss = LossParameters()
    package var choices = EvaluationChoices()

    package static let schema = Schema(Self(), .set("loss", \.loss), .inline(\.choices))
}

/// The `evaluation:` section: what of a network is measured on the test split.
package struct EvaluationChoices: ParameterSet {
    package enum Weights: String, CaseIterable, Sendable {
        /// Running averages where the network has them, as its last training asked (``AverageParameters``).
        case average
        case own
    }

    package var weights = Weights.average
    /// Whether the outputs for each image and its mirror image, averaged, are measured as well.
    package var flip = false

    package static let schema = Schema(
        Self(),
        .field("weights", \.weights, .choice, "the running average where the network has one, or its own"),
        .field(
            "flip", \.flip, .boolean,
            "measure besides the mean of the outputs for each image and its mirror image"))
}
