package import Datasets
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
    try checkFits(network.architecture, dataset)
    guard dataset.train.count > 0 else { throw TrainingError.emptySplit("training") }
    let method = parameters.proposal.method.method
    let all = GrowthSite.all(in: network.architecture)
    guard !all.isEmpty else { throw GrowthError.noSites(nodes: network.architecture.nodes.map(\.name)) }
    if case .target(let widths) = parameters.proposal.neurons, ![1, all.count].contains(widths.count) {
        throw GrowthError.targetCount(found: widths.count, sites: all.map(\.name))
    }
    try parameters.proposal.neurons.check(all)
    let chosen = parameters.proposal.sites.positions(of: all.count, round: parameters.round)
    let sites = chosen.map { all[$0] }

    let available = dataset.train.count
    var random = Philox(seed: parameters.seed, purpose: .statisticsSample, epoch: parameters.round)
    let order = random.permutation(available)
    var count = parameters.measurement.samples.first(of: available)
    var flops = 0
    while true {
        let positions = count == available ? (0..<available).map(Int32.init) : order[..<count].sorted()
        let activities = SiteActivities(
            network, sites: sites, split: dataset.train, normalization: dataset.normalization,
            positions: positions, loss: parameters.loss, shards: parameters.measurement.shards)
        let measurement = SiteMeasurement(
            activities: activities, network: network,
            data: DataCovariance(
                split: dataset.train, normalization: dataset.normalization, positions: positions),
            method: method, parameters: parameters, threads: threads
        )
        let found = try measurement.run(positions: chosen)
        guard activities.meanLoss.isFinite else {
            throw GrowthError.lossNotFinite(what: "the training samples")
        }
        flops += count * measurementFlops(network, sites, found, needs: method.needs)
        let isPrecise = found.compactMap(\.effects).allSatisfy {
            $0.relativeError <= parameters.measurement.tolerance
        }
        if parameters.measurement.samples != .auto || isPrecise || count == available {
            return Bottlenecks(
                method: parameters.proposal.method, taps: parameters.proposal.taps, round: parameters.round,
                samples: count,
                loss: activities.meanLoss, flops: flops,
                rankThreshold: parameters.measurement.rankThreshold, sites: found)
        }
        count = min(2 * count, available)
    }
}

/// Floating-point operations per sample of the three passes.
private func measurementFlops(
    _ network: Network, _ sites: [GrowthSite], _ found: [SiteBottleneck], needs: StatisticsNeeds
) -> Int {
    let passes = 2 * network.architecture.flopsPerSample.inference
    return zip(sites, found).reduce(passes) { sum, pair in
        let a = pair.0.producerWeights(of: network).columns
        let (c, b) = (pair.1.bestUpdate.rows, pair.1.bestUpdate.columns)
        let k = pair.1.effects == nil ? 0 : pair.1.proposal.neurons.count
        let first =
            b * b + 2 * b * c + c * c + (needs.contains(.inputCovariance) ? a * a : 0)
            + (needs.contains(.overlap) ? 2 * a * b : 0) + (needs.contains(.inputMoment) ? 2 * a * c : 0)
        let second = 2 * b * c + (needs.contains(.crossCovariance) ? 2 * a * c : 0)
        let third = 2 * a * k + 4 * k * k + 4 * k * (b + c)
        return sum + first + second + third
    }
}

extension NeuronPolicy {
    /// - Throws: `GrowthError.targetBelowWidth`.
    func check(_ sites: [GrowthSite]) throws {
        guard case .target(let widths) = self else { return }
        for (index, site) in sites.enumerated() {
            let target = index < widths.count ? widths[index] : widths.last ?? site.width
            guard target >= site.width else {
                throw GrowthError.targetBelowWidth(site: site.name, target: target, width: site.width)
            }
        }
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
