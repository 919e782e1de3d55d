internal import Tensors

/// Sums over the images F of candidates of one site in one shard: FᵀF over all samples, FᵀG, FᵀH and ΣF part by part.
///
/// Tap-major, as ``PatchRows`` has columns. Used by one thread.
package final class FeatureSums {
    /// The sums over some samples in a row.
    package struct Part {
        /// FᵀG, [2 k E, c].
        package let gradient: [Double]
        /// FᵀH, [2 k E, width · taps], without the ones.
        package let overlap: [Double]
        /// Σ over positions of F, [2 k E].
        package let ones: [Double]
    }

    private let channels: Int
    private let readers: [[Int?]]
    private let images: ImageSum
    private let sums: PlannedSums

    /// - Parameter channels: 2 k.
    package init(_ geometry: SiteGeometry, channels: Int, route: SitePlan.Route = .cheapest) {
        let plan = SitePlan(candidates: channels, of: geometry, route: route)
        self.channels = channels
        readers = plan.plane.readers
        images = ImageSum(count: plan.geometry.inputCount)
        sums = PlannedSums(plan, [.inputCovariance, .inputMoment] + (geometry.width > 0 ? [.overlap] : []))
    }

    /// Adds samples, images before positions before channels.
    package func add(
        rows: Int, features: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
        images.add(rows: rows, features)
        sums.add(rows: rows) { image in
            switch image {
            case .input: features
            case .hidden: h
            case .gradient: g
            }
        }
    }

    /// What was added since this was called last.
    package func takePart() -> Part {
        let sum = images.take()
        let ones = readers.flatMap { places in
            var ones = Array(repeating: 0.0, count: channels)
            for (place, position) in places.enumerated() where position != nil {
                for channel in 0..<channels { ones[channel] += sum[place * channels + channel] }
            }
            return ones
        }
        return Part(
            gradient: sums.take(.inputMoment)?[0] ?? [], overlap: sums.take(.overlap)?[0] ?? [], ones: ones)
    }

    /// FᵀF over all parts of all shards, [2 k E, 2 k E].
    package static func covariance(_ parts: [FeatureSums]) -> [Double] {
        PlannedSums.total(.inputCovariance, of: parts.map(\.sums))?[0] ?? []
    }
}
