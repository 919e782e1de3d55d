internal import GrowthMath
internal import Correlations
internal import Datasets
internal import Networks
internal import Tensors

/// The passes over the samples for all widths at once.
///
/// 1. S_H, M and, as the method needs them, S, C, E, XᵀG; then δW*.
/// 2. G⊥ explicitly: Ψ and N; then the method's proposal.
/// 3. What the proposed neurons really do, through all of the width: gains of either sign, moments for a refit.
///
/// Every way from a producer to a consumer is measured by itself. Where C_e is known for every tap, N_e = XᵀG_e − C_e δW*ᵀ
/// follows from the first pass, and Ψ is taken in the third: the network runs twice, not three times.
struct WidthMeasurement {
    private let widths: [Width]
    /// What is measured of each width, consumer by consumer.
    private let routes: [[Route]]
    private let activities: SiteActivities
    private let network: Network
    private let data: DataCovariance
    private let method: any GrowthMethod
    private let needs: StatisticsNeeds
    private let parameters: BottleneckParameters
    private let threads: Int

    /// Bytes of C_e, for all ways of residual widths together, up to which it is kept for all taps.
    private static let residualOverlapBytes = 4 * SitePlan.exactOverlapBytes

    /// - Parameter samples: positions in the training split.
    init(
        _ widths: [Width], of network: Network, dataset: Dataset, samples: [Int32],
        parameters: BottleneckParameters, threads: Int
    ) {
        self.widths = widths
        self.network = network
        self.parameters = parameters
        self.threads = threads
        let method = parameters.proposal.method.method
        self.method = method
        let needs = parameters.needs
        self.needs = needs
        routes = widths.map { width in
            // What a consumer reads by itself is enough for methods that look at no data.
            (needs.isEmpty ? width.firstRoutes : width.routes).map {
                $0.reading(parameters.proposal.method.method.taps)
            }
        }
        activities = SiteActivities(
            network, readings: routes.joined().map(\.reading), split: dataset.train,
            normalization: dataset.normalization, positions: samples, loss: parameters.loss,
            shards: parameters.measurement.shards)
        data = DataCovariance(
            split: dataset.train, normalization: dataset.normalization, positions: samples)
    }

    private var samples: Int { activities.samples }

    /// Over the samples; known after a run.
    var meanLoss: Double { activities.meanLoss }

    /// Statistics, proposals and effects of every width, in their order.
    ///
    /// - Parameter positions: each width's place among all that grow.
    func run(positions: [Int]) throws -> [WidthBottleneck] {
        let passes = try passes()
        var measured = try passes.first()
        shareConsumers(&measured)
        let isKnown = measured.allSatisfy { $0.crossCovariance != nil }
        let early = method.placement == .searched && isKnown ? nil : try passes.second(&measured)
        var statistics = byWidth(measured).enumerated().map { width, measured in
            WidthStatistics(zip(routes[width], measured).map { ($0, $1) })
        }
        let proposals = try WorkerTeam.map(widths.count, threads: threads) { [statistics] index in
            try propose(widths[index], statistics[index], position: positions[index])
        }
        let sums = try thirdPass(proposals, statistics, measuresBottleneck: early == nil)
        return widths.indices.map { index in
            let bottlenecks =
                early.map { firstOfConsumers(byWidth($0)[index], index) }
                ?? byConsumer(sums.map { $0[index].bottlenecks }).map {
                    ChunkedMean(SiteSecondPass.combine($0, samples: samples).squares)
                }
            statistics[index].set(bottlenecks: bottlenecks.map(\.mean))
            return bottleneck(
                widths[index], statistics[index], errors: bottlenecks.map(\.error), proposals[index],
                sums.map { $0[index].effects })
        }
    }

    private func bottleneck(
        _ width: Width, _ statistics: WidthStatistics, errors: [Double], _ proposals: [Proposal],
        _ sums: [[CandidateSums]]
    ) -> WidthBottleneck {
        for sum in sums.joined() { sum.finish() }
        let byConsumer = byConsumer(sums)
        let consumers = width.consumers.indices.map { index in
            let measured = statistics.consumer(index)
            return ConsumerBottleneck(
                consumer: width.consumers[index], taps: measured.taps, gradientNorm: measured.gradientNorm,
                bottleneck: measured.bottleneck, bottleneckError: errors[index],
                consumerCovariance: measured.consumerCovariance, consumerMoment: measured.consumerMoment,
                bestUpdate: measured.bestUpdate.weights, bestUpdateDecrease: measured.bestUpdate.decrease,
                proposal: proposals[index],
                effects: byConsumer.isEmpty
                    ? nil : CandidateSums.combine(byConsumer[index], samples: samples))
        }
        return WidthBottleneck(
            width: width.name, inputs: network.inputRanges(of: width.producers).map(\.count),
            consumers: consumers,
            gains: MeasuredGains(
                of: consumers.compactMap(\.effects), parts: sums.flatMap { CandidateSums.parts(of: $0) }),
            statistics: parameters.measurement.keepStatistics ? statistics : nil)
    }

    /// Floating-point operations of a run.
    func flops(_ found: [WidthBottleneck]) -> Int {
        let passes = activities.runs * 2 * network.architecture.flopsPerSample.inference
        let sums = zip(routes, found).map { routes, found in
            let candidates = found.gains == nil ? 0 : found.neurons.count
            return routes.indices.reduce(0) { sum, index in
                let geometry = routes[index].geometry
                let isFirst = index == 0 || routes[index].consumer != routes[index - 1].consumer
                return sum + geometry.statisticsFlops(needs) + geometry.activityFlops(candidates)
                    + (isFirst ? geometry.featureFlops(candidates) : 0)
            }
        }
        return samples * sums.reduce(passes, +)
    }

    // MARK: Statistics

    private func passes() throws -> StatisticsPasses {
        let residual = zip(widths, routes).reduce(0) { $0 + ($1.0.isResidual ? $1.1.count : 0) }
        let targets = try zip(widths, routes).flatMap { width, routes in
            try routes.map { route in
                StatisticsPasses.Target(
                    name: width.name, geometry: route.geometry,
                    inputCovariance: try exactInputCovariance(route),
                    overlapLimit: width.isResidual
                        ? min(SitePlan.exactOverlapBytes, Self.residualOverlapBytes / residual)
                        : SitePlan.exactOverlapBytes)
            }
        }
        return StatisticsPasses(
            activities: activities, targets: targets, needs: needs,
            rankThreshold: parameters.measurement.rankThreshold, threads: threads)
    }

    /// S where the producer is linear and reads the data, the method needs it, and it can be had from bytes.
    private func exactInputCovariance(_ route: Route) throws -> Matrix? {
        guard needs.contains(.inputCovariance), route.reading.input == Architecture.inputName,
            route.geometry.image.count == 1
        else { return nil }
        return try data.matrix(hasOnes: route.geometry.producerHasBias, threads: threads)
    }

    /// Sums of one consumer may differ in rounding from way to way: all take those of its first.
    private func shareConsumers(_ statistics: inout [SiteStatistics]) {
        var index = 0
        for routes in routes {
            for position in routes.indices {
                if position > 0, routes[position].consumer == routes[position - 1].consumer {
                    statistics[index].takeConsumer(of: statistics[index - 1])
                }
                index += 1
            }
        }
    }

    /// What was found of all ways, width by width.
    private func byWidth<Found>(_ found: [Found]) -> [ArraySlice<Found>] {
        routes.map(\.count).ranges.map { found[$0] }
    }

    /// What was found of each consumer's first way.
    private func firstOfConsumers<Found>(_ found: ArraySlice<Found>, _ width: Int) -> [Found] {
        zip(routes[width], found).reduce(into: []) { result, pair in
            if pair.0.consumer == result.count { result.append(pair.1) }
        }
    }

    // MARK: Candidates

    /// The method's candidates as each consumer sees them; none for methods that look at no data, which propose when the
    /// network grows.
    private func propose(_ width: Width, _ statistics: WidthStatistics, position: Int) throws -> [Proposal] {
        guard !needs.isEmpty else {
            let inputs = network.extendedWeights(of: width.producers).columns
            return width.consumers.map {
                Proposal(
                    neurons: NewNeurons(
                        fanIn: Matrix(rows: 0, columns: inputs),
                        fanOut: Matrix(rows: network.extendedWeights(of: $0).rows, columns: 0)))
            }
        }
        let limit = parameters.proposal.neurons(of: width, in: network.architecture).request(
            width: width.count, round: parameters.round, rounds: parameters.rounds)
        return try WidthProblem(
            width, of: network, statistics: statistics, proposal: parameters.proposal,
            thresholds: parameters.measurement.thresholds, seed: parameters.seed, round: parameters.round,
            position: position
        ).propose(by: method, limit: limit)
    }

    /// What the third pass sums at one width in one shard.
    private struct ThirdPassSums {
        let images: WidthImages?
        /// Of each consumer, where there are candidates whose function is not kept.
        let effects: [CandidateSums]
        /// Of each consumer, where Ψ was not measured before.
        let bottlenecks: [SiteSecondPass]
    }

    /// Shard by shard, what is known of each width.
    private func thirdPass(
        _ proposals: [[Proposal]], _ statistics: [WidthStatistics], measuresBottleneck: Bool
    ) throws -> [[ThirdPassSums]] {
        let isSearched = method.placement == .searched && proposals.contains { $0[0].neurons.count > 0 }
        guard measuresBottleneck || isSearched else {
            return [widths.map { _ in ThirdPassSums(images: nil, effects: [], bottlenecks: []) }]
        }
        let shards = Shared(
            (0..<activities.shardCount).map { _ in
                widths.indices.map {
                    thirdPassSums(
                        widths[$0], statistics[$0], proposals[$0], measuresBottleneck: measuresBottleneck)
                }
            })
        let ranges = routes.map(\.count).ranges
        try activities.visit(threads: threads) { shard, rows in
            for (width, sums) in shards.value[shard].enumerated() {
                let rows = rows[ranges[width]]
                add(zip(routes[width], rows).map { ($0, $1) }, to: sums)
            }
        }
        return shards.value
    }

    private func thirdPassSums(
        _ width: Width, _ statistics: WidthStatistics, _ proposals: [Proposal], measuresBottleneck: Bool
    ) -> ThirdPassSums {
        let neurons = proposals[0].neurons
        let hasCandidates = method.placement == .searched && neurons.count > 0
        return ThirdPassSums(
            images: hasCandidates
                ? WidthImages(
                    network.inputRanges(of: width.producers).map { neurons.fanIn.selecting(columns: $0) },
                    at: width, in: network.architecture, capacity: activities.chunk) : nil,
            effects: !hasCandidates
                ? []
                : proposals.enumerated().map { consumer, proposal in
                    let measured = statistics.consumer(consumer)
                    return CandidateSums(
                        measured.geometry, proposal.neurons, slopes: width.slopes,
                        update: measured.bestUpdate.weights, samples: samples)
                },
            bottlenecks: !measuresBottleneck
                ? []
                : proposals.indices.map { consumer in
                    let measured = statistics.consumer(consumer)
                    return SiteSecondPass(
                        SitePlan(measured.geometry, needs: []), update: measured.bestUpdate.weights)
                })
    }

    /// Adds a chunk, known for every way through a width.
    private func add(_ chunk: [(route: Route, rows: SiteRows)], to sums: ThirdPassSums) {
        func rows(_ consumer: Int) -> SiteRows? { chunk.first { $0.route.consumer == consumer }?.rows }
        for (consumer, sum) in sums.bottlenecks.enumerated() {
            guard let rows = rows(consumer) else { continue }
            sum.add(rows: rows.rows, x: rows.input, h: rows.hidden, g: rows.gradient)
        }
        guard let images = sums.images else { return }
        let inputs = (0...(chunk.map(\.route.producer).max() ?? 0)).compactMap { producer in
            chunk.first { $0.route.producer == producer }?.rows.input
        }
        images.load(rows: chunk[0].rows.rows, inputs: inputs)
        for (consumer, sum) in sums.effects.enumerated() {
            guard let rows = rows(consumer) else { continue }
            sum.add(rows: rows.rows, h: rows.hidden, g: rows.gradient) {
                images.image(of: $0, for: consumer)
            }
        }
    }
}

/// What shards have of each consumer, consumer by consumer.
private func byConsumer<Sums>(_ shards: [[Sums]]) -> [[Sums]] {
    (shards.first ?? []).indices.map { consumer in shards.map { $0[consumer] } }
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
    fileprivate static func parts(of consumers: [CandidateSums]) -> [(rows: Int, gains: NeuronGains)] {
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
        self.init(gains: total, plusErrors: errors(\.plus), minusErrors: errors(\.minus))
    }
}
