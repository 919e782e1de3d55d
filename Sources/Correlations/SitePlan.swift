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
    /// The patches of X, and those of H at every output position of Q.
    let input: PatchRows
    let hidden: PatchRows
    /// For every neuron tap, the output position that reads a patch of X; how often each is read by all of them.
    let readers: [[Int?]]
    let multiplicity: [Int]

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
        plane = SitePlane(geometry)
        input = PatchRows(inputOf: geometry, plane)
        hidden = PatchRows(hiddenOf: geometry, plane)
        (readers, multiplicity) = (plane.readers, plane.multiplicity)
        overlapIsExact = SitePlan.keepsOverlap(geometry, limit: overlapLimit)
        guard route != .patches else { return }
        for correlation in shiftedCorrelations()
        where route == .shifts
            || LagSums.cost(geometry, [correlation]) < patchCost(correlation.statistic)
        {
            correlations[correlation.statistic] = correlation
        }
    }

    /// Of candidates' images F, [read, channels], in the place of X: FᵀF, FᵀG and FᵀH, through the taps by which Q reads
    /// new neurons.
    init(candidates channels: Int, of geometry: SiteGeometry, route: Route) {
        // One tap that reads every place in turn.
        let candidates = SiteGeometry(
            inChannels: channels, image: geometry.read, producer: Window(kernel: Extent(square: 1)),
            producerHasBias: false, width: geometry.width, consumer: geometry.consumer,
            consumerHasBias: geometry.consumerHasBias, outChannels: geometry.outChannels,
            scheme: geometry.scheme)
        self.geometry = candidates
        needs = [.inputCovariance, .inputMoment, .overlap]
        plane = SitePlane(candidates)
        input = PatchRows(candidatesOf: candidates, plane)
        hidden = PatchRows(hiddenOf: candidates, plane)
        readers = [(0..<geometry.output.count).map(Optional.some)]
        multiplicity = Array(repeating: 1, count: geometry.output.count)
        overlapIsExact = true
        let (features, others) = (input.columns, hidden.columns + geometry.outChannels)
        let patches = input.positions * features * (features + 2 * others + Self.writing)
        let shifted = candidateCorrelations()
        guard route == .shifts || route == .cheapest && LagSums.cost(candidates, shifted) < patches else {
            return
        }
        for correlation in shifted { correlations[correlation.statistic] = correlation }
    }

    /// FLOPs per image of a statistic from patches.
    private func patchCost(_ statistic: Statistic) -> Int {
        let (a, b, places, positions) = (input.columns, hidden.columns, input.positions, hidden.positions)
        func writing(_ rows: PatchRows) -> Int { rows.isImage ? 0 : Self.writing }
        switch statistic {
        case .consumerCovariance: return positions * b * (b + writing(hidden))
        case .consumerMoment: return positions * b * 2 * geometry.outChannels
        case .inputCovariance: return places * a * (a + writing(input))
        case .inputMoment: return places * a * (2 * geometry.outChannels * geometry.taps + writing(input))
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
    private static let writing = 40

    /// A statistic by lags, from what it is along rows (0) and columns (1).
    private func both(_ statistic: Statistic, _ make: (SiteAxis, Int) -> LagAxis) -> Correlation {
        Correlation(statistic, rows: make(plane.rows, 0), columns: make(plane.columns, 1))
    }

    /// The statistics of candidates by lags, FᵀH where there is an H; none where Q moves in larger steps.
    private func candidateCorrelations() -> [Correlation] {
        guard let consumer = consumerShifts else { return [] }
        func covariance(_ axis: SiteAxis, _ direction: Int, with taps: [Int]) -> LagAxis {
            .covariance(
                length: axis.read, taps: axis.neuronTaps, columnTaps: taps, shift: consumer[direction],
                weights: Array(repeating: 1, count: axis.output))
        }
        let ofFeatures = [
            both(.inputCovariance) { covariance($0, $1, with: $0.neuronTaps) },
            both(.inputMoment) { axis, direction in
                .moment(
                    left: axis.read, right: axis.output, taps: axis.neuronTaps, shift: consumer[direction],
                    weights: Array(repeating: 1, count: axis.output))
            },
        ]
        guard geometry.width > 0 else { return ofFeatures }
        return ofFeatures
            + [both(.overlap) { covariance($0, $1, with: Array(0..<$0.consumerTaps)) }]
    }

    /// Every statistic that can be summed by lags.
    private func shiftedCorrelations() -> [Correlation] {
        guard let consumer = consumerShifts else { return [] }
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

    init(_ plan: SitePlan, _ statistics: [Statistic]) {
        lags = LagSums(plan.geometry, statistics.compactMap { plan.correlations[$0] })
        patches = PatchSums(plan, statistics.filter { plan.correlations[$0] == nil })
    }

    func add(rows: Int, _ image: (SampleImage) -> UnsafePointer<Float>) {
        lags.add(rows: rows, image)
        patches.add(rows: rows, image)
    }

    func take(_ statistic: Statistic) -> [[Double]]? { lags.take(statistic) ?? patches.take(statistic) }

    static func total(_ statistic: Statistic, of parts: [PlannedSums]) -> [[Double]]? {
        LagSums.total(statistic, of: parts.map(\.lags))
            ?? PatchSums.total(statistic, of: parts.map(\.patches))
    }
}
