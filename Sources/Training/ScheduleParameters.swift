internal import Foundation
package import Parameters

/// The `schedule:` section: how the learning rate changes over a phase of training.
package struct ScheduleParameters: ParameterSet {
    package enum Kind: String, CaseIterable, Codable, Sendable {
        case constant
        /// Times `factor` every `step-epochs`.
        case step
        /// Half a cosine from the rate down to `final-fraction` of it (Loshchilov and Hutter, 2017).
        case cosine
    }

    package var kind: Kind = .constant
    /// Epochs of linear rise from 0 before the rule takes over.
    package var warmUp: Double = 0
    package var stepEpochs: Int = 30
    package var factor: Double = 0.1
    package var finalFraction: Double = 0

    package init(kind: Kind = .constant, warmUp: Double = 0) {
        self.kind = kind
        self.warmUp = warmUp
    }

    package init(fields: inout Fields) throws {
        kind = try fields.choice("kind", default: .constant, "the rule")
        warmUp = try fields.real("warm-up", in: 0...10_000, default: 0, "epochs of linear rise from 0")
        stepEpochs = try fields.integer(
            "step-epochs", in: 1...100_000, default: 30, "step: epochs between drops")
        factor = try fields.real(
            "factor", in: 0...1, default: 0.1, "step: what a drop multiplies the rate by")
        finalFraction = try fields.real(
            "final-fraction", in: 0...1, default: 0, "cosine: share of the rate left at the end")
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
        if epoch < warmUp {
            return min(1, Double(step + 1) / (warmUp * Double(stepsPerEpoch)))
        }
        switch kind {
        case .constant:
            return 1
        case .step:
            return pow(factor, Double(Int(epoch) / stepEpochs))
        case .cosine:
            let progress = (epoch - warmUp) / max(Double(epochs) - warmUp, .leastNonzeroMagnitude)
            return finalFraction + (1 - finalFraction) * 0.5 * (1 + cos(.pi * min(progress, 1)))
        }
    }
}
