package import Parameters

/// Straight up from 0 to the rate, and straight down to `finalFraction` of it (Smith, "Super-convergence", 2018).
package struct Triangular: ScheduleRule {
    package static let kind = "triangular"

    /// The part of the training, warm-up aside, after which the rate is reached.
    package var peak = 0.2
    package var finalFraction = 0.0

    package static let schema = Schema(
        Self(),
        .field("peak", \.peak, .real(in: 0...1), "share of the training after which the rate is reached"),
        .field("final-fraction", \.finalFraction, .real(in: 0...1), "share of the rate left at the end"))

    package func share(at time: ScheduleTime) -> Double {
        if time.progress < peak { return time.progress / peak }
        return 1 - (1 - finalFraction) * (time.progress - peak) / max(1 - peak, .leastNonzeroMagnitude)
    }
}
