internal import Correlations
package import Datasets
internal import GrowthMath
package import Networks
internal import Tensors
internal import Training

/// Measures the bottleneck of every site and proposes neurons: the work of the stage compute-bottlenecks.
///
/// The result depends on the arguments other than `threads` alone.
/// - Throws: `GrowthError`, `TrainingError`, `LinearAlgebraError`.
package func computeBottlenecks(
    _ parameters: BottleneckParameters, dataset: Dataset, network: Network, threads: Int = 1
) throws -> Bottlenecks {
    try checkFits(network, dataset)
    guard dataset.train.count > 0 else { throw TrainingError.emptySplit("training") }
    let method = parameters.proposal.method.method
    let all = try parameters.proposal.sites(of: network.architecture)
    let chosen = parameters.proposal.sites.positions(of: all.count, round: parameters.round)
    let sites = chosen.map { all[$0] }

    let available = dataset.train.count
    var count = parameters.measurement.samples.first(of: available)
    var flops = 0
    while true {
        let positions = parameters.statisticsSample(count, of: available)
        let activities = SiteActivities(
            network, readings: sites.map(\.reading), split: dataset.train,
            normalization: dataset.normalization,
            positions: positions, loss: parameters.loss, shards: parameters.measurement.shards)
        let measurement = SiteMeasurement(
            sites: sites, activities: activities, network: network,
            data: DataCovariance(
                split: dataset.train, normalization: dataset.normalization, positions: positions),
            method: method, parameters: parameters, threads: threads
        )
        let found = try measurement.run(positions: chosen)
        guard activities.meanLoss.isFinite else {
            throw GrowthError.lossNotFinite(what: "the training samples")
        }
        flops +=
            count
            * measurementFlops(
                network, sites, found, needs: method.needs, runs: activities.runs)
        let isPrecise = found.compactMap(\.effects).allSatisfy {
            $0.relativeError <= parameters.measurement.tolerance
        }
        if parameters.measurement.samples != .auto || isPrecise || count == available {
            return Bottlenecks(
                method: parameters.proposal.method, taps: parameters.proposal.taps, round: parameters.round,
                samples: count,
                loss: activities.meanLoss, flops: flops,
                rankThreshold: parameters.measurement.rankThreshold,
                singularThreshold: parameters.measurement.singularThreshold,
                ridge: parameters.measurement.ridge, shards: parameters.measurement.shards, sites: found)
        }
        count = min(2 * count, available)
    }
}

/// Floating-point operations per sample of a measurement.
///
/// - Parameter runs: how often the network ran forward and backward.
private func measurementFlops(
    _ network: Network, _ sites: [GrowthSite], _ found: [SiteBottleneck], needs: StatisticsNeeds, runs: Int
) -> Int {
    let passes = runs * 2 * network.architecture.flopsPerSample.inference
    return zip(sites, found).reduce(passes) { sum, pair in
        let candidates = pair.1.effects == nil ? 0 : pair.1.proposal.neurons.count
        return sum + pair.0.geometry.statisticsFlops(needs) + pair.0.geometry.activityFlops(candidates)
            + pair.0.geometry.featureFlops(candidates)
    }
}

extension ProposalParameters {
    /// The sites of a network that grows by these parameters.
    ///
    /// - Throws: `GrowthError.noSites`, `.targetCount`, `.targetBelowWidth`.
    package func sites(of architecture: Architecture) throws(GrowthError) -> [GrowthSite] {
        let all = GrowthSite.all(in: architecture)
        guard !all.isEmpty else { throw .noSites(nodes: architecture.nodes.map(\.name)) }
        guard case .target(let widths) = neurons else { return all }
        // Whether streams have targets too is for the stage grow to say.
        let streams = GrowthStream.all(in: architecture).count
        guard [1, all.count, all.count + streams].contains(widths.count) else {
            throw .targetCount(found: widths.count, sites: all.map(\.name))
        }
        for (index, site) in all.enumerated() {
            let target = widths.count == 1 ? widths[0] : widths[index]
            guard target >= site.width else {
                throw .targetBelowWidth(site: site.name, target: target, width: site.width)
            }
        }
        return all
    }

    /// Checks target widths against all that grows: sites, then the given streams.
    ///
    /// - Throws: `GrowthError.targetCount`, `.targetBelowWidth`.
    func checkTargets(of streams: [GrowthStream], after sites: [GrowthSite]) throws(GrowthError) {
        guard case .target(let widths) = neurons else { return }
        let growing = sites.count + streams.count
        guard [1, growing].contains(widths.count) else {
            throw .targetCount(found: widths.count, sites: sites.map(\.name) + streams.map(\.name))
        }
        for (index, stream) in streams.enumerated() {
            let target = widths.count == 1 ? widths[0] : widths[sites.count + index]
            guard target >= stream.width else {
                throw .targetBelowWidth(site: stream.name, target: target, width: stream.width)
            }
        }
    }
}

extension RoundParameters {
    /// The samples that a round measures, as positions in a split: the first so many of one order.
    func statisticsSample(_ count: Int, of available: Int) -> [Int32] {
        guard count < available else { return (0..<available).map(Int32.init) }
        var random = Philox(seed: seed, purpose: .statisticsSample, epoch: round)
        return random.permutation(available)[..<count].sorted()
    }
}

extension SamplePolicy {
    /// Samples that `auto` begins with.
    private static let beginning = 4096

    /// The samples of the first measurement.
    func first(of available: Int) -> Int {
        switch self {
        case .count(let count): min(count, available)
        case .all: available
        case .auto: min(Self.beginning, available)
        }
    }
}

extension SitePolicy {
    /// The sites that are measured in a round, as positions among all.
    func positions(of count: Int, round: Int) -> [Int] {
        switch self {
        case .all, .best: Array(0..<count)
        case .each: [(round - 1) % count]
        }
    }
}
