internal import Networks
internal import Tensors

/// The passes over the samples for all sites at once.
///
/// 1. S_H, M and, as the method needs them, S, C, E, XᵀG; then δW*.
/// 2. G⊥ explicitly: Ψ and N; then the method's proposal.
/// 3. What the proposed neurons really do: gains of either sign, moments for a refit.
///
/// Where C_e is known for every tap, N_e = XᵀG_e − C_e δW*ᵀ follows from the first pass, and Ψ is taken in the third: the
/// network runs twice, not three times.
struct SiteMeasurement {
    let activities: SiteActivities
    let network: Network
    let data: DataCovariance
    let method: any GrowthMethod
    let parameters: BottleneckParameters
    let threads: Int

    private var samples: Int { activities.positions.count }

    /// How a site is measured.
    private func geometry(_ site: GrowthSite) -> SiteGeometry { site.geometry(parameters.proposal.taps) }

    /// Statistics, proposals and effects of every site, in their order.
    ///
    /// - Parameter positions: each site's place among all sites of the network.
    func run(positions: [Int]) throws -> [SiteBottleneck] {
        var statistics = try firstPass()
        let isKnown = statistics.allSatisfy { $0.crossCovariance != nil }
        let early = method.placement == .searched && isKnown ? nil : try secondPass(&statistics)
        let proposals = try WorkerTeam.map(positions.count, threads: threads) { [statistics] index in
            try propose(activities.sites[index], statistics[index], position: positions[index])
        }
        let (late, effects) = try thirdPass(proposals, statistics, measuresBottleneck: early == nil)
        let bottlenecks = early ?? late
        return activities.sites.indices.map { index in
            var measured = statistics[index]
            measured.bottleneck = bottlenecks[index].mean
            return SiteBottleneck(
                site: activities.sites[index].name, consumer: activities.sites[index].consumer,
                taps: measured.taps,
                gradientNorm: measured.gradientNorm, bottleneck: measured.bottleneck,
                bottleneckError: bottlenecks[index].error, consumerCovariance: measured.consumerCovariance,
                consumerMoment: measured.consumerMoment, bestUpdate: measured.bestUpdate.weights,
                bestUpdateDecrease: measured.bestUpdate.decrease, proposal: proposals[index],
                effects: effects[index],
                statistics: parameters.measurement.keepStatistics ? measured : nil)
        }
    }

    private func firstPass() throws -> [SiteStatistics] {
        let exact = try exactInputCovariances()
        let sums = Shared(
            (0..<activities.shardCount).map { _ in
                zip(activities.sites, exact).map { site, known in
                    var needs = method.needs
                    if known != nil { needs.remove(.inputCovariance) }
                    if derivesDirections(site) { needs.insert(.inputMoment) }
                    return SiteFirstPass(geometry(site), needs: needs, capacity: activities.chunk)
                }
            })
        try activities.visit(threads: threads) { shard, rows in
            for (site, rows) in rows.enumerated() {
                sums.value[shard][site].add(
                    rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
            }
        }
        return try WorkerTeam.map(activities.sites.count, threads: threads) { index in
            let site = activities.sites[index]
            var found = SiteFirstPass.combine(sums.value.map { $0[index] }, samples: samples)
            if let known = exact[index] { found.inputCovariance = known }
            do {
                return try statistics(site, found)
            } catch let problem as LinearAlgebraError {
                throw GrowthError.unsolvable(site: site.name, problem: problem)
            }
        }
    }

    /// Whether N of a site can follow from XᵀG and C.
    private func derivesDirections(_ site: GrowthSite) -> Bool {
        method.needs.isSuperset(of: [.overlap, .crossCovariance]) && SitePlan.keepsOverlap(geometry(site))
    }

    /// Below this part of ‖G‖², Ψ is too small a difference: N is then summed from G⊥ itself.
    private static let trustedBottleneck = 0.01

    /// N_e = XᵀG_e − C_e δW*ᵀ; nil where it is not known well enough.
    ///
    /// Precision: the sums' 5e-7 of ‖X‖‖G‖, against Ψ of at least 1 % of ‖G‖².
    private func directions(
        _ site: GrowthSite, _ found: FirstPassMatrices, _ update: BestUpdate
    ) -> Matrix? {
        guard derivesDirections(site), case .exact(let overlaps) = found.overlap,
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

    /// S of each site whose producer is linear and reads the data, where the method needs it and it can be had from
    /// bytes.
    private func exactInputCovariances() throws -> [Matrix?] {
        try activities.sites.map { site in
            guard method.needs.contains(.inputCovariance), site.producerInput == Architecture.inputName,
                site.geometry.image.count == 1
            else { return nil }
            return try data.matrix(hasOnes: site.producerHasBias, threads: threads)
        }
    }

    private func statistics(_ site: GrowthSite, _ found: FirstPassMatrices) throws -> SiteStatistics {
        guard found.gradientNorm.isFinite else {
            throw GrowthError.notFinite(site: site.name, what: "gradient")
        }
        guard found.consumerCovariance.isFinite else {
            throw GrowthError.notFinite(site: site.name, what: "activity")
        }
        let update = try BestUpdate(
            covariance: found.consumerCovariance, moment: found.consumerMoment,
            threshold: parameters.measurement.rankThreshold)
        return SiteStatistics(
            samples: samples, geometry: geometry(site), consumerCovariance: found.consumerCovariance,
            consumerMoment: found.consumerMoment, gradientNorm: found.gradientNorm, bestUpdate: update,
            bottleneck: max(0, found.gradientNorm - update.decrease), inputCovariance: found.inputCovariance,
            overlap: found.overlap,
            inputMoment: method.needs.contains(.inputMoment) ? found.inputMoment : nil,
            crossCovariance: directions(site, found, update),
            gradientCovariance: found.gradientCovariance)
    }

    /// Ψ; fills it in, and N where the method needs it and it is not known.
    private func secondPass(_ statistics: inout [SiteStatistics]) throws -> [ChunkedMean] {
        let sums = Shared(
            (0..<activities.shardCount).map { [statistics] _ in
                statistics.map { measured in
                    SiteSecondPass(
                        measured.geometry, update: measured.bestUpdate.weights,
                        needs: measured.crossCovariance == nil ? method.needs : [],
                        capacity: activities.chunk)
                }
            })
        try activities.visit(threads: threads) { shard, rows in
            for (site, rows) in rows.enumerated() {
                sums.value[shard][site].add(
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

    private func propose(_ site: GrowthSite, _ statistics: SiteStatistics, position: Int) throws -> Proposal {
        guard !method.needs.isEmpty else {
            let weights = site.consumerWeights(of: network)
            let inputs = site.producerWeights(of: network).columns
            return Proposal(
                neurons: NewNeurons(
                    fanIn: Matrix(rows: 0, columns: inputs), fanOut: Matrix(rows: weights.rows, columns: 0)))
        }
        let limit = parameters.proposal.neurons.request(
            width: site.width, site: position, round: parameters.round, rounds: parameters.rounds)
        let problem = SiteProblem(
            site, of: network, statistics: statistics, proposal: parameters.proposal,
            thresholds: parameters.measurement.thresholds, seed: parameters.seed, round: parameters.round,
            position: position)
        do {
            return try method.propose(for: problem, limit: limit)
        } catch let problem as LinearAlgebraError {
            throw GrowthError.unsolvable(site: site.name, problem: problem)
        }
    }

    /// What the proposed neurons do at each site, and Ψ where it was not measured before.
    private func thirdPass(
        _ proposals: [Proposal], _ statistics: [SiteStatistics], measuresBottleneck: Bool
    ) throws -> ([ChunkedMean], [CandidateEffects?]) {
        let isSearched = method.placement == .searched && proposals.contains { $0.neurons.count > 0 }
        guard measuresBottleneck || isSearched else { return ([], proposals.map { _ in nil }) }
        let architecture = network.architecture
        let sums = Shared(
            try (0..<activities.shardCount).map { _ in
                try zip(activities.sites, zip(statistics, proposals)).map { site, pair in
                    let (measured, proposal) = pair
                    let update = measured.bestUpdate.weights
                    return (
                        bottleneck: measuresBottleneck
                            ? SiteSecondPass(
                                measured.geometry, update: update, needs: [], capacity: activities.chunk)
                            : nil,
                        effects: proposal.neurons.count == 0
                            ? nil
                            : try ThirdPassSums(
                                site, measured.geometry, proposal, update: update, in: architecture,
                                capacity: activities.chunk, samples: samples)
                    )
                }
            })
        try activities.visit(threads: threads) { shard, rows in
            for (site, rows) in rows.enumerated() {
                let (bottleneck, effects) = sums.value[shard][site]
                bottleneck?.add(rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
                effects?.add(rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
            }
        }
        let bottlenecks = (measuresBottleneck ? Array(proposals.indices) : []).map { index in
            ChunkedMean(
                SiteSecondPass.combine(sums.value.compactMap { $0[index].bottleneck }, samples: samples)
                    .squares)
        }
        return (
            bottlenecks,
            proposals.indices.map { index in
                ThirdPassSums.combine(sums.value.compactMap { $0[index].effects }, samples: samples)
            }
        )
    }
}

/// What workers share although the compiler cannot see that each touches its own shard alone.
private struct Shared<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}

extension SiteProblem {
    /// A site of a network, with its own random numbers.
    init(
        _ site: GrowthSite, of network: Network, statistics: SiteStatistics, proposal: ProposalParameters,
        thresholds: Thresholds, seed: Int, round: Int, position: Int
    ) {
        self.init(
            statistics: statistics, producerWeights: site.producerWeights(of: network),
            consumerWeights: site.consumerWeights(of: network), consumerTaps: site.geometry.consumer.taps,
            gain: site.gain, slopes: site.slopes,
            fanOutScale: proposal.scale, thresholds: thresholds,
            random: Philox(seed: seed, purpose: .growth, epoch: round, index: position))
    }
}
