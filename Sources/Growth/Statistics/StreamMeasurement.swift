internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// What was measured of a stream: of each consumer as of a site's, with the same candidates for all.
struct StreamBottleneck {
    /// Fan-ins are into all producers side by side.
    var consumers: [SiteBottleneck]
    /// Of the candidates over all consumers; nil where there are none or their function is kept.
    var gains: MeasuredGains?

    /// Σ Ψ and Σ ‖G‖²/n over the consumers.
    var bottleneck: Double { consumers.reduce(0) { $0 + $1.bottleneck } }
    var gradientNorm: Double { consumers.reduce(0) { $0 + $1.gradientNorm } }
    var relativeBottleneck: Double { gradientNorm > 0 ? bottleneck / gradientNorm : 0 }
}

/// The three passes over the samples for one stream, like ``SiteMeasurement`` for sites.
///
/// Every way from a producer to a consumer is measured as a site of its own; what candidates really do is taken through
/// the whole stream.
struct StreamMeasurement {
    let stream: GrowthStream
    let network: Network
    let routes: [StreamRoute]
    /// Has a reading for every route.
    let activities: SiteActivities
    let method: any GrowthMethod
    let proposal: ProposalParameters
    let thresholds: Thresholds
    let seed: Int
    let round: Int
    let threads: Int

    /// Bytes of C_e of all routes, up to which it is kept for all taps.
    private static let overlapBytes = 4 * SitePlan.exactOverlapBytes

    private var samples: Int { activities.positions.count }

    /// - Parameters:
    ///   - position: of the stream, counted on after the sites.
    ///   - limit: the most candidates.
    func run(position: Int, limit: Int) throws -> StreamBottleneck {
        let statistics = try statistics()
        let proposals: [Proposal]
        do {
            proposals = try StreamProblem(
                stream, of: network, statistics: method.needs.isEmpty ? nil : statistics, proposal: proposal,
                thresholds: thresholds, seed: seed, round: round, position: position
            ).propose(by: method, limit: limit)
        } catch let problem as LinearAlgebraError {
            throw GrowthError.unsolvable(site: stream.name, problem: problem)
        }
        let sums = try thirdPass(proposals, statistics)
        let consumers = stream.consumers.indices.map { index in
            let measured = statistics.consumer(index)
            return SiteBottleneck(
                site: stream.name, consumer: stream.consumers[index], taps: proposals[index].neurons.taps,
                gradientNorm: measured.gradientNorm, bottleneck: measured.bottleneck,
                bottleneckError: statistics.bottleneckErrors[index],
                consumerCovariance: measured.consumerCovariance, consumerMoment: measured.consumerMoment,
                bestUpdate: measured.bestUpdate.weights, bestUpdateDecrease: measured.bestUpdate.decrease,
                proposal: proposals[index],
                effects: CandidateSums.combine(sums.map { $0[index] }, samples: samples))
        }
        return StreamBottleneck(
            consumers: consumers,
            gains: MeasuredGains(
                of: consumers.compactMap(\.effects), parts: sums.flatMap { CandidateSums.parts(of: $0) }))
    }

    /// Floating-point operations of a run.
    func flops(_ found: StreamBottleneck) -> Int {
        let candidates = found.gains == nil ? 0 : found.consumers[0].proposal.neurons.count
        let passes = activities.runs * 2 * network.architecture.flopsPerSample.inference
        var seen: Set<Int> = []
        return samples
            * routes.reduce(passes) { sum, route in
                let features =
                    seen.insert(route.consumer).inserted ? route.geometry.featureFlops(candidates) : 0
                return sum + route.geometry.statisticsFlops(method.needs)
                    + route.geometry.activityFlops(candidates) + features
            }
    }

    /// The first two passes.
    func statistics() throws -> StreamStatistics {
        let passes = StatisticsPasses(
            activities: activities,
            targets: routes.map { .init(name: stream.name, geometry: $0.geometry) },
            needs: method.needs, rankThreshold: thresholds.rank, threads: threads,
            overlapLimit: min(SitePlan.exactOverlapBytes, Self.overlapBytes / max(routes.count, 1)),
            derivesDirections: true)
        var statistics = try passes.first()
        // Sums of one consumer may differ in rounding from way to way: all take those of its first.
        for index in routes.indices.dropFirst() where routes[index].consumer == routes[index - 1].consumer {
            statistics[index].takeConsumer(of: statistics[index - 1])
        }
        let errors = try passes.second(&statistics).map(\.error)
        return StreamStatistics(
            routes.indices.map { (route: routes[$0], statistics: statistics[$0], error: errors[$0]) })
    }

    /// The sums of every consumer by shard; none where the candidates' function is kept.
    private func thirdPass(_ proposals: [Proposal], _ statistics: StreamStatistics) throws
        -> [[CandidateSums]]
    {
        guard method.placement == .searched, proposals[0].neurons.count > 0 else { return [] }
        let slopes = SlopesAtZero.mean(routes.map(\.slopes))
        let fanIns = network.fanIns(proposals[0].neurons.fanIn, into: stream.producers)
        let shards = Shared(
            try (0..<activities.shardCount).map { _ in
                (
                    images: try StreamImages(
                        fanIns, of: stream, in: network.architecture, capacity: activities.chunk),
                    sums: proposals.enumerated().map { index, proposal in
                        let measured = statistics.consumer(index)
                        return CandidateSums(
                            measured.geometry, proposal.neurons, slopes: slopes,
                            update: measured.bestUpdate.weights, samples: samples)
                    }
                )
            })
        let producers = stream.producers.indices.compactMap { producer in
            routes.firstIndex { $0.producer == producer }
        }
        let consumers = stream.consumers.indices.compactMap { consumer in
            routes.firstIndex { $0.consumer == consumer }
        }
        try activities.visit(threads: threads) { shard, rows in
            let (images, sums) = shards.value[shard]
            images.load(rows: rows[0].rows, inputs: producers.map { rows[$0].input })
            for (index, route) in consumers.enumerated() {
                sums[index].add(rows: rows[route].rows, h: rows[route].hidden, g: rows[route].gradient) {
                    images.image(of: $0, for: index)
                }
            }
        }
        let all = shards.value.map(\.sums)
        for sums in all.joined() { sums.finish() }
        return all
    }
}

extension SiteStatistics {
    fileprivate mutating func takeConsumer(of other: SiteStatistics) {
        consumerCovariance = other.consumerCovariance
        consumerMoment = other.consumerMoment
        gradientNorm = other.gradientNorm
        gradientCovariance = other.gradientCovariance
        bestUpdate = other.bestUpdate
    }
}

extension CandidateSums {
    /// The gains over all consumers, part by part of one shard.
    static func parts(of consumers: [CandidateSums]) -> [(rows: Int, gains: NeuronGains)] {
        guard let first = consumers.first else { return [] }
        return first.parts.indices.map { part in
            (first.parts[part].rows, NeuronGains(sumOf: consumers.map { $0.parts[part].gains }))
        }
    }
}

extension MeasuredGains {
    /// Over all consumers; nil where nothing was measured.
    ///
    /// - Parameter parts: of the samples, the gains over all consumers.
    fileprivate init?(of consumers: [CandidateEffects], parts: [(rows: Int, gains: NeuronGains)]) {
        guard !consumers.isEmpty else { return nil }
        let total = NeuronGains(sumOf: consumers.map(\.gains))
        func errors(_ value: (NeuronGains) -> [Double]) -> [Double] {
            total.plus.indices.map { neuron in
                ChunkedMean(parts.map { (rows: $0.rows, sum: value($0.gains)[neuron]) }).error
            }
        }
        gains = total
        plusErrors = errors(\.plus)
        minusErrors = errors(\.minus)
    }
}
