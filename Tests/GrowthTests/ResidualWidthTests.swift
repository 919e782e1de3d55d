import Correlations
import Datasets
import GrowthMath
import Networks
import Parameters
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Widths that residual branches share")
struct ResidualWidthTests {
    typealias Node = Architecture.Node

    private let dataset = SampleNetworks.dataset(train: 150, validation: 60)

    private func run(_ network: Network, mode: ForwardMode = .evaluation) -> NetworkRun {
        NetworkRun(network, dataset.validation, dataset.normalization, mode: mode)
    }

    private func network(
        _ order: ResNet.Order, _ normalization: NormalizationChoice = .batch
    ) throws -> Network {
        try ResidualNetworks.network(order, normalization)
    }

    /// What methods without data propose, put in as it is.
    private func graft(_ proposals: [Proposal], on width: Width, of network: Network) throws
        -> Network
    {
        let extensions = proposals.map {
            Extension(neurons: $0.neurons, update: $0.consumerUpdate(with: $0.neurons))
        }
        return try network.grafting(extensions, at: width)
    }

    @Test("every stage of a residual network is one, with all that write and read it")
    func found() throws {
        let widths = Width.residual(in: try network(.classic).architecture)
        #expect(widths.map(\.name) == ["stem", "stage2-block1-conv2", "stage3-block1-conv2"])
        #expect(widths[0].producers == ["stem", "stage1-block1-conv2"])
        #expect(
            widths[0].consumers == ["stage1-block1-conv1", "stage2-block1-conv1", "stage2-block1-shortcut"])
        #expect(widths[1].producers == ["stage2-block1-conv2", "stage2-block1-shortcut"])
        #expect(widths[2].consumers == ["output"])
        #expect(widths.map(\.count) == [3, 6, 12])
        #expect(widths[0].between.contains("stage1-block1-add"))
        // A normalisation that mixes channels ends it.
        let mixed = Width.residual(in: try network(.classic, .layer).architecture)
        #expect(mixed.isEmpty)
    }

    @Test("widths between two layers, and those that reach the output or the data, are none")
    func others() throws {
        for kind in SampleNetworks.Kind.allCases {
            let widths = Width.residual(in: try SampleNetworks.architecture(kind))
            #expect(widths.map(\.name) == (kind == .residual ? ["stem"] : []))
        }
        let window = Window(kernel: Extent(3, 3), padding: Extent(1, 1))
        let architecture = try Architecture(
            inputShape: [2, 6, 6],
            nodes: [
                Node("first", Convolution(width: 2, window: window), inputs: ["input"]),
                Node("sum", Add(), inputs: ["first", "input"]),
                Node("pool", GlobalAveragePooling(), inputs: ["sum"]),
                Node("output", Linear(width: 3), inputs: ["pool"]),
            ])
        #expect(Width.residual(in: architecture).isEmpty)
    }

    @Test("a width that goes into what nobody reads, or that is a row and an image at once, is none")
    func deadEnds() throws {
        let point = Window(kernel: Extent(1, 1))
        func names(_ nodes: [Node]) throws -> [String] {
            let one = Node("one", Convolution(width: 3, window: point), inputs: ["input"])
            let nodes = [one] + nodes + [Node("output", Linear(width: 3), inputs: ["last"])]
            return Width.residual(in: try Architecture(inputShape: [2, 6, 6], nodes: nodes)).map(\.name)
        }
        let two = Node("two", Convolution(width: 3, window: point), inputs: ["input"])
        let sum = Node("sum", Add(), inputs: ["one", "two"])
        let last = Node("last", Flatten(), inputs: ["sum"])
        #expect(try names([two, sum, last]) == ["one"])
        #expect(try names([two, sum, last, Node("lost", Activation(.relu), inputs: ["two"])]).isEmpty)
        let rows = [
            Node("flat", Flatten(), inputs: ["one"]), Node("pixels", Flatten(), inputs: ["input"]),
            Node("row", Linear(width: 108), inputs: ["pixels"]),
            Node("last", Add(), inputs: ["flat", "row"]),
        ]
        #expect(try names(rows).isEmpty)
    }

    @Test(
        "copies and neurons without fan-out keep the function, in evaluation and training, through growths of all widths",
        arguments: [ResNet.Order.classic, .preActivation], [Net2Net() as any GrowthMethod, RandomZeroOut()])
    func functionIsKept(order: ResNet.Order, method: any GrowthMethod) throws {
        var network = try network(order)
        let before = run(network).outputs
        let trained = run(network, mode: NetworkRun.training).outputs
        for round in 1...2 {
            for index in Width.residual(in: network.architecture).indices {
                let width = Width.residual(in: network.architecture)[index]
                let problem = try WidthProblem(
                    width, of: network, statistics: nil, proposal: ProposalParameters(), seed: 1,
                    round: round, position: index)
                network = try graft(try problem.propose(by: method, limit: 2), on: width, of: network)
                let grown = Width.residual(in: network.architecture)[index]
                #expect(grown.count == width.count + 2 && grown.producers == width.producers)
            }
        }
        #expect(relativeDifference(run(network).outputs, before) <= 1e-5)
        #expect(relativeDifference(run(network, mode: NetworkRun.training).outputs, trained) <= 1e-4)
    }

    @Test("a layer that both reads and writes a width gets columns and rows")
    func ownReader() throws {
        let window = Window(kernel: Extent(3, 3), padding: Extent(1, 1))
        let architecture = try Architecture(
            inputShape: [2, 6, 6],
            nodes: [
                Node("stem", Convolution(width: 3, window: window), inputs: ["input"]),
                Node("relu", Activation(.relu), inputs: ["stem"]),
                Node("inner", Convolution(width: 3, window: window), inputs: ["relu"]),
                Node("sum", Add(), inputs: ["stem", "inner"]),
                Node("flatten", Flatten(), inputs: ["sum"]),
                Node("output", Linear(width: 3), inputs: ["flatten"]),
            ])
        let network = try Network(initializing: architecture, seed: 4)
        let width = try #require(Width.residual(in: architecture).first)
        #expect(width.producers == ["stem", "inner"] && width.consumers == ["inner", "output"])
        for method in [Net2Net() as any GrowthMethod, RandomZeroOut()] {
            let problem = try WidthProblem(
                width, of: network, statistics: nil, proposal: .init(), seed: 0, round: 1, position: 0)
            let grown = try graft(problem.propose(by: method, limit: 2), on: width, of: network)
            #expect(grown.parameters["inner/weight"]?.shape == [5, 5, 3, 3])
            #expect(relativeDifference(run(grown).outputs, run(network).outputs) <= 1e-5)
        }
    }

    @Test("the stages measure and widen them after the others when asked to, and records it")
    func growth() throws {
        let start = try network(.classic)
        for name in ["net2net", "random"] {
            let plan = try GrowthPlan(
                tree: Tree(yaml: "{method: \(name), residual-widths: true, neurons: {most: 2}}", file: "x"),
                file: "x"
            )
            let loss = LossParameters()
            let bottlenecks = try computeBottlenecks(
                plan.bottleneckParameters(round: 1, loss: loss, seed: 0), dataset: dataset, network: start)
            let outcome = try growNetwork(
                plan.growthParameters(round: 1, loss: loss, seed: 0), dataset: dataset, network: start,
                bottlenecks: bottlenecks)
            let grown = try #require(outcome.network)
            #expect(Width.residual(in: grown.architecture).map(\.count) == [5, 8, 14])
            #expect(outcome.records.count == 6)
            let realised = outcome.records.reduce(0) { $0 + $1.realizedDecrease }
            let losses = [start, grown].map { run($0).lossAndGradients().loss }
            #expect(abs(realised - (losses[0] - losses[1])) < 1e-4 * max(1, losses[0], losses[1]))
        }
    }
}
