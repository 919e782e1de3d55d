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
    let all = try parameters.proposal.sites(of: network.architecture)
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
        flops += count * measurementFlops(
            network, sites, found, needs: method.needs, runs: activities.runs)
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

/// Floating-point operations per sample of a measurement, every statistic counted as one product over all positions.
///
/// Sums by shifts or spectra take fewer.
/// - Parameter runs: how often the network ran forward and backward.
private func measurementFlops(
    _ network: Network, _ sites: [GrowthSite], _ found: [SiteBottleneck], needs: StatisticsNeeds, runs: Int
) -> Int {
    let passes = runs * 2 * network.architecture.flopsPerSample.inference
    return zip(sites, found).reduce(passes) { sum, pair in
        let geometry = pair.0.geometry
        let (a, b) = (geometry.inputs, geometry.hiddenInputs)
        // Every tap of an output reads one hidden position: that many pairs of X and G, and of X and H.
        let (c, outputs) = (geometry.outChannels, geometry.output.count)
        let pairs = outputs * geometry.taps
        let k = pair.1.effects == nil ? 0 : pair.1.proposal.neurons.count
        let features = 2 * k * geometry.taps
        let first =
            outputs * (b * b + 2 * b * c + c * c)
            + (needs.contains(.inputCovariance) ? geometry.read.count * a * a : 0)
            + (needs.contains(.overlap) ? 2 * pairs * a * b : 0)
            + (needs.contains(.inputMoment) ? 2 * pairs * a * c : 0)
        let second =
            2 * outputs * b * c + (needs.contains(.crossCovariance) ? 2 * pairs * a * c : 0)
        let third =
            2 * geometry.hidden.count * a * k + outputs * features * (features + 2 * (b + c))
        return sum + first + second + third
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
        guard [1, all.count].contains(widths.count) else {
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
