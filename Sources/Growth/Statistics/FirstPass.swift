internal import Tensors

/// Sums of the first pass over one site in one shard: what needs X, H and G as they are.
final class FirstPassSums {
    let consumerCovariance: ProductSum
    let consumerMoment: ProductSum
    let gradientCovariance: ProductSum
    let inputCovariance: ProductSum?
    let overlap: ProductSum?
    let inputMoment: ProductSum?
    private let shape: SiteShape

    init(_ shape: SiteShape, needs: StatisticsNeeds) {
        self.shape = shape
        consumerCovariance = ProductSum(shape.hidden, shape.hidden, isSymmetric: true)
        consumerMoment = ProductSum(shape.hidden, shape.gradient)
        gradientCovariance = ProductSum(shape.gradient, shape.gradient, isSymmetric: true)
        inputCovariance =
            needs.contains(.inputCovariance) ? ProductSum(shape.input, shape.input, isSymmetric: true) : nil
        overlap = needs.contains(.overlap) ? ProductSum(shape.input, shape.hidden) : nil
        inputMoment = needs.contains(.inputMoment) ? ProductSum(shape.input, shape.gradient) : nil
    }

    func add(_ rows: SiteRows) {
        let (x, h, g) = shape.blocks(rows)
        consumerCovariance.add(h, h)
        consumerMoment.add(h, g)
        gradientCovariance.add(g, g)
        inputCovariance?.add(x, x)
        overlap?.add(x, h)
        inputMoment?.add(x, g)
    }
}

/// The columns of X, H and G of a site, and which have ones.
struct SiteShape {
    let input: ProductSum.Side
    let hidden: ProductSum.Side
    let gradient: ProductSum.Side

    func blocks(_ rows: SiteRows) -> (x: SampleBlock, h: SampleBlock, g: SampleBlock) {
        func block(_ pointer: UnsafePointer<Float>, _ side: ProductSum.Side) -> SampleBlock {
            SampleBlock(pointer, rows: rows.rows, columns: side.columns, hasOnes: side.hasOnes)
        }
        return (block(rows.input, input), block(rows.hidden, hidden), block(rows.gradient, gradient))
    }
}
