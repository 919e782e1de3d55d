internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// The third pass over one site in one shard.
final class ThirdPassSums {
    let sums: CandidateSums
    private let images: CandidateImages

    /// - Parameters:
    ///   - geometry: under which the proposal was made.
    ///   - update: δW*, [c, b].
    ///   - capacity: the most samples of one chunk.
    ///   - samples: of all shards.
    init(
        _ site: GrowthSite, _ geometry: SiteGeometry, _ proposal: Proposal, update: Matrix,
        in architecture: Architecture, capacity: Int, samples: Int
    ) throws {
        images = try CandidateImages(
            proposal.neurons.fanIn, at: site, in: architecture, capacity: capacity)
        sums = CandidateSums(
            geometry, proposal.neurons, slopes: site.slopes, update: update, samples: samples)
    }

    /// Adds a chunk of samples, laid out as in the first pass.
    func add(rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>) {
        images.load(rows: rows, x: x)
        sums.add(rows: rows, h: h, g: g) { images.image(of: $0) }
    }
}
