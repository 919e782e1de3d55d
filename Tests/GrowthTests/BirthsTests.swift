import GrowthMath
import Correlations
import Datasets
import Networks
import Parameters
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Births of rows and columns")
struct BirthsTests {
    private let dataset = SampleNetworks.dataset(train: 60, validation: 40)

    /// A network after so many rounds of two neurons, or channels, at every width.
    private func grown(_ start: Network, rounds: Int, method: String = "net2net") throws -> Network {
        let isResidual = !Width.residual(in: start.architecture).isEmpty
        let plan = try GrowthPlan(
            tree: Tree(
                yaml:
                    "{rounds: \(rounds), method: \(method), residual-widths: \(isResidual), neurons: {most: 2}}",
                file: "x"), file: "x")
        return try (1...rounds).reduce(start) { network, round in
            let found = try computeBottlenecks(
                plan.bottleneckParameters(round: round, loss: LossParameters(), seed: 0), dataset: dataset,
                network: network)
            return try #require(
                try growNetwork(
                    plan.growthParameters(round: round, loss: LossParameters(), seed: 0), dataset: dataset,
                    network: network, bottlenecks: found
                ).network)
        }
    }

    private func rounds(_ counts: Int...) -> [Int] {
        counts.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
    }

    @Test("each round's neurons are rows of one layer and columns of the next, born then; copies too")
    func linear() throws {
        let start = try Network(
            initializing: NetworkParameters(widths: [3, 4]).architecture(sample: [2, 6, 6], outputs: 3),
            seed: 1)
        #expect(start.births["hidden2"] == Births(rows: rounds(4), columns: rounds(3)))
        let network = try grown(start, rounds: 2)
        #expect(network.births["hidden1"] == Births(rows: rounds(3, 2, 2), columns: rounds(72)))
        #expect(network.births["hidden2"] == Births(rows: rounds(4, 2, 2), columns: rounds(3, 2, 2)))
        #expect(network.births["output"] == Births(rows: rounds(3), columns: rounds(4, 2, 2)))
        #expect(network.births.count == 3)
        // Of hidden2 [8, 7]: 4 · 3 of the seed, and what was there after the first round without them.
        let (first, second, third) = (
            72 * 3 + 3 + 12 + 4 + 12 + 3, 72 * 5 + 5 + 30 + 6 + 18 + 3, 72 * 7 + 7 + 56 + 8 + 24 + 3
        )
        #expect(network.parametersByBirth.map(\.count) == [first, second - first, third - second])
        #expect(network.parametersByBirth.map(\.round) == [0, 1, 2])
    }

    @Test("channels of convolutions take with them what lies between and the columns of what reads them")
    func convolutions() throws {
        let normalized = try grown(SampleNetworks.network(.batchNormalized), rounds: 1)
        #expect(normalized.births["first"] == Births(rows: rounds(3, 2), columns: rounds(4, 2)))
        #expect(normalized.births["between0"] == Births(rows: rounds(3, 2)))
        #expect(normalized.births["second"] == Births(rows: rounds(4, 2), columns: rounds(3, 2)))
        let depthwise = try grown(SampleNetworks.network(.depthwise), rounds: 1)
        #expect(depthwise.births["between1"] == Births(rows: rounds(3, 2), columns: [0]))
        let flattened = try grown(SampleNetworks.network(.flattened), rounds: 1)
        #expect(flattened.births["second"] == Births(rows: rounds(5, 2), columns: rounds(3 * 36, 2 * 36)))
    }

    @Test("a width that branches share is born in all its layers at once, what rounds leave alone stays")
    func residual() throws {
        let network = try grown(ResidualNetworks.network(.classic), rounds: 1)
        let (stem, back) = (network.births["stem"], network.births["stage1-block1-conv2"])
        #expect(stem == Births(rows: rounds(3, 2), columns: rounds(2)))
        #expect(back == Births(rows: rounds(3, 2), columns: rounds(3, 2)))
        #expect(network.births["stem-norm"] == Births(rows: rounds(3, 2)))
        #expect(network.births["output"] == Births(rows: rounds(3), columns: rounds(12, 2)))
    }

    @Test("a node that is put in is born in its round, and makes nothing around it younger")
    func inserted() throws {
        var network = try Network(
            initializing: NetworkParameters(widths: [3, 4]).architecture(sample: [2], outputs: 3), seed: 1)
        let old = network.births
        var nodes = network.architecture.nodes
        let place = try #require(nodes.firstIndex { $0.name == "hidden2" })
        nodes[place].inputs = ["extra"]
        nodes.insert(.init("extra", Linear(width: 3), inputs: ["activation1"]), at: place)
        network.architecture = try Architecture(inputShape: [2], nodes: nodes)
        #expect(!network.hasAllBirths)
        network.noteBirths(in: 4)
        #expect(network.hasAllBirths)
        #expect(network.births["extra"] == Births(rows: [4, 4, 4], columns: [4, 4, 4]))
        #expect(network.births.filter { $0.key != "extra" } == old)
    }

    @Test(
        "a block that is put in changes the random numbers of no other width, though it makes one residual"
    )
    func draws() throws {
        let start = try NetworkParameters(widths: [3, 4, 5]).architecture(sample: [2], outputs: 3)
        var nodes = start.nodes
        let place = try #require(start.index(of: "hidden2"))
        nodes[place].inputs = ["sum"]
        nodes.insert(
            contentsOf: [
                .init("inner", Linear(width: 2), inputs: ["activation1"]),
                .init("outer", Linear(width: 3), inputs: ["inner"]),
                .init("sum", Add(), inputs: ["activation1", "outer"]),
            ], at: place)
        let longer = try Architecture(inputShape: [2], nodes: nodes)
        func numbers(_ architecture: Architecture) -> [String: Int] {
            Dictionary(
                uniqueKeysWithValues: Width.all(in: architecture).enumerated().map {
                    ($1.name, architecture.drawNumber(ofWidth: $1.name, at: $0))
                })
        }
        #expect(numbers(start) == ["hidden1": 0, "hidden2": 1, "hidden3": 2])
        let after = numbers(longer)
        #expect(Width.all(in: longer).filter(\.isResidual).map(\.name) == ["hidden1"])
        #expect(after.filter { $0.key != "inner" } == numbers(start))
        #expect(after["inner"] == start.nodes.count + start.nodes.count)
    }
}
