internal import Tensors

/// Sums of the third pass over one site in one shard: what the candidates really do, kink included.
final class ThirdPassSums {
    private let covariance: ProductSum
    /// Each chunk's FᵀG and FᵀH, for standard errors, in the order of this shard's chunks.
    private(set) var chunks: [ChunkMoments] = []
    private let shape: SiteShape
    private let fanIn: AlignedBuffer
    private let bias: [Float]
    private let count: Int
    private let slopes: SlopesAtZero
    private let activity: AlignedBuffer
    private let features: AlignedBuffer

    struct ChunkMoments {
        let rows: Int
        /// FᵀG, [2k, c], a sum over the chunk.
        let gradient: Matrix
        /// FᵀH, [2k, b], a sum over the chunk.
        let overlap: Matrix
    }

    /// - Parameter fanIn: α, [k, a].
    init(_ shape: SiteShape, fanIn: Matrix, slopes: SlopesAtZero, capacity: Int) {
        self.shape = shape
        self.slopes = slopes
        count = fanIn.rows
        let inputs = shape.input.columns
        self.fanIn = AlignedBuffer(count: count * inputs)
        for row in 0..<count {
            for column in 0..<inputs { self.fanIn.pointer[row * inputs + column] = Float(fanIn[row, column]) }
        }
        bias = shape.input.hasOnes ? fanIn.column(inputs).map(Float.init) : Array(repeating: 0, count: count)
        activity = AlignedBuffer(count: capacity * count)
        features = AlignedBuffer(count: capacity * 2 * count)
        let side = ProductSum.Side(columns: 2 * count, hasOnes: false)
        covariance = ProductSum(side, side, isSymmetric: true)
    }

    func add(_ rows: SiteRows) {
        let (x, h, g) = shape.blocks(rows)
        Products.multiply(
            rows: rows.rows, columns: count, inner: x.columns, x.operand,
            Products.Operand(fanIn.pointer, stride: x.columns, transposed: true), into: activity.pointer,
            stride: count)
        rectify(rows.rows)
        let block = SampleBlock(features.pointer, rows: rows.rows, columns: 2 * count, hasOnes: false)
        covariance.add(block, block)
        let chunk = (gradient: ProductSum(side, shape.gradient), overlap: ProductSum(side, shape.hidden))
        chunk.gradient.add(block, g)
        chunk.overlap.add(block, h)
        chunks.append(
            ChunkMoments(
                rows: rows.rows, gradient: ProductSum.matrix([chunk.gradient], times: 1),
                overlap: ProductSum.matrix([chunk.overlap], times: 1)))
    }

    private var side: ProductSum.Side { ProductSum.Side(columns: 2 * count, hasOnes: false) }

    /// F = [σ₀(z) | σ₀(−z)].
    private func rectify(_ rows: Int) {
        let (right, left) = (Float(slopes.right), Float(slopes.left))
        for row in 0..<rows {
            let (from, into) = (activity.pointer + row * count, features.pointer + row * 2 * count)
            for neuron in 0..<count {
                let z = from[neuron] + bias[neuron]
                into[neuron] = (z > 0 ? right : left) * z
                into[count + neuron] = (z < 0 ? -right : -left) * z
            }
        }
    }

    /// The moments over all shards, per sample.
    static func moments(_ parts: [ThirdPassSums], samples: Int) -> CandidateMoments {
        let scale = 1 / Double(samples)
        let chunks = parts.flatMap(\.chunks)
        func sum(_ value: (ChunkMoments) -> Matrix) -> Matrix {
            guard let first = chunks.first.map(value) else { return Matrix(rows: 0, columns: 0) }
            return scale * chunks.dropFirst().reduce(first) { $0 + value($1) }
        }
        return CandidateMoments(
            gradient: sum(\.gradient), covariance: ProductSum.matrix(parts.map(\.covariance), times: scale),
            overlap: sum(\.overlap), taps: 1)
    }
}
