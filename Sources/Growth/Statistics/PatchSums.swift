internal import Networks
internal import CKernels
internal import Tensors

/// The statistics of the first pass over one site and shard that are summed from patches written out, a few images
/// at a time.
final class PatchSums {
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
        let needsInput = byPatches.covariance || byPatches.moment || byPatches.overlap
        let needsHidden =
            plan.consumerCovariance == nil || plan.consumerMoment == nil
            || byPatches.overlap && plan.overlapIsExact
        images = PatchSums.images(
            floats: (needsInput ? input.positions * a : 0) + (needsHidden ? hidden.positions * b : 0))
        inputPatches = AlignedBuffer(count: needsInput ? images * input.positions * a : 0)
        hiddenPatches = AlignedBuffer(count: needsHidden ? images * hidden.positions * b : 0)

        consumerCovariance = plan.consumerCovariance == nil ? BlockSum(b, b, isSymmetric: true) : nil
        consumerMoment = plan.consumerMoment == nil ? BlockSum(b, c) : nil
        inputCovariance = byPatches.covariance ? BlockSum(a, a, isSymmetric: true) : nil
        inputMoment = byPatches.moment ? InputMomentSum(geometry, plan.plane, images: images) : nil
        if byPatches.overlap && plan.overlapIsExact {
            overlap = (0..<geometry.taps).map { _ in BlockSum(a, b) }
            gathered = AlignedBuffer(count: images * hidden.positions * a)
        } else if byPatches.overlap {
            overlap = [BlockSum(a, geometry.width)]
            gathered = AlignedBuffer(count: images * geometry.hiddenCount)
        } else {
            overlap = []
            gathered = AlignedBuffer(count: 0)
        }
    }

    /// Images at a time for so many floats of patches per image.
    static func images(floats: Int) -> Int {
        max(1, min(mostImages, patchBytes / (MemoryLayout<Float>.size * max(floats, 1))))
    }

    func add(
        rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
        guard inputPatches.count + hiddenPatches.count > 0 else { return }
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
        if hiddenPatches.count > 0 {
            for image in 0..<count {
                hidden.fill(
                    h + image * geometry.hiddenCount,
                    into: hiddenPatches.pointer + image * hidden.positions * hidden.columns)
            }
            consumerCovariance?.add(rows: count * hidden.positions, hiddenPatches.pointer)
            consumerMoment?.add(
                rows: count * hidden.positions, hiddenPatches.pointer, stride: hidden.columns, g,
                stride: geometry.outChannels)
        }
        guard inputPatches.count > 0 else { return }
        for image in 0..<count {
            input.fill(
                x + image * geometry.inputCount,
                into: inputPatches.pointer + image * input.positions * input.columns)
        }
        inputMoment?.add(images: count, patches: inputPatches.pointer, gradient: g)
        if plan.overlapIsExact { addOverlap(count) } else { addAlignedOverlap(count, h) }
        guard let inputCovariance else { return }
        scaleInput(count)
        inputCovariance.add(rows: count * input.positions, inputPatches.pointer)
    }

    /// C_e += Σ_j x_l(j,e) h_jᵀ.
    private func addOverlap(_ count: Int) {
        for (tap, sum) in overlap.enumerated() {
            gathered.pointer.update(repeating: 0, count: count * hidden.positions * input.columns)
            for image in 0..<count {
                let from = inputPatches.pointer + image * input.positions * input.columns
                let into = gathered.pointer + image * hidden.positions * input.columns
                for (place, position) in readers[tap].enumerated() {
                    guard let position else { continue }
                    (into + position * input.columns).update(
                        from: from + place * input.columns, count: input.columns)
                }
            }
            sum.add(
                rows: count * hidden.positions, gathered.pointer, stride: input.columns,
                hiddenPatches.pointer, stride: hidden.columns)
        }
    }

    /// Σ_l mult(l) x_l h_lᵀ.
    private func addAlignedOverlap(_ count: Int, _ h: UnsafePointer<Float>) {
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
            rows: count * input.positions, inputPatches.pointer, stride: input.columns, gathered.pointer,
            stride: width)
    }

    /// Scales patches so that a plain product counts each place as often as it is read.
    private func scaleInput(_ count: Int) {
        for (place, times) in multiplicity.enumerated() where times != 1 {
            let factor = Float(Double(times).squareRoot())
            for image in 0..<count {
                let row = inputPatches.pointer + (image * input.positions + place) * input.columns
                for column in 0..<input.columns { row[column] *= factor }
            }
        }
    }
}
