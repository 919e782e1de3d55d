internal import Networks
internal import Tensors

/// The first two passes over the samples, for all sites or for all ways through a wider width at once.
struct StatisticsPasses {
    /// What is measured of one reading.
    struct Target {
        /// For messages.
        let name: String
        let geometry: SiteGeometry
        /// S, where it is known already.
        var inputCovariance: Matrix?
    }

    /// Has a reading for every target.
    let activities: SiteActivities
    let targets: [Target]
    let needs: StatisticsNeeds
    let rankThreshold: Double
    let threads: Int
    /// Bytes of C_e for all taps up to which they are kept.
    var overlapLimit = SitePlan.exactOverlapBytes

    private var samples: Int { activities.positions.count }

    /// Everything but Ψ and N.
    func first() throws -> [SiteStatistics] {
        let sums = Shared(
            (0..<activities.shardCount).map { _ in
                targets.map { target in
                    SiteFirstPass(
                        SitePlan(
                            target.geometry,
                            needs: target.inputCovariance == nil
                                ? needs : needs.subtracting(.inputCovariance),
                            overlapLimit: overlapLimit))
                }
            })
        try activities.visit(threads: threads) { shard, rows in
            for (index, rows) in rows.enumerated() {
                sums.value[shard][index].add(
                    rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
            }
        }
        return try targets.indices.map { index in
            let target = targets[index]
            var found = SiteFirstPass.combine(sums.value.map { $0[index] }, samples: samples)
            if let known = target.inputCovariance { found.inputCovariance = known }
            do {
                return try statistics(target, found)
            } catch let problem as LinearAlgebraError {
                throw GrowthError.unsolvable(site: target.name, problem: problem)
            }
        }
    }

    private func statistics(_ target: Target, _ found: FirstPassMatrices) throws -> SiteStatistics {
        guard found.gradientNorm.isFinite else {
            throw GrowthError.notFinite(site: target.name, what: "gradient")
        }
        guard found.consumerCovariance.isFinite else {
            throw GrowthError.notFinite(site: target.name, what: "activity")
        }
        let update = try BestUpdate(
            covariance: found.consumerCovariance, moment: found.consumerMoment, threshold: rankThreshold)
        return SiteStatistics(
            samples: samples, geometry: target.geometry, consumerCovariance: found.consumerCovariance,
            consumerMoment: found.consumerMoment, gradientNorm: found.gradientNorm, bestUpdate: update,
            bottleneck: 0, inputCovariance: found.inputCovariance, overlap: found.overlap,
            inputMoment: found.inputMoment, crossCovariance: nil,
            gradientCovariance: found.gradientCovariance)
    }

    /// Fills in Ψ and N.
    func second(_ statistics: inout [SiteStatistics]) throws -> [ChunkedMean] {
        let sums = Shared(
            (0..<activities.shardCount).map { [statistics] _ in
                statistics.map { measured in
                    SiteSecondPass(
                        measured.geometry, update: measured.bestUpdate.weights, needs: needs,
                        capacity: activities.chunk)
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
            statistics[index].crossCovariance = found.crossCovariance
            return squares
        }
    }
}

/// What workers share although the compiler cannot see that each touches its own shard alone.
struct Shared<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}
