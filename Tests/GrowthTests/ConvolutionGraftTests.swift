import Parameters
import Correlations
import Datasets
import GrowthMath
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Grafting between convolutions")
struct ConvolutionGraftTests {
    private let dataset = SampleNetworks.dataset(train: 200, validation: 60)

    private func run(
        _ network: Network, mode: ForwardMode = .evaluation, _ split: Split? = nil
    ) -> NetworkRun {
        NetworkRun(network, split ?? dataset.validation, dataset.normalization, mode: mode)
    }

    /// Neurons and an update of ordinary size, drawn.
    private func drawn(_ site: Width, _ network: Network, count: Int, seed: Int, update: Bool)
        -> Extension
    {
        var random = Philox(seed: seed, purpose: .growth)
        let consumer = site.consumerWeights(of: network)
        let taps = site.geometry.consumer.taps
        return Extension(
            neurons: NewNeurons(
                fanIn: random.matrix(count, site.geometry.inputs, deviation: 0.4),
                fanOut: random.matrix(consumer.rows, count * taps, deviation: 0.4)),
            update: update ? random.matrix(consumer.rows, consumer.columns, deviation: 0.1) : nil)
    }

    @Test(
        "a trial at γ has the loss of the network grown at γ, kept in memory or computed anew",
        arguments: SampleNetworks.Kind.allCases, [true, false])
    func trials(kind: SampleNetworks.Kind, update: Bool) throws {
        let network = try SampleNetworks.network(kind, bias: update)
        for site in Width.plain(in: network.architecture) {
            let some = drawn(site, network, count: 2, seed: 3, update: update)
            for bytes in [CarriedSamples.keptBytes, 0] {
                let samples = CarriedSamples(
                    dataset.validation, dataset.normalization, for: network.architecture, threads: 2,
                    keptBytes: bytes)
                let trial = try GrowthTrial(
                    [some], at: site, of: network, over: samples, loss: LossParameters())
                for amplitude in [0, 0.3, 2.0] {
                    let grown = try network.grafting(some.scaled(by: amplitude), at: site)
                    let expected = run(amplitude > 0 ? grown : network).lossAndGradients().loss
                    let found = try trial.loss(at: amplitude)
                    #expect(abs(found - expected) < 2e-5 * max(1, expected), "\(site.name) at \(amplitude)")
                }
            }
        }
    }

    @Test(
        "methods that say so keep the function to 1e-5 through any growths of any sites, and gradients stay right",
        arguments: SampleNetworks.Kind.allCases, 0..<3)
    func functionIsKept(kind: SampleNetworks.Kind, seed: Int) throws {
        var random = Philox(seed: seed, purpose: .growth, index: 7)
        var network = try SampleNetworks.network(kind, width: seed == 0 ? 0 : 3, bias: seed != 1, seed: seed)
        let before = run(network).outputs
        let trained = run(network, mode: NetworkRun.training).outputs
        for step in 0..<4 {
            let sites = Width.plain(in: network.architecture)
            let site = sites[random.integer(below: sites.count)]
            let method: any GrowthMethod = random.integer(below: 2) == 0 ? Net2Net() : RandomZeroOut()
            let problem = try WidthProblem(
                site, of: network, statistics: nil, proposal: ProposalParameters(), seed: seed,
                round: step + 1, position: 0)
            let found = try problem.propose(by: method, limit: 1 + random.integer(below: 4))[0]
            let width = site.count
            network = try network.grafting(
                Extension(neurons: found.neurons, update: found.consumerUpdate(with: found.neurons)), at: site
            )
            let grown = try #require(
                Width.plain(in: network.architecture).first { $0.name == site.name })
            #expect(grown.count == width + found.neurons.count)
        }
        try network.validate(source: "test")
        #expect(relativeDifference(run(network).outputs, before) <= 1e-5)
        // Masks of dropout depend on the width.
        if kind != .normalizedLate {
            let after = run(network, mode: NetworkRun.training).outputs
            #expect(relativeDifference(after, trained) <= 1e-4)
        }
        try checkGradients(network, &random)
    }

    /// Central differences of the loss over a few weights of every layer.
    private func checkGradients(_ network: Network, _ random: inout Philox) throws {
        let split = dataset.validation
        let gradients = run(network, split).lossAndGradients().gradients
        for name in network.parameters.keys.sorted() where network.parameters[name]?.count ?? 0 > 0 {
            let tensor = try #require(network.parameters[name])
            let index = random.integer(below: tensor.count)
            let step: Float = 1e-2
            let losses = [step, -step].map { step in
                var moved = network
                moved.parameters[name]?.values[index] += step
                return run(moved, split).lossAndGradients().loss
            }
            let slope = (losses[0] - losses[1]) / Double(2 * step)
            let found = Double(try #require(gradients[name]).values[index])
            #expect(abs(slope - found) < 2e-3 + 0.03 * abs(slope), "\(name)[\(index)]: \(found), \(slope)")
        }
    }

    private func run(_ network: Network, _ split: Split) -> NetworkRun {
        NetworkRun(network, split, dataset.normalization)
    }

    @Test(
        "a batch normalisation lets new channels pass: exactly in evaluation, nearly in training",
        arguments: [SampleNetworks.Kind.batchNormalized, .flattenedNormalized, .globallyPooled, .residual])
    func normalization(kind: SampleNetworks.Kind) throws {
        let network = try SampleNetworks.network(kind)
        let site = try #require(Width.plain(in: network.architecture).first { $0.name == "first" })
        let some = drawn(site, network, count: 2, seed: 5, update: false)
        let provisional = try network.grafting(some, at: site)
        let samples = CarriedSamples(
            dataset.train, dataset.normalization, for: network.architecture, threads: 2)
        try samples.carry(to: site.input, of: network)
        let grown = try provisional.normalizing(2, at: site, over: samples)
        #expect(relativeDifference(run(grown).outputs, run(provisional).outputs) < 1e-5)

        let node = try #require(
            grown.architecture.nodes.first { $0.operation is BatchNormalization })
        let channels = try #require(grown.architecture.shape(of: node.name))[0]
        let new = channels / 5 * 3..<channels
        for (mode, split, tolerance) in [
            (ForwardMode.evaluation, dataset.validation, 1e-5), (NetworkRun.training, dataset.train, 1e-3),
            (NetworkRun.training, dataset.validation, 0.5),
        ] {
            let into = run(grown, mode: mode, split).values(of: node.inputs[0]).selecting(columns: new)
            let out = run(grown, mode: mode, split).values(of: node.name).selecting(columns: new)
            #expect(relativeDifference(out, into) < tolerance)
        }
        // Left as first grafted, training would blow them up or shrink them.
        let into = run(provisional, mode: NetworkRun.training, dataset.train).values(of: node.inputs[0])
            .selecting(columns: new)
        let out = run(provisional, mode: NetworkRun.training, dataset.train).values(of: node.name)
            .selecting(columns: new)
        #expect(relativeDifference(out, into) > 0.01)
    }

    @Test("optimiser state keeps its place in tensors of any rank", arguments: SampleNetworks.Kind.allCases)
    func optimizerState(kind: SampleNetworks.Kind) throws {
        var network = try SampleNetworks.network(kind)
        for (name, tensor) in network.parameters { network.optimizerState["\(name)/momentum"] = tensor }
        let site = try #require(Width.plain(in: network.architecture).first { $0.name == "first" })
        // Without an update, old weights and their state stay the same values at the same places.
        let grown = try network.grafting(drawn(site, network, count: 2, seed: 1, update: false), at: site)
        for (name, tensor) in grown.parameters {
            let state = try #require(grown.optimizerState["\(name)/momentum"])
            #expect(state.shape == tensor.shape)
            for (old, value) in zip(state.values, tensor.values) { #expect(old == value || old == 0) }
            let zeros = state.values.count { $0 == 0 }
            let before = try #require(network.parameters[name])
            #expect(zeros == state.count - before.count + before.values.count { $0 == 0 })
        }
    }
}
