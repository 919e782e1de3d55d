internal import CKernels
internal import Tensors

/// Sums of the first pass over one site in one shard: what needs X, H and G as they are.
///
/// Memory does not depend on the number of samples. Used by one thread; bits depend on the chunks given and their
/// order alone. Products are Float32 over at most some thousand positions and added in Float64: sums are off by
/// about 5e-7 of the largest entry, tested against patches in Float64 for random geometries.
package final class SiteFirstPass {
    package let geometry: SiteGeometry
    private let plan: SitePlan
    private let sums: PlannedSums
    private let input: ImageSum
    private let hidden: ImageSum
    private let gradient: ImageSum
    private let gradientCovariance: BlockSum?
    /// Σ mult(l) h_l h_lᵀ, beside an aligned overlap.
    private let alignedHidden: BlockSum?
    private let scaledHidden: AlignedBuffer
    private var squares = 0.0
    private var samples = 0

    /// - Parameter plan: S_H, M and ‖G‖² are summed whatever it needs.
    package init(_ plan: SitePlan) {
        self.plan = plan
        geometry = plan.geometry
        sums = PlannedSums(plan, plan.statistics)
        input = ImageSum(count: geometry.inputCount)
        hidden = ImageSum(count: geometry.hiddenCount)
        gradient = ImageSum(count: geometry.outputCount)
        gradientCovariance =
            plan.needs.contains(.gradientCovariance)
            ? BlockSum(geometry.outChannels, geometry.outChannels, isSymmetric: true) : nil
        let isAligned = plan.needs.contains(.overlap) && !plan.overlapIsExact
        alignedHidden = isAligned ? BlockSum(geometry.width, geometry.width, isSymmetric: true) : nil
        scaledHidden = AlignedBuffer(count: isAligned ? geometry.hiddenCount : 0)
    }

    /// Adds a chunk of samples.
    ///
    /// - Parameters:
    ///   - x: X, [rows, image, inChannels].
    ///   - h: H, [rows, read, width]: what Q reads.
    ///   - g: G, [rows, output, outChannels].
    package func add(
        rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
        samples += rows
        input.add(rows: rows, x)
        hidden.add(rows: rows, h)
        gradient.add(rows: rows, g)
        squares += vector_sum_of_squares(g, rows * geometry.outputCount)
        gradientCovariance?.add(rows: rows * geometry.output.count, g)
        sums.add(rows: rows) { image in
            switch image {
            case .input: x
            case .hidden: h
            case .gradient: g
            }
        }
        if let alignedHidden {
            for row in 0..<rows { addAligned(h + row * geometry.hiddenCount, to: alignedHidden) }
        }
    }

    private func addAligned(_ h: UnsafePointer<Float>, to sum: BlockSum) {
        scaledHidden.pointer.update(repeating: 0, count: scaledHidden.count)
        for (place, times) in plan.plane.multiplicity.enumerated() where times > 0 {
            vector_multiply_add(
                h + place * geometry.width, Float(Double(times).squareRoot()),
                scaledHidden.pointer + place * geometry.width, geometry.width)
        }
        sum.add(rows: geometry.read.count, scaledHidden.pointer)
    }

    /// The sums of all shards, in their order, per sample.
    package static func combine(_ parts: [SiteFirstPass], samples: Int) -> FirstPassMatrices {
        guard let first = parts.first else {
            preconditionFailure("the sums of a site have at least one part")
        }
        let matrices = FirstPassSumsOfSite(
            plan: first.plan, linear: linear(parts), scale: 1 / Double(max(samples, 1)))
        func total(_ statistic: Statistic) -> [[Double]]? {
            PlannedSums.total(statistic, of: parts.map(\.sums))
        }
        return FirstPassMatrices(
            consumerCovariance: matrices.consumerCovariance(total(.consumerCovariance)?[0] ?? []),
            consumerMoment: matrices.consumerMoment(total(.consumerMoment)?[0] ?? []),
            gradientNorm: matrices.scale * parts.reduce(0) { $0 + $1.squares },
            gradientCovariance: first.gradientCovariance == nil
                ? nil : matrices.gradientCovariance(BlockSum.total(parts.compactMap(\.gradientCovariance))),
            inputCovariance: total(.inputCovariance).map { matrices.inputCovariance($0[0]) },
            inputMoment: total(.inputMoment).map { matrices.inputMoment($0[0]) },
            overlap: total(.overlap).map(matrices.overlap),
            alignedHidden: first.alignedHidden == nil
                ? nil : matrices.alignedHidden(BlockSum.total(parts.compactMap(\.alignedHidden))))
    }

    private static func linear(_ parts: [SiteFirstPass]) -> LinearSums {
        LinearSums(
            geometry: parts[0].geometry, plane: parts[0].plan.plane,
            input: ImageSum.total(parts.map(\.input)), hidden: ImageSum.total(parts.map(\.hidden)),
            gradient: ImageSum.total(parts.map(\.gradient)),
            samples: parts.reduce(0) { $0 + $1.samples })
    }
}
