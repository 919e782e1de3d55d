internal import CKernels
package import Tensors

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

/// Sums of the second pass over one site in one shard: G⊥ explicitly, and what follows from it.
///
/// Memory does not depend on the number of samples. Used by one thread; bits depend on the chunks given and their
/// order alone. Precision as in the first pass.
package final class SiteSecondPass {
    package let geometry: SiteGeometry
    private let plan: SitePlan
    /// −δW* over H.
    private let followed: AffineMap
    /// Σ x g⊥ᵀ, where N is asked for.
    private let sums: PlannedSums?
    private let remaining: AlignedBuffer
    private let gradient: ImageSum
    /// Images at a time.
    private let images: Int
    private var squares: [(rows: Int, sum: Double)] = []
    private var samples = 0

    /// - Parameter weights: δW*, [c, b], columns channel-major as in the first pass.
    package init(_ plan: SitePlan, update weights: Matrix) {
        self.plan = plan
        geometry = plan.geometry
        let fitting = PatchSums.images(floats: max(geometry.hiddenCount, geometry.outputCount))
        images = (fitting + AffineMap.lanes - 1) / AffineMap.lanes * AffineMap.lanes
        followed = AffineMap(
            -weights, hasBias: geometry.consumerHasBias, window: geometry.consumer, over: geometry.read,
            channels: geometry.width, capacity: images)
        sums = plan.needs.contains(.crossCovariance) ? PlannedSums(plan, [.inputMoment]) : nil
        remaining = AlignedBuffer(count: images * geometry.outputCount)
        gradient = ImageSum(count: geometry.outputCount)
    }

    /// Adds a chunk of samples, laid out as in the first pass.
    package func add(
        rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
        samples += rows
        var sum = 0.0
        for first in stride(from: 0, to: rows, by: images) {
            let count = min(images, rows - first)
            let (h, floats) = (h + first * geometry.hiddenCount, count * geometry.outputCount)
            followed.apply(to: h, rows: count, into: remaining.pointer)
            vector_multiply_add(g + first * geometry.outputCount, 1, remaining.pointer, floats)
            sum += vector_sum_of_squares(remaining.pointer, floats)
            guard let sums else { continue }
            gradient.add(rows: count, remaining.pointer)
            sums.add(rows: count) { image in
                switch image {
                case .input: x + first * geometry.inputCount
                case .hidden: h
                case .gradient: UnsafePointer(remaining.pointer)
                }
            }
        }
        squares.append((rows, sum))
    }

    /// The sums of all shards, in their order; N per sample.
    package static func combine(_ parts: [SiteSecondPass], samples: Int) -> SecondPassMatrices {
        guard let first = parts.first else {
            preconditionFailure("the sums of a site have at least one part")
        }
        var result = SecondPassMatrices(squares: parts.flatMap(\.squares))
        guard let sum = PlannedSums.total(.inputMoment, of: parts.compactMap(\.sums)) else { return result }
        let linear = LinearSums(
            geometry: first.geometry, plane: first.plan.plane, input: [], hidden: [],
            gradient: ImageSum.total(parts.map(\.gradient)), samples: parts.reduce(0) { $0 + $1.samples })
        result.crossCovariance = FirstPassSumsOfSite(
            plan: first.plan, linear: linear, scale: 1 / Double(max(samples, 1))
        ).inputMoment(sum[0])
        return result
    }
}
