internal import CKernels
internal import Tensors

/// The statistics of one site and shard that are summed from patches written out, a few images at a time.
package final class PatchSums: StatisticSums {
    private let consumerCovariance: BlockSum?
    private let consumerMoment: BlockSum?
    private let inputCovariance: BlockSum?
    private let inputMoment: InputMomentSum?
    /// C_e for every neuron tap, or the one aligned part.
    private let overlap: [BlockSum]

    private let plan: SitePlan
    private let input: PatchRows
    private let hidden: PatchRows
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

    init(_ plan: SitePlan, _ statistics: [Statistic]) {
        self.plan = plan
        let geometry = plan.geometry
        (input, hidden) = (plan.input, plan.hidden)
        let (a, b, c) = (input.columns, hidden.columns, geometry.outChannels)

        let readsOverlap = statistics.contains(.overlap)
        needsInput = statistics.contains { $0.left == .input }
        needsHidden =
            statistics.contains { $0.left == .hidden } || readsOverlap && plan.overlapIsExact
        scales =
            statistics.contains(.inputCovariance) && plan.multiplicity.contains { $0 != 1 }
            ? plan.multiplicity.map { Float(Double($0).squareRoot()) } : nil

        let inputFloats = !needsInput ? 0 : scales == nil ? input.floats : input.positions * a
        let hiddenFloats = needsHidden ? hidden.floats : 0
        let gatheredFloats: Int
        if readsOverlap && plan.overlapIsExact {
            let positions = hidden.positions
            gatheredFloats = plan.readers.allSatisfy { $0.isInOrder(positions) } ? 0 : positions * a
        } else {
            gatheredFloats = readsOverlap ? geometry.hiddenCount : 0
        }
        images = PatchSums.images(floats: max(inputFloats + hiddenFloats, gatheredFloats))
        inputPatches = AlignedBuffer(count: images * inputFloats)
        hiddenPatches = AlignedBuffer(count: images * hiddenFloats)
        gathered = AlignedBuffer(count: images * gatheredFloats)

        consumerCovariance =
            statistics.contains(.consumerCovariance) ? BlockSum(b, b, isSymmetric: true) : nil
        consumerMoment = statistics.contains(.consumerMoment) ? BlockSum(b, c) : nil
        inputCovariance = statistics.contains(.inputCovariance) ? BlockSum(a, a, isSymmetric: true) : nil
        inputMoment = statistics.contains(.inputMoment) ? InputMomentSum(plan, images: images) : nil
        if readsOverlap && plan.overlapIsExact {
            overlap = plan.readers.map { _ in BlockSum(a, b) }
        } else {
            overlap = readsOverlap ? [BlockSum(a, geometry.width)] : []
        }
    }

    /// Images at a time for so many floats of patches per image.
    package static func images(floats: Int) -> Int {
        max(1, min(mostImages, patchBytes / (MemoryLayout<Float>.size * max(floats, 1))))
    }

    func add(rows: Int, _ image: (SampleImage) -> UnsafePointer<Float>) {
        guard needsInput || needsHidden else { return }
        let geometry = plan.geometry
        let (x, h, g) = (image(.input), image(.hidden), image(.gradient))
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

    func take(_ statistic: Statistic) -> [[Double]]? {
        switch statistic {
        case .consumerCovariance: consumerCovariance.map { [$0.take()] }
        case .consumerMoment: consumerMoment.map { [$0.take()] }
        case .inputCovariance: inputCovariance.map { [$0.take()] }
        case .inputMoment: inputMoment.map { [$0.take()] }
        case .overlap: overlap.isEmpty ? nil : overlap.map { $0.take() }
        }
    }

    static func total(_ statistic: Statistic, of parts: [PatchSums]) -> [[Double]]? {
        func sum(_ blocks: (PatchSums) -> BlockSum?) -> [[Double]]? {
            let found = parts.compactMap(blocks)
            return found.isEmpty ? nil : [BlockSum.total(found)]
        }
        switch statistic {
        case .consumerCovariance: return sum(\.consumerCovariance)
        case .consumerMoment: return sum(\.consumerMoment)
        case .inputCovariance: return sum(\.inputCovariance)
        case .inputMoment:
            let found = parts.compactMap(\.inputMoment)
            return found.isEmpty ? nil : [InputMomentSum.total(found)]
        case .overlap:
            guard let first = parts.first, !first.overlap.isEmpty else { return nil }
            return first.overlap.indices.map { tap in BlockSum.total(parts.map { $0.overlap[tap] }) }
        }
    }

    /// C_e += Σ_j x_l(j,e) h_jᵀ.
    private func addOverlap(_ count: Int, _ x: UnsafePointer<Float>, _ h: UnsafePointer<Float>) {
        for (tap, sum) in overlap.enumerated() {
            let rows = plan.readers[tap].isInOrder(hidden.positions) ? x : gather(count, x, tap: tap)
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
            for (place, position) in plan.readers[tap].enumerated() {
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
            for (place, times) in plan.multiplicity.enumerated() where times > 0 {
                let start = (image * plan.multiplicity.count + place) * width
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

/// Σ_l x_l g_j(l,e)ᵀ from patches written out, [a, E c], tap-major.
final class InputMomentSum {
    private let geometry: SiteGeometry
    private let readers: [[Int?]]
    private let places: Int
    private let inputs: Int
    /// One sum over all taps, or, where Q has one output position, one per tap: then each tap reads one place.
    private let sums: [BlockSum]
    /// Whether G stands as it is wanted: one tap that reads every place in turn.
    private let isInOrder: Bool
    private let gathered: AlignedBuffer

    init(_ plan: SitePlan, images: Int) {
        geometry = plan.geometry
        readers = plan.readers
        (places, inputs) = (plan.input.positions, plan.input.columns)
        let isSingle = geometry.output.count == 1
        let columns = geometry.outChannels * (isSingle ? 1 : readers.count)
        sums = (0..<(isSingle ? readers.count : 1)).map { [inputs] _ in BlockSum(inputs, columns) }
        isInOrder = readers.count == 1 && readers[0].isInOrder(geometry.output.count)
        gathered = AlignedBuffer(count: isSingle || isInOrder ? 0 : images * places * columns)
    }

    /// - Parameters:
    ///   - patches: of X, [images, places, a].
    ///   - gradient: [images, positions, c].
    func add(images: Int, patches: UnsafePointer<Float>, gradient: UnsafePointer<Float>) {
        let channels = geometry.outChannels
        if geometry.output.count == 1 {
            for (tap, sum) in sums.enumerated() {
                guard let place = readers[tap].firstIndex(where: { $0 != nil }) else { continue }
                sum.add(
                    rows: images, patches + place * inputs, stride: places * inputs, gradient,
                    stride: channels)
            }
            return
        }
        guard !isInOrder else {
            return sums[0].add(
                rows: images * places, patches, stride: inputs, gradient, stride: channels)
        }
        let columns = readers.count * channels
        var into = gathered.pointer
        for image in 0..<images {
            let source = gradient + image * geometry.outputCount
            for place in 0..<places {
                for reader in readers {
                    if let position = reader[place] {
                        into.update(from: source + position * channels, count: channels)
                    } else {
                        into.update(repeating: 0, count: channels)
                    }
                    into += channels
                }
            }
        }
        sums[0].add(rows: images * places, patches, stride: inputs, gathered.pointer, stride: columns)
    }

    /// The sum so far, [a, E c], tap-major; begins again at 0.
    func take() -> [Double] { tapMajor(sums.map { $0.take() }) }

    /// [a, E c], tap-major.
    static func total(_ parts: [InputMomentSum]) -> [Double] {
        guard let first = parts.first else { return [] }
        return first.tapMajor(
            first.sums.indices.map { index in BlockSum.total(parts.map { $0.sums[index] }) })
    }

    private func tapMajor(_ totals: [[Double]]) -> [Double] {
        guard totals.count > 1 else { return totals[0] }
        let channels = geometry.outChannels
        return (0..<inputs).flatMap { row in totals.flatMap { $0[row * channels..<(row + 1) * channels] } }
    }
}
