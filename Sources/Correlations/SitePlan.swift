internal import Tensors

/// How each statistic of a site is summed: by shifts where windows move in steps of 1 and it costs less, else from
/// patches written out.
package struct SitePlan: Sendable {
    package let geometry: SiteGeometry
    let plane: SitePlane
    let needs: StatisticsNeeds
    /// nil: from patches.
    private(set) var consumerCovariance: LagPlan?
    private(set) var consumerMoment: LagPlan?
    private(set) var inputCovariance: LagPlan?
    private(set) var inputMoment: LagPlan?
    private(set) var overlap: LagPlan?
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
        let found = shiftPlans()
        func chosen(_ plan: LagPlan?, _ left: LagSums.Image, _ right: LagSums.Image, patches: Int) -> LagPlan?
        {
            guard let plan else { return nil }
            return route == .shifts
                || LagSums.cost(geometry, [.init(plan: plan, left: left, right: right)]) < patches
                ? plan : nil
        }
        let (a, b) = (geometry.inChannels * geometry.producer.taps, geometry.width * geometry.consumer.taps)
        let (places, positions) = (geometry.read.count, geometry.output.count)
        let writingInput = PatchRows(inputOf: geometry, plane).isImage ? 0 : Self.writing
        let writingHidden = PatchRows(hiddenOf: geometry, plane).isImage ? 0 : Self.writing
        consumerCovariance = chosen(
            found.consumerCovariance, .hidden, .hidden, patches: positions * b * (b + writingHidden))
        consumerMoment = chosen(
            found.consumerMoment, .hidden, .gradient, patches: positions * b * 2 * geometry.outChannels)
        inputCovariance = chosen(
            found.inputCovariance, .input, .input, patches: places * a * (a + writingInput))
        inputMoment = chosen(
            found.inputMoment, .input, .gradient,
            patches: places * a * (2 * geometry.outChannels * geometry.taps + writingInput))
        let perTap = overlapIsExact ? geometry.taps * positions * b : places * geometry.width
        overlap = chosen(found.overlap, .input, .hidden, patches: a * 2 * perTap)
    }

    /// Whether the overlap is kept for every tap.
    package static func keepsOverlap(_ geometry: SiteGeometry, limit: Int = exactOverlapBytes) -> Bool {
        geometry.taps * geometry.inputs * geometry.hiddenInputs * MemoryLayout<Double>.size <= limit
    }

    /// FLOPs that writing one float of a patch is worth.
    static let writing = 40

    /// Q's shifts, where G⊥ costs less through spectra than tap by tap.
    var spectralUpdateShifts: [SiteAxis.Shift]? {
        guard let consumerMoment, let shifts = consumerShifts else { return nil }
        let periods = LagSums.periods([consumerMoment])
        let size = geometry.width * geometry.outChannels
        let transforms = [LagSums.Image.hidden, .gradient].reduce(0) {
            $0
                + ImageStage.cost(
                    geometry.extent(of: $1), periods: periods, channels: geometry.channels(of: $1))
        }
        let taps = 2 * geometry.consumer.taps * geometry.output.count * size
        return route == .shifts || transforms + 4 * periods.count * size < taps ? shifts : nil
    }

    private struct ShiftPlans {
        var consumerCovariance, consumerMoment, inputCovariance, inputMoment, overlap: LagPlan?
    }

    private func shiftPlans() -> ShiftPlans {
        var plans = ShiftPlans()
        guard let consumer = consumerShifts else { return plans }
        let (rows, columns) = (plane.rows, plane.columns)
        func both(_ make: (SiteAxis, Int) -> LagAxis, isSymmetric: Bool = false) -> LagPlan {
            LagPlan(rows: make(rows, 0), columns: make(columns, 1), isSymmetric: isSymmetric)
        }
        plans.consumerCovariance = both(
            { axis, direction in
                .covariance(
                    length: axis.read, taps: Array(0..<axis.consumerTaps), shift: consumer[direction],
                    weights: Array(repeating: 1, count: axis.output))
            }, isSymmetric: true)
        plans.consumerMoment = both { axis, direction in
            .moment(
                left: axis.read, right: axis.output, taps: Array(0..<axis.consumerTaps),
                shift: consumer[direction], weights: Array(repeating: 1, count: axis.output))
        }
        guard let producer = producerShifts else { return plans }
        plans.inputCovariance = both(
            { axis, direction in
                .covariance(
                    length: axis.phaseLength, taps: Array(0..<axis.producerTaps), phases: axis.phases,
                    shift: producer[direction], weights: axis.multiplicity)
            }, isSymmetric: true)
        plans.inputMoment = both { axis, direction in
            .inputMoment(axis, producer: producer[direction], consumer: consumer[direction])
        }
        plans.overlap = both { axis, direction in
            overlapIsExact
                ? .overlap(axis, producer: producer[direction], consumer: consumer[direction])
                : .moment(
                    left: axis.phaseLength, right: axis.read, taps: Array(0..<axis.producerTaps),
                    phases: axis.phases, shift: producer[direction], weights: axis.multiplicity)
        }
        return plans
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
