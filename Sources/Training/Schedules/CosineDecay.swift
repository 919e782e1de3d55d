internal import Foundation
package import Parameters

/// Half a cosine from the rate down to `finalFraction` of it (Loshchilov and Hutter, 2017).
package struct CosineDecay: ScheduleRule {
    package static let kind = "cosine"

    package var finalFraction = 0.0

    package static let schema = Schema(
        Self(),
        .field("final-fraction", \.finalFraction, .real(in: 0...1), "share of the rate left at the end"))

    package func share(at time: ScheduleTime) -> Double {
        finalFraction + (1 - finalFraction) * 0.5 * (1 + cos(.pi * time.progress))
    }
}
