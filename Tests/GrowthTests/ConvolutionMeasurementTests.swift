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

@Suite("Statistics and growth of running convolutional networks")
struct ConvolutionMeasurementTests {
    private let dataset = SampleNetworks.dataset(train: 200, validation: 60)

    private func parameters(
        _ method: String, taps: SiteGeometry.Scheme = .full, samples: SamplePolicy = .all
    ) throws -> BottleneckParameters {
        var result = BottleneckParameters()
        result.proposal.method = try #require(MethodParameters(method))
        result.proposal.neurons = .most(3)
        result.proposal.method.set(taps: taps)
        result.measurement.samples = samples
        result.measurement.keepStatistics = true
        result.proposal.method.set(ridge: 0)
        return result
    }

    private func relative(_ found: Matrix, _ expected: Matrix) -> Double {
        guard found.shape == expected.shape else { return .infinity }
        return ((found - expected).squaredNorm / max(expected.squaredNorm, 1e-20)).squareRoot()
    }

    /// X_e, H and G of the site "first" in Float64, from the values of its nodes.
    private struct Exact {
        let site: Width
        let geometry: SiteGeometry
        let producerPatches: Planes
        let readings: [Matrix]
        let consumerInput: Matrix
        let gradient: Matrix
        let samples: Int

        init(_ network: Network, _ run: NetworkRun, taps: SiteGeometry.Scheme) throws {
            site = try #require(Width.plain(in: network.architecture).first { $0.name == "first" })
            geometry = site.geometry(taps)
            samples = run.split.count
            let x = Planes(
                rows: run.values(of: site.input), samples: samples, extent: geometry.image)
            let patches = x.patches(geometry.producer)
            producerPatches = Planes(
                rows: geometry.producerHasBias ? patches.appendingOnes : patches, samples: samples,
                extent: geometry.hidden)
            // Statistics take the mean where a neuron's maximum is not known: the images here divide evenly.
            let linear = geometry.pools.reduce(producerPatches) { planes, pool in
                if case .max(let window) = pool {
                    planes.pooled(.average(window))
                } else {
                    planes.pooled(pool)
                }
            }
            let all = linear.readings(geometry.consumer)
            readings = taps == .full || site.isFlattened ? all : [all[geometry.consumerTap(0)]]
            var hidden = run.values(of: site.routes[0].reading.hidden)
            if site.isFlattened {
                // [n, c h w] is a patch already.
            } else {
                hidden = Planes(rows: hidden, samples: samples, extent: geometry.read)
                    .patches(geometry.consumer)
            }
            consumerInput = geometry.consumerHasBias ? hidden.appendingOnes : hidden
            gradient = -Double(samples) * run.gradient(of: site.consumer)
        }

        var statistics: SiteStatistics {
            get throws {
                try SiteStatistics(
                    geometry, readings: readings, consumerInput: consumerInput, functionalGradient: gradient)
            }
        }

        /// F of neurons, from pools and slopes applied one after the other.
        func moments(_ neurons: NewNeurons) -> CandidateMoments {
            let z = producerPatches.rows.timesTransposed(neurons.fanIn)
            let both = z.appending(columns: -z)
            let planes = site.graph.members.reduce(
                Planes(rows: both, samples: samples, extent: geometry.hidden)
            ) { planes, member in
                switch member.role {
                case .slopes(let slopes): planes.mapping { slopes($0) }
                case .pool(let pool): planes.pooled(pool)
                case .producer, .sum, .passes: planes
                }
            }
            let all = planes.readings(geometry.consumer)
            return CandidateMoments(
                features: byTap(geometry.taps == all.count ? all : [all[geometry.consumerTap(0)]]),
                consumerInput: consumerInput, functionalGradient: gradient, taps: geometry.taps,
                samples: samples)
        }
    }

    @Test(
        "Float32 sums agree with Float64 matrices, for every way of reading, all taps or the centre alone",
        arguments: SampleNetworks.Kind.allCases, SiteGeometry.Scheme.allCases)
    func agreement(kind: SampleNetworks.Kind, taps: SiteGeometry.Scheme) throws {
        for (method, bias, width) in [("tiny-joint", true, 3), ("fisher", false, 3), ("tiny", true, 0)] {
            let network = try SampleNetworks.network(kind, width: width, bias: bias)
            let found = try computeBottlenecks(
                parameters(method, taps: taps), dataset: dataset, network: network)
            let run = NetworkRun(network, dataset.train, dataset.normalization)
            let exact = try Exact(network, run, taps: taps)
            let expected = try exact.statistics
            let measured = try #require(found.widths.first { $0.width == "first" })
            let statistics = try #require(measured.statistics).consumer(0)
            #expect(measured.only.taps == exact.geometry.taps)
            #expect(relative(measured.only.consumerCovariance, expected.consumerCovariance) < 1e-5)
            #expect(relative(measured.only.consumerMoment, expected.consumerMoment) < 1e-4)
            #expect(agrees(measured.gradientNorm, expected.gradientNorm, to: 1e-5))
            #expect(agrees(measured.bottleneck, expected.bottleneck, to: 1e-5))
            for path: KeyPath<SiteStatistics, Matrix?> in [
                \.inputCovariance, \.crossCovariance, \.gradientCovariance,
            ] {
                guard let sum = statistics[keyPath: path], let expected = expected[keyPath: path] else {
                    continue
                }
                #expect(relative(sum, expected) < 1e-4, "\(path)")
            }
            if let overlap = statistics.overlap?.taps, let expected = expected.overlap?.taps {
                #expect(overlap.count == expected.count)
                for (overlap, expected) in zip(overlap, expected) {
                    #expect(relative(overlap, expected) < 1e-4)
                }
            }
            let effects = try #require(measured.effects)
            let moments = exact.moments(measured.proposal.neurons)
            #expect(relative(effects.moments.gradient, moments.gradient) < 1e-4)
            #expect(relative(effects.moments.covariance, moments.covariance) < 1e-4)
            // Sums that cancel are off by what their terms are.
            let size = (moments.covariance.trace * expected.consumerCovariance.trace).squareRoot()
            let off = (effects.moments.overlap - moments.overlap).squaredNorm.squareRoot()
            #expect(off < 1e-5 * size)
        }
    }

    @Test(
        "the predicted decrease is the slope of the loss, whatever lies between",
        arguments: SampleNetworks.Kind.allCases, SiteGeometry.Scheme.allCases)
    func prediction(kind: SampleNetworks.Kind, taps: SiteGeometry.Scheme) throws {
        let same = Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: dataset.train, test: dataset.test)
        for (method, refit, width) in [
            ("tiny-joint", true, 3), ("tiny-joint", false, 3), ("tiny", false, 3), ("tiny-joint", true, 0),
        ] {
            let network = try SampleNetworks.network(kind, width: width)
            var plan = GrowthPlan(rounds: 1)
            plan.proposal.method = try #require(MethodParameters(method))
            plan.proposal.neurons = .most(2)
            plan.proposal.method.set(taps: taps)
            plan.measurement.samples = .all
            plan.proposal.method.set(refit: refit)
            let loss = LossParameters()
            var bottlenecks = try computeBottlenecks(
                plan.bottleneckParameters(round: 1, loss: loss, seed: 0), dataset: same, network: network)
            bottlenecks.widths = bottlenecks.widths.filter { $0.width == "first" }
            func decrease(_ amplitude: Double) throws -> (predicted: Double, realised: Double) {
                plan.placement.amplitude = .fixed(amplitude)
                let outcome = try growNetwork(
                    plan.growthParameters(round: 1, loss: loss, seed: 0), dataset: same, network: network,
                    bottlenecks: bottlenecks)
                let record = try #require(outcome.records.first)
                #expect(record.neurons > 0)
                let predicted = try #require(record.predictedDecrease)
                return (predicted / amplitude, record.realizedDecrease / amplitude)
            }
            // Amplitudes at which Float32 tells losses apart; what grows with √γ is extrapolated to 0.
            let slope = try decrease(1e-3).predicted
            #expect(slope > 0)
            let (near, far) = (try decrease(1e-4 / slope).realised, try decrease(4e-4 / slope).realised)
            #expect(abs((2 * near - far) / slope - 1) < 0.08, "\(method) \(slope) \(near) \(far)")
        }
    }

    @Test(
        "every method widens every site of every network, and records what happened to the validation loss",
        arguments: SampleNetworks.Kind.allCases, MethodParameters.all)
    func everyMethod(kind: SampleNetworks.Kind, method: MethodParameters) throws {
        var network = try SampleNetworks.network(kind)
        for round in 1...2 {
            var plan = GrowthPlan(rounds: 2)
            plan.proposal.method = method
            plan.proposal.neurons = .most(2)
            plan.measurement.samples = .count(80)
            let loss = LossParameters()
            let before = NetworkRun(network, dataset.validation, dataset.normalization).lossAndGradients()
                .loss
            let bottlenecks = try computeBottlenecks(
                plan.bottleneckParameters(round: round, loss: loss, seed: 0), dataset: dataset,
                network: network)
            let outcome = try growNetwork(
                plan.growthParameters(round: round, loss: loss, seed: 0), dataset: dataset, network: network,
                bottlenecks: bottlenecks)
            guard let grown = outcome.network else { continue }
            try grown.validate(source: "test")
            let after = NetworkRun(grown, dataset.validation, dataset.normalization).lossAndGradients().loss
            let realised = outcome.records.reduce(0) { $0 + $1.realizedDecrease }
            #expect(abs(realised - (before - after)) < 1e-4 * max(1, before))
            network = grown
        }
        #expect(network.growth.contains { $0.neurons > 0 })
    }

    @Test("the result has the same bits with any number of threads, kept in memory or run again")
    func threads() throws {
        let network = try SampleNetworks.network(.batchNormalized)
        let parameters = try parameters("tiny-joint")
        let one = try computeBottlenecks(parameters, dataset: dataset, network: network, threads: 1)
        #expect(try computeBottlenecks(parameters, dataset: dataset, network: network, threads: 3) == one)
    }

    @Test("a target under the present width is an error that says so")
    func target() throws {
        let network = try SampleNetworks.network(.plain)
        var parameters = try parameters("tiny")
        parameters.proposal.neurons = .target([8, 2, 9])
        #expect(throws: GrowthError.targetBelowWidth(width: "first", target: 2, count: 3)) {
            try computeBottlenecks(parameters, dataset: dataset, network: network)
        }
    }

    @Test("both stages are told the same of the method")
    func otherTaps() throws {
        let network = try SampleNetworks.network(.plain)
        let found = try computeBottlenecks(
            parameters("tiny-joint", taps: .restricted), dataset: dataset, network: network)
        #expect(
            throws: GrowthError.otherMethod(
                found: #"{"kind":"tiny-joint","refit":true,"ridge":0,"taps":"restricted"}"#,
                expected: #"{"kind":"tiny-joint","refit":true,"ridge":0.1,"taps":"full"}"#)
        ) {
            try growNetwork(GrowthParameters(), dataset: dataset, network: network, bottlenecks: found)
        }
    }
}
