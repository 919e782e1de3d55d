import Parameters
import Correlations
import Datasets
import GrowthMath
import GrowthReference
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

/// N = XᵀG − C δW*ᵀ, against N = XᵀG⊥.
@Suite("Directions from the first pass")
struct DerivedDirectionTests {
    private let dataset = SampleNetworks.dataset(train: 150)

    private func passes(
        over network: Network, samples: Int32 = 150, isReversed: Bool = false, shards: Int = 2,
        derivesDirections: Bool
    ) -> StatisticsPasses {
        let widths = Width.plain(in: network.architecture)
        return StatisticsPasses(
            activities: SiteActivities(
                network, readings: widths.map(\.routes[0].reading), split: dataset.train,
                normalization: dataset.normalization,
                positions: isReversed ? (0..<samples).reversed() : Array(0..<samples),
                loss: LossParameters(), shards: shards),
            targets: widths.map { .init(name: $0.name, geometry: $0.geometry) },
            needs: [.inputCovariance, .overlap, .inputMoment, .crossCovariance], rankThreshold: 1e-6,
            threads: 1,
            derivesDirections: derivesDirections)
    }

    @Test(
        "are those that are summed from what remains of G, and Ψ is its square",
        arguments: SampleNetworks.Kind.allCases)
    func agree(kind: SampleNetworks.Kind) throws {
        let network = try SampleNetworks.network(kind)
        let derived = try passes(over: network, derivesDirections: true).first()
        let summing = passes(over: network, derivesDirections: false)
        var summed = try summing.first()
        #expect(summed.allSatisfy { $0.crossCovariance == nil })
        _ = try summing.second(&summed)
        for (derived, summed) in zip(derived, summed) {
            let (one, other) = (
                try #require(derived.crossCovariance), try #require(summed.crossCovariance)
            )
            let (x, g) = (try #require(summed.inputCovariance).trace, summed.gradientNorm)
            #expect((one - other).squaredNorm.squareRoot() < 1e-6 * (x * g).squareRoot())
            #expect(abs(derived.bottleneck - summed.bottleneck) < 1e-5 * g)
        }
    }

    @Test(
        "in other orders of addition are off by 3e-6 of XᵀG at most, of which they may be a small part",
        arguments: SampleNetworks.Kind.allCases)
    func orders(kind: SampleNetworks.Kind) throws {
        var network = try SampleNetworks.network(kind)
        // A constant error of the outputs is large, and all of it can be followed.
        let output = network.architecture.outputName
        network.parameters["\(output)/bias"]?.values[0] = 6
        func statistics(isReversed: Bool, shards: Int, derives: Bool) throws -> [SiteStatistics] {
            let passes = passes(
                over: network, isReversed: isReversed, shards: shards, derivesDirections: derives)
            var found = try passes.first()
            if !derives { _ = try passes.second(&found) }
            return found
        }
        let first = try statistics(isReversed: false, shards: 2, derives: true)
        for (isReversed, shards, derives) in [(true, 2, true), (false, 3, true), (true, 5, false)] {
            let others = try statistics(isReversed: isReversed, shards: shards, derives: derives)
            for (one, other) in zip(first, others) {
                guard let cross = one.crossCovariance, let found = other.crossCovariance else { continue }
                let moment = try #require(one.inputMoment).squaredNorm.squareRoot()
                #expect((cross - found).squaredNorm.squareRoot() <= 3e-6 * moment)
            }
        }
        let last = try #require(first.last)
        let (cross, moment) = (try #require(last.crossCovariance), try #require(last.inputMoment))
        #expect(cross.squaredNorm.squareRoot() < 0.2 * moment.squaredNorm.squareRoot())
    }

    @Test("are not trusted where the consumer can follow nearly all of G")
    func smallBottleneck() throws {
        // Fewer samples than the consumer has inputs.
        let passes = passes(
            over: try SampleNetworks.network(.flattened), samples: 8, derivesDirections: true)
        var statistics = try passes.first()
        let isDoubted = statistics.map { $0.crossCovariance == nil }
        #expect(isDoubted == statistics.map { $0.bottleneck <= 0.01 * $0.gradientNorm })
        #expect(isDoubted.contains(true))
        _ = try passes.second(&statistics)
        #expect(statistics.allSatisfy { $0.crossCovariance != nil })
    }
}
