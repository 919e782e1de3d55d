import Datasets
import GrowthMath
import Networks
import Parameters
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("The size that new neurons are put in at")
struct GraftRuleTests: GrowsNetworks {
    let dataset = SampleNetworks.dataset(train: 200, validation: 60)

    /// A network with drawn neurons of odd sizes at its width "first", and the same with a rule's size.
    private func grafted(_ kind: SampleNetworks.Kind, _ rule: any GraftRule) throws -> (
        width: Width, before: Network, found: Network, sized: Network
    ) {
        var before = try SampleNetworks.network(kind)
        before.parameters["between0/weight"]?.values = [0.5, 0.8, 2]
        let width = try #require(Width.all(in: before.architecture).first { $0.name == "first" })
        var random = Philox(seed: 4, purpose: .growth)
        let inputs = before.extendedWeights(of: width.producers).columns
        let outputs = before.extendedWeights(of: width.consumers[0]).rows
        let neurons = NewNeurons(
            fanIn: random.matrix(2, inputs, deviation: 0.01),
            fanOut: random.matrix(outputs, 2 * width.consumerTaps[0], deviation: 3))
        let samples = CarriedSamples(
            dataset.train, dataset.normalization, for: before.architecture, threads: 1)
        try samples.carry(to: width.input, of: before)
        let found = try before.grafting([Extension(neurons: neurons, update: nil)], at: width)
            .normalizing(2, at: width, over: samples)
        return (width, before, found, rule.sized(found, newborn: 2, at: width))
    }

    private func run(_ network: Network) -> NetworkRun {
        NetworkRun(network, dataset.validation, dataset.normalization)
    }

    private static let homogeneous: [SampleNetworks.Kind] = [
        .plain, .strided, .batchNormalized, .maxPooled, .pooledWithPadding, .flattened, .globallyPooled,
    ]

    @Test("activity keeps the function and gives new fan-ins the old norm", arguments: homogeneous)
    func activity(kind: SampleNetworks.Kind) throws {
        let (width, _, found, sized) = try grafted(kind, Activity())
        #expect(relativeDifference(run(sized).outputs, run(found).outputs) < 1e-5)
        let norms = sized.fanInNorms(at: width)
        let mean = norms.prefix(3).reduce(0, +) / 3
        #expect(norms.suffix(2).allSatisfy { abs($0 / mean - 1) < 1e-5 })
        #expect(sized.fanInNorms(at: width).prefix(3) == found.fanInNorms(at: width).prefix(3))
        if kind == .batchNormalized || kind == .globallyPooled {
            let gains = try #require(sized.parameters["between0/weight"]?.values)
            #expect(gains.suffix(2).allSatisfy { abs($0 - 0.8) < 1e-5 }, "\(gains)")
        }
    }

    @Test("activity leaves a width alone whose activation is not homogeneous, and says so")
    func obstacle() throws {
        let network = try SampleNetworks.network(.depthwise)
        let outcome = try grow(network) { $0.placement.graft.rule = Activity() }.outcome
        let record = try #require(outcome.records.first { $0.width == "first" })
        #expect(record.change == nil)
        #expect(record.note.hasPrefix("graft: activity cannot size neurons here: between1 does not keep"))
    }

    @Test(
        "rms gives new neurons the old norms and multiplies whole fan-ins by √(d/d')", arguments: [0, 1.5],
        [true, false])
    func rootMeanSquare(fanOut: Double, rescales: Bool) throws {
        let rule = RootMeanSquare(fanOut: fanOut, rescales: rescales)
        let (width, before, _, sized) = try grafted(.plain, rule)
        let (fanIns, fanOuts) = (sized.fanInNorms(at: width), sized.fanOutNorms(of: 0, at: width))
        let old = before.fanOutNorms(of: 0, at: width)
        let shared = rescales ? (3.0 / 5).squareRoot() : 1
        #expect(zip(fanOuts, old).allSatisfy { abs($0 - shared * $1) < 1e-5 })
        let mean = old.reduce(0, +) / 3
        #expect(fanOuts.suffix(2).allSatisfy { abs($0 - fanOut * shared * mean) < 1e-5 })
        let meanIn = fanIns.prefix(3).reduce(0, +) / 3
        #expect(fanIns.suffix(2).allSatisfy { abs($0 - meanIn) < 1e-5 })
        #expect(sized.parameters["second/bias"] == before.parameters["second/bias"])
    }

    @Test("a round with rms records the loss of the network that it makes, running averages measured anew")
    func record() throws {
        let network = try SampleNetworks.network(.batchNormalized)
        let outcome = try grow(network) {
            $0.placement.graft.rule = RootMeanSquare()
            $0.proposal.method.method = Random()
        }.outcome
        let grown = try #require(outcome.network)
        let last = try #require(outcome.records.last { $0.change != nil })
        let found = run(grown).lossAndGradients().loss
        #expect(abs(last.lossBefore - last.realizedDecrease - found) < 0.05 * found)
        #expect(outcome.records.allSatisfy { $0.predictedDecrease == nil })
        // What comes into the normalisation behind the last width is normalised to its mean and variance.
        let input = run(grown).values(of: "first")
        let state = try #require(grown.state["between0/running_mean"]?.values)
        for channel in state.indices {
            let mean = input.column(channel).reduce(0, +) / Double(input.rows)
            let spread = input.selecting(columns: [channel]).standardDeviation
            #expect(abs(mean - Double(state[channel])) < 0.5 * spread, "\(channel)")
        }
    }
}
