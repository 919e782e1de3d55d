internal import CKernels
internal import Tensors

/// The statistics of the first pass over one site and shard that are summed from patches written out, a few images
/// at a time.
package final class PatchSums {
    let consumerCovariance: BlockSum?
    let consumerMoment: BlockSum?
    let inputCovariance: BlockSum?
    let inputMoment: InputMomentSum?
    /// C_e for every neuron tap, or the one aligned part.
    let overlap: [BlockSum]

    private let plan: SitePlan
    private let input: PatchRows
    private let hidden: PatchRows
    private let readers: [[Int?]]
    private let multiplicity: [Int]
    /// √mult of each place; nil where S needs no scaling.
    private let scales: [Float]?
    private let needsInput: Bool
    private let needsHidden: Bool
    /// Images whose patches are written at a time, and where.
    private let images: Int
    private let inputPatches: AlignedBuffer
    private let hiddenPatches: AlignedBuffer
    private let gathered: AlignedBuffer

    /// Bytes of patches held at a time.
    private static let patchBytes = 4 << 20
    private static let mostImages = 256

    init(_ plan: SitePlan) {
        self.plan = plan
        let (geometry, needs) = (plan.geometry, plan.needs)
        input = PatchRows(inputOf: geometry, plan.plane)
        hidden = PatchRows(hiddenOf: geometry, plan.plane)
        let (a, b, c) = (input.columns, hidden.columns, geometry.outChannels)
        readers = plan.plane.readers
        multiplicity = plan.plane.multiplicity

        let byPatches = (
            covariance: needs.contains(.inputCovariance) && plan.inputCovariance == nil,
            moment: needs.contains(.inputMoment) && plan.inputMoment == nil,
            overlap: needs.contains(.overlap) && plan.overlap == nil
        )
        needsInput = byPatches.covariance || byPatches.moment || byPatches.overlap
        needsHidden =
            plan.consumerCovariance == nil || plan.consumerMoment == nil
            || byPatches.overlap && plan.overlapIsExact
        scales =
            byPatches.covariance && multiplicity.contains { $0 != 1 }
            ? multiplicity.map { Float(Double($0).squareRoot()) } : nil

        let inputFloats = !needsInput ? 0 : scales == nil ? input.floats : input.positions * a
        let hiddenFloats = needsHidden ? hidden.floats : 0
        let gatheredFloats: Int
        if byPatches.overlap && plan.overlapIsExact {
            let positions = hidden.positions
            gatheredFloats = readers.allSatisfy { $0.isInOrder(positions) } ? 0 : positions * a
        } else {
            gatheredFloats = byPatches.overlap ? geometry.hiddenCount : 0
        }
        images = PatchSums.images(floats: max(inputFloats + hiddenFloats, gatheredFloats))
        inputPatches = AlignedBuffer(count: images * inputFloats)
        hiddenPatches = AlignedBuffer(count: images * hiddenFloats)
        gathered = AlignedBuffer(count: images * gatheredFloats)

        consumerCovariance = plan.consumerCovariance == nil ? BlockSum(b, b, isSymmetric: true) : nil
        consumerMoment = plan.consumerMoment == nil ? BlockSum(b, c) : nil
        inputCovariance = byPatches.covariance ? BlockSum(a, a, isSymmetric: true) : nil
        inputMoment = byPatches.moment ? InputMomentSum(geometry, plan.plane, images: images) : nil
        if byPatches.overlap && plan.overlapIsExact {
            overlap = (0..<geometry.taps).map { _ in BlockSum(a, b) }
        } else {
            overlap = byPatches.overlap ? [BlockSum(a, geometry.width)] : []
        }
    }

    /// Images at a time for so many floats of patches per image.
    package static func images(floats: Int) -> Int {
        max(1, min(mostImages, patchBytes / (MemoryLayout<Float>.size * max(floats, 1))))
    }

    func add(
        rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
        guard needsInput || needsHidden else { return }
        let geometry = plan.geometry
        for first in stride(from: 0, to: rows, by: images) {
            add(
                min(images, rows - first), x: x + first * geometry.inputCount,
                h: h + first * geometry.hiddenCount, g: g + first * geometry.outputCount)
        }
    }

    private func add(
        _ count: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
        let geometry = plan.geometry
        let hiddenRows =
            needsHidden
            ? hidden.patches(of: h, count: count, size: geometry.hiddenCount, in: hiddenPatches) : h
        consumerCovariance?.add(rows: count * hidden.positions, hiddenRows)
        consumerMoment?.add(
            rows: count * hidden.positions, hiddenRows, stride: hidden.columns, g,
            stride: geometry.outChannels)
        guard needsInput else { return }
        let inputRows = input.patches(of: x, count: count, size: geometry.inputCount, in: inputPatches)
        inputMoment?.add(images: count, patches: inputRows, gradient: g)
        if plan.overlapIsExact {
            addOverlap(count, inputRows, hiddenRows)
        } else {
            addAlignedOverlap(count, inputRows, h)
        }
        inputCovariance?.add(rows: count * input.positions, scaled(inputRows, count))
    }

    /// C_e += Σ_j x_l(j,e) h_jᵀ.
    private func addOverlap(_ count: Int, _ x: UnsafePointer<Float>, _ h: UnsafePointer<Float>) {
        for (tap, sum) in overlap.enumerated() {
            let rows = readers[tap].isInOrder(hidden.positions) ? x : gather(count, x, tap: tap)
            sum.add(
                rows: count * hidden.positions, rows, stride: input.columns, h, stride: hidden.columns)
        }
    }

    /// For every output position, the patch at the place that a tap reads.
    private func gather(_ count: Int, _ x: UnsafePointer<Float>, tap: Int) -> UnsafePointer<Float> {
        gathered.pointer.update(repeating: 0, count: count * hidden.positions * input.columns)
        for image in 0..<count {
            let from = x + image * input.positions * input.columns
            let into = gathered.pointer + image * hidden.positions * input.columns
            for (place, position) in readers[tap].enumerated() {
                guard let position else { continue }
                (into + position * input.columns).update(
                    from: from + place * input.columns, count: input.columns)
            }
        }
        return UnsafePointer(gathered.pointer)
    }

    /// Σ_l mult(l) x_l h_lᵀ.
    private func addAlignedOverlap(_ count: Int, _ x: UnsafePointer<Float>, _ h: UnsafePointer<Float>) {
        guard let sum = overlap.first else { return }
        let width = plan.geometry.width
        gathered.pointer.update(repeating: 0, count: count * plan.geometry.hiddenCount)
        for image in 0..<count {
            for (place, times) in multiplicity.enumerated() where times > 0 {
                let start = (image * multiplicity.count + place) * width
                vector_multiply_add(h + start, Float(times), gathered.pointer + start, width)
            }
        }
        sum.add(
            rows: count * input.positions, x, stride: input.columns, gathered.pointer, stride: width)
    }

    /// Patches by √mult, so that a plain product counts each place as often as it is read.
    private func scaled(_ patches: UnsafePointer<Float>, _ count: Int) -> UnsafePointer<Float> {
        guard let scales else { return patches }
        let size = input.positions * input.columns
        if input.isImage { inputPatches.pointer.update(from: patches, count: count * size) }
        for (place, scale) in scales.enumerated() where scale != 1 {
            for image in 0..<count {
                let row = inputPatches.pointer + image * size + place * input.columns
                for column in 0..<input.columns { row[column] *= scale }
            }
        }
        return UnsafePointer(inputPatches.pointer)
    }
}

extension [Int?] {
    /// Whether each place is read by the position of the same number, and there are no more of them.
    fileprivate func isInOrder(_ positions: Int) -> Bool {
        count == positions && enumerated().allSatisfy { $0 == $1 }
    }
}
