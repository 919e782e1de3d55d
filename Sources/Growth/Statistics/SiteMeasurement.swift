internal import Networks
internal import Tensors

/// The three passes over the samples for all sites at once.
///
/// 1. S_H, M and, as the method needs them, S, C, E, XᵀG; then δW*.
/// 2. G⊥ explicitly: Ψ and N; then the method's proposal.
/// 3. What the proposed neurons really do: gains of either sign, moments for a refit.
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
        let second = try secondPass(&statistics)
        let proposals = try zip(positions, zip(activities.sites, statistics)).map { position, pair in
            try propose(pair.0, pair.1, position: position)
        }
        let effects = try thirdPass(proposals, statistics)
        return activities.sites.indices.map { index in
            let measured = statistics[index]
            return SiteBottleneck(
                site: activities.sites[index].name, consumer: activities.sites[index].consumer,
                taps: measured.taps,
                gradientNorm: measured.gradientNorm, bottleneck: measured.bottleneck,
                bottleneckError: second[index].error, consumerCovariance: measured.consumerCovariance,
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
                    SiteFirstPass(
                        geometry(site),
                        needs: known == nil ? method.needs : method.needs.subtracting(.inputCovariance),
                        capacity: activities.chunk)
                }
            })
        try activities.visit(threads: threads) { shard, rows in
            for (site, rows) in rows.enumerated() {
                sums.value[shard][site].add(
                    rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
            }
        }
        return try activities.sites.indices.map { index in
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
            bottleneck: 0, inputCovariance: found.inputCovariance, overlap: found.overlap,
            inputMoment: found.inputMoment, crossCovariance: nil,
            gradientCovariance: found.gradientCovariance)
    }

    /// Fills in Ψ and N.
    private func secondPass(_ statistics: inout [SiteStatistics]) throws -> [ChunkedMean] {
        let sums = Shared(
            (0..<activities.shardCount).map { [statistics] _ in
                statistics.map { measured in
                    SiteSecondPass(
                        measured.geometry, update: measured.bestUpdate.weights, needs: method.needs,
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
            statistics[index].crossCovariance = found.crossCovariance
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

    private func thirdPass(_ proposals: [Proposal], _ statistics: [SiteStatistics]) throws
        -> [CandidateEffects?]
    {
        guard method.placement == .searched, proposals.contains(where: { $0.neurons.count > 0 }) else {
            return proposals.map { _ in nil }
        }
        let architecture = network.architecture
        let sums = Shared(
            try (0..<activities.shardCount).map { _ in
                try zip(activities.sites, zip(statistics, proposals)).map { site, pair in
                    pair.1.neurons.count == 0
                        ? nil
                        : try ThirdPassSums(
                            site, pair.0.geometry, pair.1, update: pair.0.bestUpdate.weights,
                            in: architecture, capacity: activities.chunk)
                }
            })
        try activities.visit(threads: threads) { shard, rows in
            for (site, rows) in rows.enumerated() {
                sums.value[shard][site]?.add(
                    rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
            }
        }
        return proposals.indices.map { index in
            ThirdPassSums.combine(sums.value.compactMap { $0[index] }, samples: samples)
        }
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
