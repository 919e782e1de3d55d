internal import Tensors

/// How each statistic of a site is summed: by shifts where windows move in steps of 1 and it costs less, else from
/// patches written out.
package struct SitePlan: Sendable {
    package let geometry: SiteGeometry
    let plane: SitePlane
    let needs: StatisticsNeeds
    /// Those that are summed by lags; the others are from patches.
    private(set) var correlations: [Statistic: Correlation] = [:]
    /// Whether the overlap is kept for every tap, or only the aligned part of it.
    package let overlapIsExact: Bool
    private let route: Route

    /// Ways of summing, for tests.
    package enum Route: CaseIterable, Sendable {
        case cheapest, shifts, patches
    }

    /// Bytes of C_e for all taps up to which they are kept.
    package static let exactOverlapBytes = 96 << 20

    package init(
        _ geometry: SiteGeometry, needs: StatisticsNeeds, route: Route = .cheapest,
        overlapLimit: Int = SitePlan.exactOverlapBytes
    ) {
        self.geometry = geometry
        self.needs = needs
        self.route = route
        plane = SitePlane(geometry)
        overlapIsExact = SitePlan.keepsOverlap(geometry, limit: overlapLimit)
        guard route != .patches else { return }
        for correlation in shiftedCorrelations()
        where route == .shifts
            || LagSums.cost(geometry, [correlation]) < patchCost(correlation.statistic)
        {
            correlations[correlation.statistic] = correlation
        }
    }

    /// FLOPs per image of a statistic from patches.
    private func patchCost(_ statistic: Statistic) -> Int {
        let (a, b) = (geometry.inChannels * geometry.producer.taps, geometry.width * geometry.consumer.taps)
        let (places, positions) = (geometry.read.count, geometry.output.count)
        func writing(_ rows: PatchRows) -> Int { rows.isImage ? 0 : Self.writing }
        switch statistic {
        case .consumerCovariance: return positions * b * (b + writing(PatchRows(hiddenOf: geometry, plane)))
        case .consumerMoment: return positions * b * 2 * geometry.outChannels
        case .inputCovariance: return places * a * (a + writing(PatchRows(inputOf: geometry, plane)))
        case .inputMoment:
            let taps = 2 * geometry.outChannels * geometry.taps
            return places * a * (taps + writing(PatchRows(inputOf: geometry, plane)))
        case .overlap:
            return a * 2
                * (overlapIsExact ? geometry.taps * positions * b : places * geometry.width)
        }
    }

    /// Whether the overlap is kept for every tap.
    package static func keepsOverlap(_ geometry: SiteGeometry, limit: Int = exactOverlapBytes) -> Bool {
        geometry.taps * geometry.inputs * geometry.hiddenInputs * MemoryLayout<Double>.size <= limit
    }

    /// FLOPs that writing one float of a patch is worth.
    static let writing = 40

    /// Q's shifts, where G⊥ costs less through spectra than tap by tap.
    var spectralUpdateShifts: [SiteAxis.Shift]? {
        guard let moment = correlations[.consumerMoment], let shifts = consumerShifts else { return nil }
        let periods = LagSums.periods([moment])
        let size = geometry.width * geometry.outChannels
        let transforms = [SampleImage.hidden, .gradient].reduce(0) {
            $0
                + ImageStage.cost(
                    geometry.extent(of: $1), periods: periods, channels: geometry.channels(of: $1))
        }
        let taps = 2 * geometry.consumer.taps * geometry.output.count * size
        return route == .shifts || transforms + 4 * periods.count * size < taps ? shifts : nil
    }

    /// Every statistic that can be summed by lags.
    private func shiftedCorrelations() -> [Correlation] {
        guard let consumer = consumerShifts else { return [] }
        let (rows, columns) = (plane.rows, plane.columns)
        func both(_ statistic: Statistic, _ make: (SiteAxis, Int) -> LagAxis) -> Correlation {
            Correlation(statistic, rows: make(rows, 0), columns: make(columns, 1))
        }
        let ofConsumer = [
            both(.consumerCovariance) { axis, direction in
                .covariance(
                    length: axis.read, taps: Array(0..<axis.consumerTaps), shift: consumer[direction],
                    weights: Array(repeating: 1, count: axis.output))
            },
            both(.consumerMoment) { axis, direction in
                .moment(
                    left: axis.read, right: axis.output, taps: Array(0..<axis.consumerTaps),
                    shift: consumer[direction], weights: Array(repeating: 1, count: axis.output))
            },
        ]
        guard let producer = producerShifts else { return ofConsumer }
        return ofConsumer + [
            both(.inputCovariance) { axis, direction in
                .covariance(
                    length: axis.phaseLength, taps: Array(0..<axis.producerTaps), phases: axis.phases,
                    shift: producer[direction], weights: axis.multiplicity)
            },
            both(.inputMoment) { axis, direction in
                .inputMoment(axis, producer: producer[direction], consumer: consumer[direction])
            },
            both(.overlap) { axis, direction in
                overlapIsExact
                    ? .overlap(axis, producer: producer[direction], consumer: consumer[direction])
                    : .moment(
                        left: axis.phaseLength, right: axis.read, taps: Array(0..<axis.producerTaps),
                        phases: axis.phases, shift: producer[direction], weights: axis.multiplicity)
            },
        ]
    }

    private var consumerShifts: [SiteAxis.Shift]? {
        guard let rows = plane.rows.consumerShift, let columns = plane.columns.consumerShift else {
            return nil
        }
        return [rows, columns]
    }

    private var producerShifts: [SiteAxis.Shift]? {
        guard let rows = plane.rows.producerShift, let columns = plane.columns.producerShift else {
            return nil
        }
        return [rows, columns]
    }
}

extension SitePlan {
    /// The statistics that are summed over X, H and G: always S_H and M.
    var statistics: [Statistic] {
        let needed: [(StatisticsNeeds, Statistic)] = [
            (.inputCovariance, .inputCovariance), (.inputMoment, .inputMoment), (.overlap, .overlap),
        ]
        return [.consumerCovariance, .consumerMoment] + needed.filter { needs.contains($0.0) }.map(\.1)
    }
}

/// Some statistics of one site in one shard, each summed in the way that the plan chose.
final class PlannedSums: StatisticSums {
    private let lags: LagSums
    private let patches: PatchSums

    /// - Parameter images: whose patches are written at a time; nil for as many as fit.
    init(_ plan: SitePlan, _ statistics: [Statistic], images: Int? = nil) {
        lags = LagSums(plan.geometry, statistics.compactMap { plan.correlations[$0] })
        patches = PatchSums(plan, statistics.filter { plan.correlations[$0] == nil }, images: images)
    }

    func add(rows: Int, _ image: (SampleImage) -> UnsafePointer<Float>) {
        lags.add(rows: rows, image)
        patches.add(rows: rows, image)
    }

    static func total(_ statistic: Statistic, of parts: [PlannedSums]) -> [[Double]]? {
        LagSums.total(statistic, of: parts.map(\.lags))
            ?? PatchSums.total(statistic, of: parts.map(\.patches))
    }
}
