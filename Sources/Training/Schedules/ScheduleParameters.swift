package import Parameters

/// A rule for the learning rate after the warm-up.
///
/// A new schedule is one file in this folder and one line in ``ScheduleParameters/rules``.
package protocol ScheduleRule: Alternative {
    /// The share of the learning rate that a step uses, in [0, 1].
    func share(at time: ScheduleTime) -> Double
}

/// Where on a schedule a step stands.
package struct ScheduleTime: Sendable {
    /// Epochs since the schedule began.
    package var epoch: Double
    /// The schedule's length in epochs.
    package var epochs: Double
    /// Epochs of warm-up at its beginning.
    package var warmUp: Double

    /// The part of the time after the warm-up that is over, in [0, 1].
    package var progress: Double {
        min((epoch - warmUp) / max(epochs - warmUp, .leastNonzeroMagnitude), 1)
    }
}

/// The `schedule:` section: how the learning rate changes over a training.
///
/// A phase of training has a schedule of its own, or takes its piece of one that spans several.
package struct ScheduleParameters: ParameterSet {
    package static let rules = Alternatives<any ScheduleRule>(
        ConstantRate.self,
        StepDecay.self,
        CosineDecay.self,
        WarmupStableDecay.self,
        Triangular.self)

    package var rule: any ScheduleRule = ConstantRate()
    /// Epochs of linear rise from 0 before the rule takes over.
    package var warmUp = 0.0
    /// Epochs of the schedule that are over when the phase begins.
    package var begin = 0
    /// Epochs of the whole schedule; 0 where it ends with the phase.
    package var length = 0

    package static let schema = Schema(
        Self(),
        .kind(\.rule, among: rules, "the rule"),
        .field("warm-up", \.warmUp, .real(in: 0...10_000), "epochs of linear rise from 0"),
        .field(
            "begin", \.begin, .integer(in: 0...100_000),
            "epochs of the schedule that are over at the beginning"),
        .field(
            "length", \.length, .integer(in: 0...1_000_000),
            "epochs of the whole schedule, 0 where it ends with this phase"))

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
        let step = begin * stepsPerEpoch + step
        let epoch = Double(step) / Double(stepsPerEpoch)
        if epoch < warmUp { return Self.rise(step: step, stepsPerEpoch: stepsPerEpoch, over: warmUp) }
        let whole = length > 0 ? length : begin + epochs
        return rule.share(at: ScheduleTime(epoch: epoch, epochs: Double(whole), warmUp: warmUp))
    }
}

/// The learning rate as it is.
package struct ConstantRate: ScheduleRule {
    package static let kind = "constant"
    package static let schema = Schema(Self())

    package func share(at time: ScheduleTime) -> Double { 1 }
}
