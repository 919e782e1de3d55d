import Datasets
import Networks
import Parameters
import Testing

@testable import Growth

@Suite("Growth of whole families")
struct FamilyGrowthTests: GrowsNetworks {
    let dataset = SampleNetworks.dataset(train: 150, validation: 60)

    @Test(
        "the inner width of every block grows, from 0 as well",
        arguments: [
            (
                "{kind: wrn, depth: 10, widen: 2, width: 3, inner: [0, 2, 3]}",
                ["stage1-block1-conv1", "stage2-block1-conv1", "stage3-block1-conv1"], [0, 2, 3]
            ),
            (
                "{kind: residual-mlp, width: 5, hidden: 2, normalization: batch}",
                ["block1-hidden", "block2-hidden"], [2, 2]
            ),
        ])
    func inner(yaml: String, names: [String], counts: [Int]) throws {
        let parameters = try NetworkParameters(tree: Tree(yaml: yaml, file: "x"), file: "x")
        let network = try Network(
            initializing: parameters.architecture(sample: dataset.shape.planes, outputs: 3), seed: 3)
        let widths = Width.plain(in: network.architecture)
        #expect(widths.map(\.name) == names && widths.map(\.count) == counts)
        let outcome = try grow(network).outcome
        let grown = try #require(outcome.network)
        #expect(Width.plain(in: grown.architecture).map(\.count) == counts.map { $0 + 2 })
        #expect(outcome.records.allSatisfy { $0.realizedDecrease > 0 })
    }
}
