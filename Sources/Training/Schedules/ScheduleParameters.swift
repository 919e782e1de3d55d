package import Parameters

/// A rule for the learning rate after the warm-up.
///
/// A new schedule is one file in this folder and one line in ``ScheduleParameters/rules``.
package protocol ScheduleRule: Alternative {
    /// The share of the learning rate that a step uses, in [0, 1].
    func share(at time: ScheduleTime) -> Double
}

/// Where in a phase of training a step stands.
package struct ScheduleTime: Sendable {
    /// Epochs since the phase began.
    package var epoch: Double
    /// The phase's length in epochs.
    package var epochs: Double
    /// Epochs of warm-up at its beginning.
    package var warmUp: Double

    /// The part of the time after the warm-up that is over, in [0, 1].
    package var progress: Double {
        min((epoch - warmUp) / max(epochs - warmUp, .leastNonzeroMagnitude), 1)
    }
}

/// The `schedule:` section: how the learning rate changes over a phase of training.
package struct ScheduleParameters: ParameterSet {
    package static let rules = Alternatives<any ScheduleRule>(
        ConstantRate.self,
        StepDecay.self,
        CosineDecay.self)

    package var rule: any ScheduleRule = ConstantRate()
    /// Epochs of linear rise from 0 before the rule takes over.
    package var warmUp = 0.0

    package static let schema = Schema(
        Self(),
        .kind(\.rule, among: rules, "the rule"),
        .field("warm-up", \.warmUp, .real(in: 0...10_000), "epochs of linear rise from 0"))

    /// The share that a linear rise from 0 over some epochs has come to in a step; 1 after it.
    static func rise(step: Int, stepsPerEpoch: Int, over epochs: Double) -> Double {
        min(1, epochs > 0 ? Double(step + 1) / (epochs * Double(stepsPerEpoch)) : 1)
    }

    /// The share of the learning rate that a step uses.
    ///
    /// - Parameters:
    ///   - step: steps taken before in this phase.
    ///   - stepsPerEpoch: steps of one epoch, positive.
    ///   - epochs: the phase's length.
    /// - Returns: a share in [0, 1].
    package func share(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
        let epoch = Double(step) / Double(stepsPerEpoch)
        if epoch < warmUp { return Self.rise(step: step, stepsPerEpoch: stepsPerEpoch, over: warmUp) }
        return rule.share(at: ScheduleTime(epoch: epoch, epochs: Double(epochs), warmUp: warmUp))
    }
}

/// The learning rate as it is.
package struct ConstantRate: ScheduleRule {
    package static let kind = "constant"
    package static let schema = Schema(Self())

    package func share(at time: ScheduleTime) -> Double { 1 }
}
