import Parameters

@testable import Training

/// A straight line from the rate down to `finalFraction` of it.
struct LinearDecay: ScheduleRule {
    static let kind = "linear"

    var finalFraction = 0.0

    static let schema = Schema(
        Self(),
        .field("final-fraction", \.finalFraction, .real(in: 0...1), "share of the rate left at the end"))

    func share(at time: ScheduleTime) -> Double { 1 - (1 - finalFraction) * time.progress }
}
