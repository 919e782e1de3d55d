internal import Networks
internal import Tensors

/// Sums of the third pass over one consumer in one shard: what the candidates really do, kinks and maxima included.
///
/// Memory does not depend on the number of samples, but for three numbers per candidate and chunk. Used by one thread.
final class CandidateSums {
    /// What the candidates of one chunk do, summed over its samples.
    struct Chunk {
        let rows: Int
        let gains: NeuronGains
        /// ⟨G⊥, linear activity⟩ of each neuron: λ_k² for `tiny`.
        let squares: [Double]
    }

    /// In the order of this shard's chunks.
    private(set) var chunks: [Chunk] = []
    private let geometry: SiteGeometry
    private let neurons: NewNeurons
    private let slopes: SlopesAtZero
    private let update: Matrix
    /// 2 k: of the candidates' images.
    private let channels: Int
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
    ///   - geometry: under which the neurons were proposed.
    ///   - slopes: σ₀ between the layers.
    ///   - update: δW*, [c, b].
    init(_ geometry: SiteGeometry, _ neurons: NewNeurons, slopes: SlopesAtZero, update: Matrix) {
        self.geometry = geometry
        self.neurons = neurons
        self.slopes = slopes
        self.update = update
        channels = 2 * neurons.count
        let plane = SitePlane(geometry)
        features = PatchRows(candidatesOf: geometry, plane, channels: channels)
        hidden = PatchRows(hiddenOf: geometry, plane)
        covariance = BlockSum(features.columns, features.columns, isSymmetric: true)
        gradient = Matrix(rows: features.columns, columns: geometry.outChannels)
        overlap = Matrix(rows: features.columns, columns: geometry.hiddenInputs)
        block = PatchSums.images(floats: features.positions * (features.columns + hidden.columns))
        featurePatches = AlignedBuffer(count: block * features.positions * features.columns)
        hiddenPatches = AlignedBuffer(count: block * features.positions * hidden.columns)
    }

    /// Adds a chunk of samples, laid out as in the first pass.
    ///
    /// - Parameter image: of the candidates where the consumer reads them, [read, 2 k], for a row of the chunk.
    func add(
        rows: Int, h: UnsafePointer<Float>, g: UnsafePointer<Float>, image: (Int) -> UnsafePointer<Float>
    ) {
        let gradientSum = BlockSum(features.columns, geometry.outChannels)
        let overlapSum = BlockSum(features.columns, hidden.columns)
        let ones = ImageSum(count: features.columns)
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            write(first, count, h, image)
            let positions = count * features.positions
            covariance.add(rows: positions, featurePatches.pointer)
            gradientSum.add(
                rows: positions, featurePatches.pointer, stride: features.columns,
                g + first * geometry.outputCount, stride: geometry.outChannels)
            if hidden.columns > 0 {
                overlapSum.add(
                    rows: positions, featurePatches.pointer, stride: features.columns,
                    hiddenPatches.pointer, stride: hidden.columns)
            }
            if geometry.consumerHasBias { ones.add(rows: positions, featurePatches.pointer) }
        }
        finish(rows, gradientSum, overlapSum, ones)
    }

    private func write(
        _ first: Int, _ count: Int, _ h: UnsafePointer<Float>, _ image: (Int) -> UnsafePointer<Float>
    ) {
        for sample in 0..<count {
            features.fill(
                image(first + sample),
                into: featurePatches.pointer + sample * features.positions * features.columns)
            guard hidden.columns > 0 else { continue }
            hidden.fill(
                h + (first + sample) * geometry.hiddenCount,
                into: hiddenPatches.pointer + sample * hidden.positions * hidden.columns)
        }
    }

    private func finish(_ rows: Int, _ gradientSum: BlockSum, _ overlapSum: BlockSum, _ ones: ImageSum) {
        let side = PatchSide(taps: features.taps, channels: channels, hasOnes: false)
        let chunkGradient = Matrix(
            BlockSum.total([gradientSum]), rows: side,
            columns: PatchSide(taps: 1, channels: geometry.outChannels, hasOnes: false), ones: [],
            onesAcross: [], corner: 0, times: 1)
        let chunkOverlap = Matrix(
            BlockSum.total([overlapSum]), rows: side,
            columns: PatchSide(
                taps: hidden.taps, channels: geometry.width, hasOnes: geometry.consumerHasBias),
            ones: [], onesAcross: ones.total, corner: 0, times: 1)
        let remaining = NeuronGains(
            chunkGradient - chunkOverlap.timesTransposed(update), neurons: neurons, slopes: slopes)
        // φ(z) − φ(−z) is (r + l) z.
        let both = slopes.right + slopes.left
        chunks.append(
            Chunk(
                rows: rows, gains: NeuronGains(chunkGradient, neurons: neurons, slopes: slopes),
                squares: zip(remaining.plus, remaining.minus).map { both > 0 ? ($0 + $1) / both : 0 }))
        gradient = gradient + chunkGradient
        overlap = overlap + chunkOverlap
    }

    /// What the candidates do over all shards, per sample, with standard errors.
    static func combine(_ parts: [CandidateSums], samples: Int) -> CandidateEffects? {
        guard let first = parts.first else { return nil }
        let scale = 1 / Double(samples)
        let side = PatchSide(taps: first.features.taps, channels: first.channels, hasOnes: false)
        func sum(_ value: (CandidateSums) -> Matrix) -> Matrix {
            scale * parts.dropFirst().reduce(value(first)) { $0 + value($1) }
        }
        let moments = CandidateMoments(
            gradient: sum(\.gradient),
            covariance: Matrix(
                BlockSum.total(parts.map(\.covariance)), rows: side, columns: side, ones: [], onesAcross: [],
                corner: 0, times: scale),
            overlap: sum(\.overlap), taps: first.geometry.taps)
        let neurons = first.neurons
        let chunks = parts.flatMap(\.chunks)
        func errors(_ value: (Chunk) -> [Double]) -> [Double] {
            (0..<neurons.count).map { neuron in
                ChunkedMean(chunks.map { (rows: $0.rows, sum: value($0)[neuron]) }).error
            }
        }
        return CandidateEffects(
            moments: moments,
            gains: NeuronGains(moments.gradient, neurons: neurons, slopes: first.slopes),
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
            rows: sources(plane.rows), columns: sources(plane.columns), imageWidth: geometry.read.width,
            channels: channels)
    }
}
