package import Networks
package import Parameters

/// New neurons as large as the old ones: fan-ins of their mean norm, fan-outs of `fanOut` times it.
///
/// Then every consumer's fan-in is multiplied as a whole by √(d/d'), so that sums over d' inputs have the variance that
/// sums over d had (Yuan et al., "Accelerated Training via Incrementally Growing Neural Networks", NeurIPS 2023). The
/// function changes, and training goes on from there.
package struct RootMeanSquare: GraftRule {
    package static let kind = "rms"

    /// The norm of a new fan-out, relative to the mean of the old ones; with 0 new neurons do nothing yet.
    package var fanOut = 1.0
    /// Whether old and new fan-outs are multiplied by √(d/d').
    package var rescales = true

    package static let schema = Schema(
        Self(),
        .field(
            "fan-out", \.fanOut, .real(in: 0...1000),
            "norm of new fan-outs, relative to the mean of the old ones"),
        .field("rescale", \.rescales, .boolean, "multiply whole fan-ins of consumers by √(d/d')"))

    package var keepsFunction: Bool { false }
    package func obstacle(at width: Width, of architecture: Architecture) -> String? { nil }

    package func sized(_ grown: Network, newborn: Int, at width: Width) -> Network {
        let old = width.count
        guard old > 0 else { return grown }
        /// What brings the last norms to the mean of the first ones.
        func factors(_ norms: [Double], times size: Double) -> [Double] {
            let mean = norms[..<old].reduce(0, +) / Double(old)
            return norms[old...].map { $0 > 0 ? size * mean / $0 : 0 }
        }
        var result = grown.scalingFanIns(at: width, by: factors(grown.fanInNorms(at: width), times: 1))
        let shared = rescales ? (Double(old) / Double(old + newborn)).squareRoot() : 1
        for consumer in width.consumers.indices {
            let norms = grown.fanOutNorms(of: consumer, at: width)
            result = result.scalingFanOuts(
                of: consumer, at: width,
                by: Array(repeating: shared, count: old) + factors(norms, times: fanOut * shared))
        }
        return result
    }
}
