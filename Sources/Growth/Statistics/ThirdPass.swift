internal import Networks
internal import Tensors

/// Sums of the third pass over one site in one shard: what the candidates really do, kinks and maxima included.
///
/// Memory does not depend on the number of samples, but for three numbers per candidate and chunk. Used by one thread.
final class ThirdPassSums {
    /// What the candidates of one chunk do, summed over its samples.
    struct Chunk {
        let rows: Int
        let gains: NeuronGains
        /// ⟨G⊥, linear activity⟩ of each neuron: λ_k² for `tiny`.
        let squares: [Double]
    }

    /// In the order of this shard's chunks.
    private(set) var chunks: [Chunk] = []
    private let site: GrowthSite
    private let geometry: SiteGeometry
    private let proposal: Proposal
    private let update: Matrix
    private let images: CandidateImages
    private let sums: CandidateSums
    private var gradient: Matrix
    private var overlap: Matrix
    /// Samples whose images are written at a time.
    private let block: Int
    private let features: AlignedBuffer

    /// - Parameters:
    ///   - geometry: under which the proposal was made.
    ///   - update: δW*, [c, b].
    ///   - capacity: the most samples of one chunk.
    init(
        _ site: GrowthSite, _ geometry: SiteGeometry, _ proposal: Proposal, update: Matrix,
        in architecture: Architecture, capacity: Int
    ) throws {
        self.site = site
        self.geometry = geometry
        self.proposal = proposal
        self.update = update
        images = try CandidateImages(
            proposal.neurons.fanIn, at: site, in: architecture, capacity: capacity)
        sums = CandidateSums(geometry, channels: images.channels)
        gradient = Matrix(rows: images.channels * geometry.taps, columns: geometry.outChannels)
        overlap = Matrix(rows: images.channels * geometry.taps, columns: geometry.hiddenInputs)
        block = min(capacity, PatchSums.images(floats: images.count))
        features = AlignedBuffer(count: block * images.count)
    }

    /// Adds a chunk of samples, laid out as in the first pass.
    func add(rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>) {
        images.load(rows: rows, x: x)
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            for sample in 0..<count {
                (features.pointer + sample * images.count).update(
                    from: images.image(of: first + sample), count: images.count)
            }
            sums.add(
                rows: count, features: features.pointer, h: h + first * geometry.hiddenCount,
                g: g + first * geometry.outputCount)
        }
        finish(rows, sums.takeChunk())
    }

    private func finish(_ rows: Int, _ found: CandidateSums.Chunk) {
        let side = PatchSide(taps: geometry.taps, channels: images.channels, hasOnes: false)
        let chunkGradient = Matrix(
            found.gradient, rows: side,
            columns: PatchSide(taps: 1, channels: geometry.outChannels, hasOnes: false), ones: [],
            onesAcross: [], corner: 0, times: 1)
        let chunkOverlap = Matrix(
            found.overlap, rows: side,
            columns: PatchSide(
                taps: geometry.consumer.taps, channels: geometry.width, hasOnes: geometry.consumerHasBias),
            ones: [], onesAcross: found.ones, corner: 0, times: 1)
        let neurons = proposal.neurons
        let remaining = NeuronGains(
            chunkGradient - chunkOverlap.timesTransposed(update), neurons: neurons, slopes: site.slopes)
        // φ(z) − φ(−z) is (r + l) z.
        let both = site.slopes.right + site.slopes.left
        chunks.append(
            Chunk(
                rows: rows, gains: NeuronGains(chunkGradient, neurons: neurons, slopes: site.slopes),
                squares: zip(remaining.plus, remaining.minus).map { both > 0 ? ($0 + $1) / both : 0 }))
        gradient = gradient + chunkGradient
        overlap = overlap + chunkOverlap
    }

    /// What the candidates do over all shards, per sample, with standard errors.
    static func combine(_ parts: [ThirdPassSums], samples: Int) -> CandidateEffects? {
        guard let first = parts.first else { return nil }
        let scale = 1 / Double(samples)
        let side = PatchSide(taps: first.geometry.taps, channels: first.images.channels, hasOnes: false)
        func sum(_ value: (ThirdPassSums) -> Matrix) -> Matrix {
            scale * parts.dropFirst().reduce(value(first)) { $0 + value($1) }
        }
        let moments = CandidateMoments(
            gradient: sum(\.gradient),
            covariance: Matrix(
                CandidateSums.covariance(parts.map(\.sums)), rows: side, columns: side, ones: [], onesAcross: [],
                corner: 0, times: scale),
            overlap: sum(\.overlap), taps: first.geometry.taps)
        let neurons = first.proposal.neurons
        let chunks = parts.flatMap(\.chunks)
        func errors(_ value: (Chunk) -> [Double]) -> [Double] {
            (0..<neurons.count).map { neuron in
                ChunkedMean(chunks.map { (rows: $0.rows, sum: value($0)[neuron]) }).error
            }
        }
        return CandidateEffects(
            moments: moments,
            gains: NeuronGains(moments.gradient, neurons: neurons, slopes: first.site.slopes),
            plusErrors: errors(\.gains.plus), minusErrors: errors(\.gains.minus),
            squareErrors: errors(\.squares))
    }
}
