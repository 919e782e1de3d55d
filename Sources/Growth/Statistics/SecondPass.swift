internal import Tensors

/// Sums of the second pass over one site in one shard: G⊥ explicitly, and what follows from it.
final class SecondPassSums {
    let crossCovariance: ProductSum?
    /// ‖G⊥‖² of each chunk, in the order of this shard's chunks.
    private(set) var squares: [(rows: Int, sum: Double)] = []
    private let shape: SiteShape
    private let update: UpdateRows
    private let remaining: AlignedBuffer

    /// - Parameters:
    ///   - update: δW*, [c, b].
    ///   - capacity: the largest number of rows of a chunk.
    init(_ shape: SiteShape, update: Matrix, needs: StatisticsNeeds, capacity: Int) {
        self.shape = shape
        self.update = UpdateRows(update, hasOnes: shape.hidden.hasOnes)
        remaining = AlignedBuffer(count: capacity * shape.gradient.columns)
        crossCovariance = needs.contains(.crossCovariance) ? ProductSum(shape.input, shape.gradient) : nil
    }

    func add(_ rows: SiteRows) {
        let (x, h, g) = shape.blocks(rows)
        update.subtract(from: g, of: h, into: remaining.pointer)
        let block = SampleBlock(remaining.pointer, rows: rows.rows, columns: g.columns, hasOnes: false)
        crossCovariance?.add(x, block)
        var sum = 0.0
        for index in 0..<rows.rows * g.columns {
            let value = Double(remaining.pointer[index])
            sum += value * value
        }
        squares.append((rows.rows, sum))
    }
}

/// G⊥ = G − H δW*ᵀ for chunks of rows, in Float32.
final class UpdateRows {
    private let weights: AlignedBuffer
    private let bias: [Float]
    private let inputs: Int
    private let outputs: Int

    /// - Parameter update: δW*, [c, b]; its last column is the bias's if the rows of H have ones.
    init(_ update: Matrix, hasOnes: Bool) {
        inputs = update.columns - (hasOnes ? 1 : 0)
        outputs = update.rows
        weights = AlignedBuffer(count: inputs * outputs)
        for row in 0..<outputs {
            for column in 0..<inputs { weights.pointer[row * inputs + column] = -Float(update[row, column]) }
        }
        bias = hasOnes ? update.column(inputs).map { -Float($0) } : Array(repeating: 0, count: outputs)
    }

    /// Writes G⊥, [rows, outputs].
    func subtract(
        from gradient: SampleBlock, of hidden: SampleBlock, into result: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<gradient.rows {
            let (from, into) = (gradient.pointer + row * outputs, result + row * outputs)
            for column in 0..<outputs { into[column] = from[column] + bias[column] }
        }
        Products.multiply(
            rows: gradient.rows, columns: outputs, inner: inputs, hidden.operand,
            Products.Operand(weights.pointer, stride: inputs, transposed: true), into: result,
            stride: outputs, beta: 1)
    }
}
