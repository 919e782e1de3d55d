package import Parameters

/// The rate as it is, then straight down to `finalFraction` of it over the last part of the training; with `warm-up`, what is
/// called warm-up, stable, decay (Hu et al., "MiniCPM", 2024).
///
/// Growth late in the stable part finds the full rate, so that newborn neurons still learn.
package struct WarmupStableDecay: ScheduleRule {
    package static let kind = "wsd"

    /// The part of the training, warm-up aside, over which the rate falls.
    package var decay = 0.4
    package var finalFraction = 0.0

    package static let schema = Schema(
        Self(),
        .field("decay", \.decay, .real(in: 0...1), "share of the training over which the rate falls"),
        .field("final-fraction", \.finalFraction, .real(in: 0...1), "share of the rate left at the end"))

    package func share(at time: ScheduleTime) -> Double {
        guard decay > 0 else { return 1 }
        return 1 - (1 - finalFraction) * max(0, time.progress - (1 - decay)) / decay
    }
}
