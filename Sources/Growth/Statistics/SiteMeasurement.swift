internal import Correlations
internal import GrowthMath
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
    let sites: [GrowthSite]
    /// Has a reading for every site.
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
        let passes = try passes()
        var statistics = try passes.first()
        let isKnown = statistics.allSatisfy { $0.crossCovariance != nil }
        let early = method.placement == .searched && isKnown ? nil : try passes.second(&statistics)
        let proposals = try WorkerTeam.map(positions.count, threads: threads) { [statistics] index in
            try propose(sites[index], statistics[index], position: positions[index])
        }
        let (late, effects) = try thirdPass(proposals, statistics, measuresBottleneck: early == nil)
        let bottlenecks = early ?? late
        return sites.indices.map { index in
            var measured = statistics[index]
            measured.bottleneck = bottlenecks[index].mean
            return SiteBottleneck(
                site: sites[index].name, consumer: sites[index].consumer,
                taps: measured.taps,
                gradientNorm: measured.gradientNorm, bottleneck: measured.bottleneck,
                bottleneckError: bottlenecks[index].error, consumerCovariance: measured.consumerCovariance,
                consumerMoment: measured.consumerMoment, bestUpdate: measured.bestUpdate.weights,
                bestUpdateDecrease: measured.bestUpdate.decrease, proposal: proposals[index],
                effects: effects[index],
                statistics: parameters.measurement.keepStatistics ? measured : nil)
        }
    }

    private func passes() throws -> StatisticsPasses {
        let targets = try zip(sites, exactInputCovariances()).map { site, known in
            StatisticsPasses.Target(name: site.name, geometry: geometry(site), inputCovariance: known)
        }
        return StatisticsPasses(
            activities: activities, targets: targets, needs: method.needs,
            rankThreshold: parameters.measurement.rankThreshold, threads: threads, derivesDirections: true)
    }

    /// S of each site whose producer is linear and reads the data, where the method needs it and it can be had from
    /// bytes.
    private func exactInputCovariances() throws -> [Matrix?] {
        try sites.map { site in
            guard method.needs.contains(.inputCovariance), site.producerInput == Architecture.inputName,
                site.geometry.image.count == 1
            else { return nil }
            return try data.matrix(hasOnes: site.producerHasBias, threads: threads)
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
                try zip(sites, zip(statistics, proposals)).map { site, pair in
                    let (measured, proposal) = pair
                    let update = measured.bestUpdate.weights
                    return (
                        bottleneck: measuresBottleneck
                            ? SiteSecondPass(SitePlan(measured.geometry, needs: []), update: update)
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
                CandidateSums.combine(sums.value.compactMap { $0[index].effects?.sums }, samples: samples)
            }
        )
    }
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
