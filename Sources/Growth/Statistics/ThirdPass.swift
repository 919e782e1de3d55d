internal import Networks
internal import Tensors

/// Sums of the third pass over one site in one shard: what the candidates really do, kinks and maxima included.
///
/// Memory does not depend on the number of samples, but for some numbers per candidate and part. Used by one thread.
final class ThirdPassSums {
    /// What the candidates do over some samples in a row, summed.
    struct Part {
        let rows: Int
        let gains: NeuronGains
        /// ⟨G⊥, linear activity⟩ of each neuron: λ_k² for `tiny`.
        let squares: [Double]
    }

    /// In the order of this shard's samples.
    private(set) var parts: [Part] = []
    /// Samples of one part, but for the last.
    private let rowsPerPart: Int
    private var pending = 0
    private static let mostParts = 16
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
    ///   - samples: of all shards. Standard errors come from the spread between parts of about a sixteenth of them.
    init(
        _ site: GrowthSite, _ geometry: SiteGeometry, _ proposal: Proposal, update: Matrix,
        in architecture: Architecture, capacity: Int, samples: Int
    ) throws {
        self.site = site
        self.geometry = geometry
        self.proposal = proposal
        self.update = update
        rowsPerPart = samples / Self.mostParts
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
        pending += rows
        if pending >= rowsPerPart { finishPart() }
    }

    /// Ends a part with what was added since the last.
    private func finishPart() {
        guard pending > 0 else { return }
        let found = sums.takePart()
        let side = PatchSide(taps: geometry.taps, channels: images.channels, hasOnes: false)
        let partGradient = Matrix(
            found.gradient, rows: side,
            columns: PatchSide(taps: 1, channels: geometry.outChannels, hasOnes: false), ones: [],
            onesAcross: [], corner: 0, times: 1)
        let partOverlap = Matrix(
            found.overlap, rows: side,
            columns: PatchSide(
                taps: geometry.consumer.taps, channels: geometry.width, hasOnes: geometry.consumerHasBias),
            ones: [], onesAcross: found.ones, corner: 0, times: 1)
        let neurons = proposal.neurons
        let remaining = NeuronGains(
            partGradient - partOverlap.timesTransposed(update), neurons: neurons, slopes: site.slopes)
        // φ(z) − φ(−z) is (r + l) z.
        let both = site.slopes.right + site.slopes.left
        parts.append(
            Part(
                rows: pending, gains: NeuronGains(partGradient, neurons: neurons, slopes: site.slopes),
                squares: zip(remaining.plus, remaining.minus).map { both > 0 ? ($0 + $1) / both : 0 }))
        gradient = gradient + partGradient
        overlap = overlap + partOverlap
        pending = 0
    }

    /// What the candidates do over all shards, per sample, with standard errors.
    static func combine(_ parts: [ThirdPassSums], samples: Int) -> CandidateEffects? {
        guard let first = parts.first else { return nil }
        for part in parts { part.finishPart() }
        let scale = 1 / Double(samples)
        let side = PatchSide(taps: first.geometry.taps, channels: first.images.channels, hasOnes: false)
        func sum(_ value: (ThirdPassSums) -> Matrix) -> Matrix {
            scale * parts.dropFirst().reduce(value(first)) { $0 + value($1) }
        }
        let moments = CandidateMoments(
            gradient: sum(\.gradient),
            covariance: Matrix(
                CandidateSums.covariance(parts.map(\.sums)), rows: side, columns: side, ones: [],
                onesAcross: [],
                corner: 0, times: scale),
            overlap: sum(\.overlap), taps: first.geometry.taps)
        let neurons = first.proposal.neurons
        let all = parts.flatMap(\.parts)
        func errors(_ value: (Part) -> [Double]) -> [Double] {
            (0..<neurons.count).map { neuron in
                ChunkedMean(all.map { (rows: $0.rows, sum: value($0)[neuron]) }).error
            }
        }
        return CandidateEffects(
            moments: moments,
            gains: NeuronGains(moments.gradient, neurons: neurons, slopes: first.site.slopes),
            plusErrors: errors(\.gains.plus), minusErrors: errors(\.gains.minus),
            squareErrors: errors(\.squares))
    }
}
