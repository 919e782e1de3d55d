internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// Sums of the third pass over one consumer in one shard: what the candidates really do, kinks and maxima included.
///
/// Memory does not depend on the number of samples, but for some numbers per candidate and part. Used by one thread.
final class CandidateSums {
    /// What the candidates do over some samples in a row, summed.
    struct Part {
        let rows: Int
        let gains: NeuronGains
        /// ⟨G⊥, linear activity⟩ of each neuron: λ_k² for `tiny`.
        let squares: [Double]
    }

    /// In the order of this shard's samples; whole once ``finish()`` was called.
    private(set) var parts: [Part] = []
    /// Samples of one part, but for the last.
    private let rowsPerPart: Int
    private var pending = 0
    private let geometry: SiteGeometry
    private let neurons: NewNeurons
    private let slopes: SlopesAtZero
    private let update: Matrix
    /// 2 k: of the candidates' images.
    private let channels: Int
    private let sums: FeatureSums
    private var gradient: Matrix
    private var overlap: Matrix
    /// Samples whose images are written at a time, and where.
    private let block: Int
    private let features: AlignedBuffer

    private static let mostParts = 16

    /// - Parameters:
    ///   - geometry: under which the neurons were proposed.
    ///   - slopes: σ₀ between the layers.
    ///   - update: δW*, [c, b].
    ///   - samples: of all shards. Standard errors come from the spread between parts of about a sixteenth of them.
    init(_ geometry: SiteGeometry, _ neurons: NewNeurons, slopes: SlopesAtZero, update: Matrix, samples: Int)
    {
        self.geometry = geometry
        self.neurons = neurons
        self.slopes = slopes
        self.update = update
        rowsPerPart = samples / Self.mostParts
        channels = 2 * neurons.count
        sums = FeatureSums(geometry, channels: channels)
        gradient = Matrix(rows: channels * geometry.taps, columns: geometry.outChannels)
        overlap = Matrix(rows: channels * geometry.taps, columns: geometry.hiddenInputs)
        block = PatchSums.images(floats: geometry.read.count * channels)
        features = AlignedBuffer(count: block * geometry.read.count * channels)
    }

    /// Adds a chunk of samples, laid out as in the first pass.
    ///
    /// - Parameter image: of the candidates where the consumer reads them, [read, 2 k], for a row of the chunk.
    func add(
        rows: Int, h: UnsafePointer<Float>, g: UnsafePointer<Float>, image: (Int) -> UnsafePointer<Float>
    ) {
        let size = geometry.read.count * channels
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            for sample in 0..<count {
                (features.pointer + sample * size).update(from: image(first + sample), count: size)
            }
            sums.add(
                rows: count, features: features.pointer, h: h + first * geometry.hiddenCount,
                g: g + first * geometry.outputCount)
        }
        pending += rows
        if pending >= rowsPerPart { finish() }
    }

    /// Ends a part with what was added since the last.
    func finish() {
        guard pending > 0 else { return }
        let found = sums.takePart()
        let side = PatchSide(taps: geometry.taps, channels: channels, hasOnes: false)
        let partGradient = Matrix(
            found.gradient, rows: side,
            columns: PatchSide(taps: 1, channels: geometry.outChannels, hasOnes: false), ones: [],
            onesAcross: [], corner: 0, times: 1)
        let partOverlap = Matrix(
            found.overlap, rows: side,
            columns: PatchSide(
                taps: geometry.consumer.taps, channels: geometry.width, hasOnes: geometry.consumerHasBias),
            ones: [], onesAcross: found.ones, corner: 0, times: 1)
        let remaining = NeuronGains(
            partGradient - partOverlap.timesTransposed(update), neurons: neurons, slopes: slopes)
        // φ(z) − φ(−z) is (r + l) z.
        let both = slopes.right + slopes.left
        parts.append(
            Part(
                rows: pending, gains: NeuronGains(partGradient, neurons: neurons, slopes: slopes),
                squares: zip(remaining.plus, remaining.minus).map { both > 0 ? ($0 + $1) / both : 0 }))
        gradient = gradient + partGradient
        overlap = overlap + partOverlap
        pending = 0
    }

    /// What the candidates do over all shards, per sample, with standard errors.
    static func combine(_ shards: [CandidateSums], samples: Int) -> CandidateEffects? {
        guard let first = shards.first else { return nil }
        for shard in shards { shard.finish() }
        let scale = 1 / Double(samples)
        let side = PatchSide(taps: first.geometry.taps, channels: first.channels, hasOnes: false)
        func sum(_ value: (CandidateSums) -> Matrix) -> Matrix {
            scale * shards.dropFirst().reduce(value(first)) { $0 + value($1) }
        }
        let moments = CandidateMoments(
            gradient: sum(\.gradient),
            covariance: Matrix(
                FeatureSums.covariance(shards.map(\.sums)), rows: side, columns: side, ones: [],
                onesAcross: [],
                corner: 0, times: scale),
            overlap: sum(\.overlap), taps: first.geometry.taps)
        let neurons = first.neurons
        let parts = shards.flatMap(\.parts)
        func errors(_ value: (Part) -> [Double]) -> [Double] {
            (0..<neurons.count).map { neuron in
                ChunkedMean(parts.map { (rows: $0.rows, sum: value($0)[neuron]) }).error
            }
        }
        return CandidateEffects(
            moments: moments,
            gains: NeuronGains(moments.gradient, neurons: neurons, slopes: first.slopes),
            plusErrors: errors(\.gains.plus), minusErrors: errors(\.gains.minus),
            squareErrors: errors(\.squares))
    }
}
