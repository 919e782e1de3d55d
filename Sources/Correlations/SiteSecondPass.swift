internal import CKernels
package import Tensors

/// Sums of the second pass over one site in one shard: G⊥ explicitly, and what follows from it.
///
/// Memory does not depend on the number of samples. Used by one thread; bits depend on the chunks given and their
/// order alone. Precision as in the first pass.
package final class SiteSecondPass {
    package let geometry: SiteGeometry
    private let plan: SitePlan
    private let update: ConsumerUpdate?
    private let spectralUpdate: SpectralUpdate?
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
        let needsN = plan.needs.contains(.crossCovariance)
        let perImage =
            needsN && plan.correlations[.inputMoment] == nil
            ? PatchRows(inputOf: geometry, plan.plane).floats : 0
        let fitting = PatchSums.images(floats: max(perImage, geometry.outputCount))
        if let shifts = plan.spectralUpdateShifts,
            let periods = plan.correlations[.consumerMoment].map({ LagSums.periods([$0]) })
        {
            images = max(1, LagSums.batch(geometry, periods) / 2)
            spectralUpdate = SpectralUpdate(
                weights, geometry: geometry, shifts: shifts, periods: periods, capacity: images)
            update = nil
        } else {
            images = fitting
            spectralUpdate = nil
            update = ConsumerUpdate(weights, geometry: geometry, plane: plan.plane, images: images)
        }
        sums = needsN ? PlannedSums(plan, [.inputMoment], images: images) : nil
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
            let h = h + first * geometry.hiddenCount
            subtract(from: g + first * geometry.outputCount, of: h, images: count)
            sum += vector_sum_of_squares(remaining.pointer, count * geometry.outputCount)
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

    private func subtract(from g: UnsafePointer<Float>, of h: UnsafePointer<Float>, images: Int) {
        update?.subtract(from: g, of: h, images: images, into: remaining.pointer)
        spectralUpdate?.subtract(from: g, of: h, images: images, into: remaining.pointer)
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
