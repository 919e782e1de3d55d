import Datasets
import Foundation
import Parameters
import Tensors
import TestSupport
import Testing

@testable import Growth
@testable import Networks
@testable import Training

@Suite("What CONTRIBUTING.md shows of new parts")
struct ContributingTests: GrowsNetworks {
    let dataset = SampleDataset.make(train: 200)

    /// The network of an architecture after training, with the losses of its epochs.
    private func trained(
        _ architecture: Architecture? = nil, _ change: (inout SeedParameters) -> Void = { _ in }
    ) throws -> Network {
        var parameters = SeedParameters()
        parameters.network = NetworkParameters(widths: [8])
        parameters.training.epochs = 5
        parameters.training.batch = 16
        change(&parameters)
        return try trainSeed(parameters, dataset: dataset, architecture: architecture)
    }

    private func lossFalls(_ network: Network) -> Bool {
        let losses = network.history.epochs.map(\.loss)
        return losses.count == 5 && losses[4] < losses[0]
    }

    @Test(
        "each example stands there as it is compiled here",
        arguments: ["Principal", "SignDescent", "Hinge", "LinearDecay", "AbsoluteValue", "Funnel"])
    func text(example: String) throws {
        let guide = Program.packageFolder.appending(path: "CONTRIBUTING.md")
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Examples/\(example).swift")
        let lines = try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let body = lines.drop { $0.isEmpty || $0.hasPrefix("import ") || $0.hasPrefix("@testable ") }
        let shown = body.map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n")
        #expect(try String(contentsOf: guide, encoding: .utf8).contains("\n\(shown)"))
    }

    @Test("a method is read with its fields, and grows a network whose function it keeps")
    func method() throws {
        let methods = Alternatives<any GrowthMethod>(TinyJoint.self, Principal.self)
        let tree = try Tree(yaml: "{kind: principal, length: 0.5}", file: "x.yaml")
        let method = try Fields.reading(tree, file: "x.yaml") {
            try methods.read("kind", &$0, default: nil, "the rule")
        }
        #expect((method as? Principal)?.length == 0.5)
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let outcome = try grow(network) { $0.proposal.method.method = method }.outcome
        let grown = try #require(outcome.network)
        #expect(grown.parameterCount > network.parameterCount)
        let (before, after) = (try outputs(network, dataset.test), try outputs(grown, dataset.test))
        #expect(zip(before, after).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test("an optimiser keeps its state in slots of its own")
    func optimizer() throws {
        let network = try trained {
            $0.training.optimizer = OptimizerParameters(rule: SignDescent(), rate: 0.002)
        }
        #expect(lossFalls(network))
        #expect(network.optimizerSlots == ["mean"])
    }

    @Test("a loss is minimised")
    func loss() throws {
        #expect(lossFalls(try trained { $0.loss.function = Hinge() }))
    }

    @Test("a schedule goes from the whole rate to its end")
    func schedule() {
        let schedule = ScheduleParameters(rule: LinearDecay(finalFraction: 0.2))
        let shares = [0, 5, 10].map { schedule.share(step: $0, stepsPerEpoch: 1, epochs: 10) }
        #expect(zip(shares, [1, 0.6, 0.2]).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    @Test("an operation stands in a graph and passes gradients on")
    func operation() throws {
        let nodes = [
            Architecture.Node("hidden", Linear(width: 8), inputs: [Architecture.inputName]),
            Architecture.Node("size", AbsoluteValue(), inputs: ["hidden"]),
            Architecture.Node("output", Linear(width: 3), inputs: ["size"]),
        ]
        #expect(lossFalls(try trained(Architecture(inputShape: [16], nodes: nodes))))
    }

    @Test("a family's architecture follows from its fields")
    func family() throws {
        let architecture = try Funnel(width: 12).architecture(sample: [1, 4, 4], outputs: 3)
        #expect(architecture.shapes == [[12], [12], [6], [6], [3], [3], [3]])
        #expect(lossFalls(try trained(architecture)))
    }
}
