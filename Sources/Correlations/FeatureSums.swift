internal import Tensors

/// Sums over the images F of candidates of one site in one shard: FᵀF over all samples, FᵀG, FᵀH and ΣF part by part.
///
/// By shifts where the consumer's windows move in steps of 1 and it costs less, else from patches. Tap-major, as
/// ``PatchRows`` has columns. Used by one thread.
package final class FeatureSums {
    /// The sums over some samples in a row.
    package struct Part {
        /// FᵀG, [2 k E, c].
        package let gradient: [Double]
        /// FᵀH, [2 k E, width · taps], without the ones.
        package let overlap: [Double]
        /// Σ over positions of F, [2 k E].
        package let ones: [Double]
    }

    /// Neuron taps of a candidate.
    package let taps: Int
    private let channels: Int
    private let readers: [[Int?]]
    private let images: ImageSum
    private let shifts: LagSums?
    private let patches: FeaturePatches?

    /// - Parameters:
    ///   - channels: 2 k.
    package init(_ geometry: SiteGeometry, channels: Int, route: SitePlan.Route = .cheapest) {
        self.channels = channels
        taps = geometry.taps
        let plane = SitePlane(geometry)
        readers = plane.readers
        // Candidates in the place of the input: one tap that reads every place in turn.
        let candidates = SiteGeometry(
            inChannels: channels, image: geometry.read, producer: Window(kernel: Extent(square: 1)),
            producerHasBias: false, width: geometry.width, consumer: geometry.consumer,
            consumerHasBias: geometry.consumerHasBias, outChannels: geometry.outChannels,
            scheme: geometry.scheme)
        images = ImageSum(count: candidates.inputCount)
        let plan = FeaturePlan(candidates, plane)
        if let plan, route == .shifts || route == .cheapest && plan.isCheaper {
            shifts = LagSums(candidates, plan.correlations)
            patches = nil
        } else {
            shifts = nil
            patches = FeaturePatches(candidates, plane)
        }
    }

    /// Adds samples, images before positions before channels.
    package func add(
        rows: Int, features: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
        images.add(rows: rows, features)
        patches?.add(rows: rows, features: features, h: h, g: g)
        shifts?.add(rows: rows) { image in
            switch image {
            case .input: features
            case .hidden: h
            case .gradient: g
            }
        }
    }

    /// What was added since this was called last.
    package func takePart() -> Part {
        let sums = images.take()
        let ones = readers.flatMap { places in
            var ones = Array(repeating: 0.0, count: channels)
            for (place, position) in places.enumerated() where position != nil {
                for channel in 0..<channels { ones[channel] += sums[place * channels + channel] }
            }
            return ones
        }
        if let patches {
            return Part(gradient: patches.gradient.take(), overlap: patches.overlap.take(), ones: ones)
        }
        shifts?.finish()
        return Part(
            gradient: shifts?.take(.inputMoment) ?? [], overlap: shifts?.take(.overlap) ?? [], ones: ones)
    }

    /// FᵀF over all parts of all shards, [2 k E, 2 k E].
    package static func covariance(_ parts: [FeatureSums]) -> [Double] {
        LagSums.total(.inputCovariance, of: parts.compactMap(\.shifts))?[0]
            ?? BlockSum.total(parts.compactMap { $0.patches?.covariance })
    }
}

/// The sums over candidates as sums over lags, candidates in the place of X: FF, FG, and FH where there is an H.
private struct FeaturePlan {
    let correlations: [Correlation]
    /// Whether it costs less than patches.
    let isCheaper: Bool

    init?(_ geometry: SiteGeometry, _ plane: SitePlane) {
        guard let rows = plane.rows.consumerShift, let columns = plane.columns.consumerShift else {
            return nil
        }
        let axes = [(plane.rows, rows), (plane.columns, columns)]
        func both(_ statistic: Statistic, _ make: (SiteAxis, SiteAxis.Shift, [Int]) -> LagAxis) -> Correlation
        {
            let made = axes.map { make($0, $1, Array(repeating: 1, count: $0.output)) }
            return Correlation(statistic, rows: made[0], columns: made[1])
        }
        var correlations = [
            both(.inputCovariance) { axis, shift, weights in
                .covariance(length: axis.read, taps: axis.neuronTaps, shift: shift, weights: weights)
            },
            both(.inputMoment) { axis, shift, weights in
                .moment(
                    left: axis.read, right: axis.output, taps: axis.neuronTaps, shift: shift, weights: weights
                )
            },
        ]
        if geometry.width > 0 {
            correlations.append(
                both(.overlap) { axis, shift, weights in
                    .covariance(
                        length: axis.read, taps: axis.neuronTaps, columnTaps: Array(0..<axis.consumerTaps),
                        shift: shift, weights: weights)
                })
        }
        self.correlations = correlations
        let features = geometry.inChannels * geometry.taps
        let others = geometry.width * geometry.consumer.taps + geometry.outChannels
        let patches = geometry.output.count * features * (features + 2 * others + SitePlan.writing)
        isCheaper = LagSums.cost(geometry, correlations) < patches
    }
}

/// The same from patches written out, some samples at a time.
private final class FeaturePatches {
    let covariance: BlockSum
    let gradient: BlockSum
    let overlap: BlockSum
    private let geometry: SiteGeometry
    private let features: PatchRows
    private let hidden: PatchRows
    private let block: Int
    private let featurePatches: AlignedBuffer
    private let hiddenPatches: AlignedBuffer

    init(_ geometry: SiteGeometry, _ plane: SitePlane) {
        self.geometry = geometry
        features = PatchRows(candidatesOf: geometry, plane)
        hidden = PatchRows(hiddenOf: geometry, plane)
        covariance = BlockSum(features.columns, features.columns, isSymmetric: true)
        gradient = BlockSum(features.columns, geometry.outChannels)
        overlap = BlockSum(features.columns, hidden.columns)
        block = PatchSums.images(floats: features.floats + hidden.floats)
        featurePatches = AlignedBuffer(count: block * features.floats)
        hiddenPatches = AlignedBuffer(count: block * hidden.floats)
    }

    func add(
        rows: Int, features images: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            let positions = count * features.positions
            let f = features.patches(
                of: images + first * geometry.inputCount, count: count, size: geometry.inputCount,
                in: featurePatches)
            covariance.add(rows: positions, f)
            gradient.add(
                rows: positions, f, stride: features.columns, g + first * geometry.outputCount,
                stride: geometry.outChannels)
            guard hidden.columns > 0 else { continue }
            let read = hidden.patches(
                of: h + first * geometry.hiddenCount, count: count, size: geometry.hiddenCount,
                in: hiddenPatches)
            overlap.add(
                rows: positions, f, stride: features.columns, read, stride: hidden.columns)
        }
    }
}

extension PatchRows {
    /// What the taps of new neurons read at every output position of Q.
    fileprivate convenience init(candidatesOf geometry: SiteGeometry, _ plane: SitePlane) {
        func sources(_ axis: SiteAxis) -> [[[SiteAxis.Source]]] {
            axis.hiddenSources.map { taps in axis.neuronTaps.map { taps[$0] } }
        }
        self.init(
            rows: sources(plane.rows), columns: sources(plane.columns), image: geometry.read,
            channels: geometry.inChannels)
    }
}
