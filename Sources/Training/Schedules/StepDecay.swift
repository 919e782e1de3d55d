internal import Foundation
package import Parameters

/// Times `factor` every `stepEpochs`.
package struct StepDecay: ScheduleRule {
    package static let kind = "step"

    package var stepEpochs = 30
    package var factor = 0.1

    package static let schema = Schema(
        Self(),
        .field("step-epochs", \.stepEpochs, .integer(in: 1...100_000), "epochs between drops"),
        .field("factor", \.factor, .real(in: 0...1), "what a drop multiplies the rate by"))

    package func share(at time: ScheduleTime) -> Double {
        pow(factor, Double(Int(time.epoch) / stepEpochs))
    }
}
