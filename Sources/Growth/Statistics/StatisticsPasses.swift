internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// The first two passes over the samples, for all ways through all widths at once.
struct StatisticsPasses {
    /// What is measured of one reading.
    struct Target {
        /// For messages.
        let name: String
        let geometry: SiteGeometry
        /// S, where it is known already.
        var inputCovariance: Matrix?
        /// Bytes of C_e for all taps up to which they are kept.
        var overlapLimit = SitePlan.exactOverlapBytes
    }

    /// Has a reading for every target.
    let activities: SiteActivities
    let targets: [Target]
    let needs: StatisticsNeeds
    let rankThreshold: Double
    let threads: Int
    /// Whether N is taken from the first pass where it can be had from XᵀG and C.
    var derivesDirections = true

    private var samples: Int { activities.samples }

    /// Whether N of a target can follow from XᵀG and C.
    private func derivesDirections(_ target: Target) -> Bool {
        derivesDirections && needs.isSuperset(of: [.overlap, .crossCovariance])
            && SitePlan.keepsOverlap(target.geometry, limit: target.overlapLimit)
    }

    /// What the first pass sums for a target.
    private func firstNeeds(_ target: Target) -> StatisticsNeeds {
        var needs = needs
        if target.inputCovariance != nil { needs.remove(.inputCovariance) }
        if derivesDirections(target) { needs.insert(.inputMoment) }
        return needs
    }

    /// Everything but Ψ, which stands as the difference of ‖G‖² and what δW* follows, and N where it is not derived.
    func first() throws -> [SiteStatistics] {
        let sums = Shared(
            (0..<activities.shardCount).map { _ in
                targets.map { target in
                    SiteFirstPass(
                        SitePlan(
                            target.geometry, needs: firstNeeds(target), overlapLimit: target.overlapLimit))
                }
            })
        try activities.visit(threads: threads) { shard, rows in
            for (index, rows) in rows.enumerated() {
                sums.value[shard][index].add(
                    rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
            }
        }
        return try WorkerTeam.map(targets.count, threads: threads) { index in
            let target = targets[index]
            var found = SiteFirstPass.combine(sums.value.map { $0[index] }, samples: samples)
            if let known = target.inputCovariance { found.inputCovariance = known }
            do {
                return try statistics(target, found)
            } catch let problem as LinearAlgebraError {
                throw GrowthError.unsolvable(width: target.name, problem: problem)
            }
        }
    }

    private func statistics(_ target: Target, _ found: FirstPassMatrices) throws -> SiteStatistics {
        guard found.gradientNorm.isFinite else {
            throw GrowthError.notFinite(width: target.name, what: "gradient")
        }
        guard found.consumerCovariance.isFinite else {
            throw GrowthError.notFinite(width: target.name, what: "activity")
        }
        let update = try BestUpdate(
            covariance: found.consumerCovariance, moment: found.consumerMoment, threshold: rankThreshold)
        return SiteStatistics(
            samples: samples, geometry: target.geometry, consumerCovariance: found.consumerCovariance,
            consumerMoment: found.consumerMoment, gradientNorm: found.gradientNorm, bestUpdate: update,
            bottleneck: max(0, found.gradientNorm - update.decrease), inputCovariance: found.inputCovariance,
            overlap: SiteOverlap(found), inputMoment: needs.contains(.inputMoment) ? found.inputMoment : nil,
            crossCovariance: directions(target, found, update),
            gradientCovariance: found.gradientCovariance)
    }

    /// Below this part of ‖G‖², Ψ is too small a difference: N is then summed from G⊥ itself.
    private static let trustedBottleneck = 0.01

    /// N_e = XᵀG_e − C_e δW*ᵀ; nil where it is not known well enough.
    ///
    /// Precision: the sums' 5e-7 of ‖X‖‖G‖, against Ψ of at least 1 % of ‖G‖².
    private func directions(
        _ target: Target, _ found: FirstPassMatrices, _ update: BestUpdate
    ) -> Matrix? {
        guard derivesDirections(target), found.alignedHidden == nil, let overlaps = found.overlap,
            var cross = found.inputMoment,
            found.gradientNorm - update.decrease > Self.trustedBottleneck * found.gradientNorm
        else { return nil }
        for (tap, overlap) in overlaps.enumerated() {
            let followed = overlap.timesTransposed(update.weights)
            for row in 0..<followed.rows {
                for output in 0..<followed.columns {
                    cross[row, output * overlaps.count + tap] -= followed[row, output]
                }
            }
        }
        return cross
    }

    /// Ψ; fills it in, and N where the method needs it and it is not known.
    func second(_ statistics: inout [SiteStatistics]) throws -> [ChunkedMean] {
        let sums = Shared(
            (0..<activities.shardCount).map { [statistics] _ in
                statistics.map { measured in
                    SiteSecondPass(
                        SitePlan(
                            measured.geometry, needs: measured.crossCovariance == nil ? needs : []),
                        update: measured.bestUpdate.weights)
                }
            })
        try activities.visit(threads: threads) { shard, rows in
            for (index, rows) in rows.enumerated() {
                sums.value[shard][index].add(
                    rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
            }
        }
        return statistics.indices.map { index in
            let found = SiteSecondPass.combine(sums.value.map { $0[index] }, samples: samples)
            let squares = ChunkedMean(found.squares)
            statistics[index].bottleneck = squares.mean
            if let cross = found.crossCovariance { statistics[index].crossCovariance = cross }
            return squares
        }
    }
}

/// What workers share although the compiler cannot see that each touches its own shard alone.
struct Shared<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}
