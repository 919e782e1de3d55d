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

@Suite("Samples carried from width to width")
struct CarriedSamplesTests: GrowsNetworks {
    /// More than one chunk, the last of them not full.
    let dataset = SampleNetworks.dataset(train: 1300, validation: 700)

    private func samples(_ network: Network, threads: Int = 1, keptBytes: Int = CarriedSamples.keptBytes)
        -> CarriedSamples
    {
        CarriedSamples(
            dataset.validation, dataset.normalization, for: network.architecture, threads: threads,
            places: Width.plain(in: network.architecture).map(\.input), keptBytes: keptBytes)
    }

    private func drawn(_ site: Width, _ network: Network, bias: Double = 0) -> Extension {
        var random = Philox(seed: 3, purpose: .growth)
        var fanIn = random.matrix(2, site.geometry.inputs, deviation: 0.4)
        if site.producerHasBias {
            for neuron in 0..<2 { fanIn[neuron, fanIn.columns - 1] += bias }
        }
        let outputs = site.consumerWeights(of: network).rows
        return Extension(
            neurons: NewNeurons(
                fanIn: fanIn,
                fanOut: random.matrix(outputs, 2 * site.geometry.consumer.taps, deviation: 0.4)),
            update: nil)
    }

    /// The loss with neurons drawn at a site, and the operations it took.
    private func tried(_ site: Width, _ network: Network, _ samples: CarriedSamples) throws
        -> (loss: Double, flops: Int)
    {
        let before = samples.flops
        let trial = try GrowthTrial(
            [drawn(site, network)], at: site, of: network, over: samples, loss: LossParameters())
        return (try trial.loss(at: 0.5), samples.flops - before)
    }

    @Test(
        "a trial over carried samples has the loss of one over fresh ones, on the way there and back",
        arguments: [SampleNetworks.Kind.residual, .batchNormalized, .maxPooled],
        [CarriedSamples.keptBytes, 1_000_000, 0])
    func carrying(kind: SampleNetworks.Kind, bytes: Int) throws {
        var network = try SampleNetworks.network(kind)
        var carried = samples(network, threads: 2, keptBytes: bytes)
        func check(_ index: Int) throws -> (carried: Int, fresh: Int) {
            let site = Width.plain(in: network.architecture)[index]
            let found = try tried(site, network, carried)
            let fresh = try tried(site, network, samples(network))
            #expect(abs(found.loss - fresh.loss) < 1e-6, "\(site.name)")
            network = try network.grafting(drawn(site, network), at: site)
            return (found.flops, fresh.flops)
        }
        let last = Width.plain(in: network.architecture).count - 1
        _ = try check(0)
        _ = try check(last)
        let spent = try check(last)
        if bytes == CarriedSamples.keptBytes { #expect(spent.carried < spent.fresh) }
        _ = try check(0)
        carried = samples(network, threads: 2, keptBytes: bytes)
        _ = try check(last)
        _ = try check(0)
        // What stands before the place has changed although the place is the same.
        network.parameters["stem/bias"]?.values[0] += 0.5
        _ = try check(0)
    }

    @Test(
        "moments of new channels are those in Float64, far from zero too, with any number of threads",
        arguments: [SampleNetworks.Kind.batchNormalized, .flattenedNormalized, .normalizedLate], [1, 3])
    func moments(kind: SampleNetworks.Kind, threads: Int) throws {
        let network = try SampleNetworks.network(kind)
        let site = try #require(Width.plain(in: network.architecture).first { $0.name == "first" })
        let provisional = try network.grafting(drawn(site, network, bias: 40), at: site)
        let samples = samples(network, threads: threads)
        try samples.carry(to: site.input, of: network)
        let grown = try provisional.normalizing(2, at: site, over: samples)

        let node = try #require(network.architecture.normalizations(site.between).first)
        let values = NetworkRun(provisional, dataset.validation, dataset.normalization)
            .values(of: node.inputs[0])
        let means = try #require(grown.state["\(node.name)/running_mean"]).values
        let variances = try #require(grown.state["\(node.name)/running_var"]).values
        let before = try #require(network.state["\(node.name)/running_var"]).count
        // Where an image is flattened, every position of a new channel is a channel of its own.
        let channels = values.columns
        #expect(channels == means.count)
        for channel in before..<channels {
            let column = values.column(channel)
            let mean = column.reduce(0, +) / Double(column.count)
            let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(column.count)
            #expect(agrees(Double(means[channel]), mean, to: 1e-6))
            #expect(agrees(Double(variances[channel]), variance, to: 1e-5))
        }
    }

    @Test(
        "a network with batch normalisation grows to the same bits with any number of threads",
        arguments: [2, 3])
    func threads(count: Int) throws {
        let network = try SampleNetworks.network(.batchNormalized)
        let one = try grow(network).outcome
        #expect(one.network != nil)
        #expect(try grow(network, threads: count).outcome == one)
    }
}
