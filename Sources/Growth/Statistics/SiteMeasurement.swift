internal import Networks
internal import Tensors

/// The three passes over the samples for all sites at once.
///
/// 1. S_H, M, E and, as the method needs them, S, C, XᵀG; then δW*.
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

    private func shape(_ site: GrowthSite) -> SiteShape {
        SiteShape(
            input: ProductSum.Side(
                columns: site.producerWeights(of: network).columns - (site.producerHasBias ? 1 : 0),
                hasOnes: site.producerHasBias),
            hidden: ProductSum.Side(columns: site.width, hasOnes: site.consumerHasBias),
            gradient: ProductSum.Side(columns: site.consumerWeights(of: network).rows, hasOnes: false))
    }

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
        let shapes = activities.sites.map(shape)
        let exact = try exactInputCovariances()
        let sums = Shared(
            (0..<activities.shardCount).map { _ in
                zip(shapes, exact).map { shape, known in
                    FirstPassSums(
                        shape, needs: known == nil ? method.needs : method.needs.subtracting(.inputCovariance)
                    )
                }
            })
        try activities.visit(threads: threads) { shard, _, rows in
            for (site, rows) in rows.enumerated() { sums.value[shard][site].add(rows) }
        }
        return try activities.sites.indices.map { index in
            let site = activities.sites[index]
            let parts = sums.value.map { $0[index] }
            do {
                var found = try statistics(site, parts)
                if let known = exact[index] { found.inputCovariance = known }
                return found
            } catch let problem as LinearAlgebraError {
                throw GrowthError.unsolvable(site: site.name, problem: problem)
            }
        }
    }

    /// S of each site whose producer reads the data, where the method needs it and it can be had from bytes.
    private func exactInputCovariances() throws -> [Matrix?] {
        try activities.sites.map { site in
            guard method.needs.contains(.inputCovariance), site.producerInput == Architecture.inputName else {
                return nil
            }
            return try data.matrix(hasOnes: site.producerHasBias, threads: threads)
        }
    }

    private func statistics(_ site: GrowthSite, _ parts: [FirstPassSums]) throws -> SiteStatistics {
        let scale = 1 / Double(samples)
        func optional(_ sum: (FirstPassSums) -> ProductSum?) -> Matrix? {
            let found = parts.compactMap(sum)
            return found.isEmpty ? nil : ProductSum.matrix(found, times: scale)
        }
        let covariance = ProductSum.matrix(parts.map(\.consumerCovariance), times: scale)
        let moment = ProductSum.matrix(parts.map(\.consumerMoment), times: scale)
        let gradientCovariance = ProductSum.matrix(parts.map(\.gradientCovariance), times: scale)
        guard gradientCovariance.isFinite else {
            throw GrowthError.notFinite(site: site.name, what: "gradient")
        }
        guard covariance.isFinite else { throw GrowthError.notFinite(site: site.name, what: "activity") }
        let update = try BestUpdate(
            covariance: covariance, moment: moment, threshold: parameters.measurement.rankThreshold)
        return SiteStatistics(
            samples: samples, geometry: site.geometry(parameters.proposal.taps),
            consumerCovariance: covariance, consumerMoment: moment, gradientNorm: gradientCovariance.trace,
            bestUpdate: update, bottleneck: 0, inputCovariance: optional(\.inputCovariance),
            overlap: optional(\.overlap).map { .exact([$0]) }, inputMoment: optional(\.inputMoment), crossCovariance: nil,
            gradientCovariance: gradientCovariance)
    }

    /// Fills in Ψ and N.
    private func secondPass(_ statistics: inout [SiteStatistics]) throws -> [ChunkedMean] {
        let shapes = activities.sites.map(shape)
        let needs = method.needs
        let sums = Shared(
            (0..<activities.shardCount).map { _ in
                zip(shapes, statistics).map { shape, measured in
                    SecondPassSums(
                        shape, update: measured.bestUpdate.weights, needs: needs, capacity: activities.chunk)
                }
            })
        try activities.visit(threads: threads) { shard, _, rows in
            for (site, rows) in rows.enumerated() { sums.value[shard][site].add(rows) }
        }
        return statistics.indices.map { index in
            let parts = sums.value.map { $0[index] }
            let squares = ChunkedMean(parts.flatMap(\.squares))
            statistics[index].bottleneck = squares.mean
            let cross = parts.compactMap(\.crossCovariance)
            if !cross.isEmpty {
                statistics[index].crossCovariance = ProductSum.matrix(cross, times: 1 / Double(samples))
            }
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
        let shapes = activities.sites.map(shape)
        let sums = Shared(
            (0..<activities.shardCount).map { _ in
                zip(activities.sites, zip(shapes, proposals)).map { site, pair in
                    ThirdPassSums(
                        pair.0, fanIn: pair.1.neurons.fanIn, slopes: site.slopes, capacity: activities.chunk)
                }
            })
        try activities.visit(threads: threads) { shard, _, rows in
            for (site, rows) in rows.enumerated() where proposals[site].neurons.count > 0 {
                sums.value[shard][site].add(rows)
            }
        }
        return proposals.indices.map { index in
            guard proposals[index].neurons.count > 0 else { return nil }
            return effects(
                sums.value.map { $0[index] }, proposals[index], statistics[index],
                activities.sites[index].slopes)
        }
    }

    private func effects(
        _ parts: [ThirdPassSums], _ proposal: Proposal, _ statistics: SiteStatistics, _ slopes: SlopesAtZero
    ) -> CandidateEffects {
        let moments = ThirdPassSums.moments(parts, samples: samples)
        let neurons = proposal.neurons
        // What the linear neuron does: φ(z) − φ(−z) is (r + l) z.
        let both = slopes.right + slopes.left
        let chunks = parts.flatMap(\.chunks).map { chunk in
            let remaining = chunk.gradient - chunk.overlap.timesTransposed(statistics.bestUpdate.weights)
            let left = NeuronGains(remaining, neurons: neurons, slopes: slopes)
            return (
                rows: chunk.rows, gains: NeuronGains(chunk.gradient, neurons: neurons, slopes: slopes),
                squares: zip(left.plus, left.minus).map { both > 0 ? ($0 + $1) / both : 0 }
            )
        }
        func errors(_ value: @escaping (NeuronGains, [Double]) -> [Double]) -> [Double] {
            (0..<neurons.count).map { neuron in
                ChunkedMean(chunks.map { (rows: $0.rows, sum: value($0.gains, $0.squares)[neuron]) }).error
            }
        }
        return CandidateEffects(
            moments: moments, gains: NeuronGains(moments.gradient, neurons: neurons, slopes: slopes),
            plusErrors: errors { gains, _ in gains.plus }, minusErrors: errors { gains, _ in gains.minus },
            squareErrors: errors { _, squares in squares })
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
