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
    /// Patches of candidates, for the taps that they use, and of H, for all.
    private let features: PatchRows
    private let hidden: PatchRows
    private let covariance: BlockSum
    private var gradient: Matrix
    private var overlap: Matrix
    /// Samples whose patches are written at a time.
    private let block: Int
    private let featurePatches: AlignedBuffer
    private let hiddenPatches: AlignedBuffer

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
        let plane = SitePlane(geometry)
        features = PatchRows(candidatesOf: geometry, plane, channels: images.channels)
        hidden = PatchRows(hiddenOf: geometry, plane)
        covariance = BlockSum(features.columns, features.columns, isSymmetric: true)
        gradient = Matrix(rows: features.columns, columns: geometry.outChannels)
        overlap = Matrix(rows: features.columns, columns: geometry.hiddenInputs)
        block = PatchSums.images(floats: features.positions * features.columns + hidden.floats)
        featurePatches = AlignedBuffer(count: block * features.positions * features.columns)
        hiddenPatches = AlignedBuffer(count: block * hidden.floats)
    }

    /// Adds a chunk of samples, laid out as in the first pass.
    func add(rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>) {
        images.load(rows: rows, x: x)
        let gradientSum = BlockSum(features.columns, geometry.outChannels)
        let overlapSum = BlockSum(features.columns, hidden.columns)
        let ones = ImageSum(count: features.columns)
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            write(first, count)
            let read = hidden.patches(
                of: h + first * geometry.hiddenCount, count: count, size: geometry.hiddenCount,
                in: hiddenPatches)
            let positions = count * features.positions
            covariance.add(rows: positions, featurePatches.pointer)
            gradientSum.add(
                rows: positions, featurePatches.pointer, stride: features.columns,
                g + first * geometry.outputCount, stride: geometry.outChannels)
            if hidden.columns > 0 {
                overlapSum.add(
                    rows: positions, featurePatches.pointer, stride: features.columns, read,
                    stride: hidden.columns)
            }
            if geometry.consumerHasBias { ones.add(rows: positions, featurePatches.pointer) }
        }
        finish(rows, gradientSum, overlapSum, ones)
    }

    private func write(_ first: Int, _ count: Int) {
        for sample in 0..<count {
            features.fill(
                images.image(of: first + sample),
                into: featurePatches.pointer + sample * features.positions * features.columns)
        }
    }

    private func finish(_ rows: Int, _ gradientSum: BlockSum, _ overlapSum: BlockSum, _ ones: ImageSum) {
        let side = PatchSide(taps: features.taps, channels: images.channels, hasOnes: false)
        let chunkGradient = Matrix(
            BlockSum.total([gradientSum]), rows: side,
            columns: PatchSide(taps: 1, channels: geometry.outChannels, hasOnes: false), ones: [],
            onesAcross: [], corner: 0, times: 1)
        let chunkOverlap = Matrix(
            BlockSum.total([overlapSum]), rows: side,
            columns: PatchSide(
                taps: hidden.taps, channels: geometry.width, hasOnes: geometry.consumerHasBias),
            ones: [], onesAcross: ones.total, corner: 0, times: 1)
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
        let side = PatchSide(taps: first.features.taps, channels: first.images.channels, hasOnes: false)
        func sum(_ value: (ThirdPassSums) -> Matrix) -> Matrix {
            scale * parts.dropFirst().reduce(value(first)) { $0 + value($1) }
        }
        let moments = CandidateMoments(
            gradient: sum(\.gradient),
            covariance: Matrix(
                BlockSum.total(parts.map(\.covariance)), rows: side, columns: side, ones: [], onesAcross: [],
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

extension PatchRows {
    /// What the taps of new neurons read at every output position of Q.
    fileprivate convenience init(candidatesOf geometry: SiteGeometry, _ plane: SitePlane, channels: Int) {
        func sources(_ axis: SiteAxis) -> [[[SiteAxis.Source]]] {
            axis.hiddenSources.map { taps in axis.neuronTaps.map { taps[$0] } }
        }
        self.init(
            rows: sources(plane.rows), columns: sources(plane.columns), image: geometry.read,
            channels: channels)
    }
}
