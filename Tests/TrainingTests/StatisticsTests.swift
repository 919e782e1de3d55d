import Datasets
import Networks
import Testing

@testable import Training

@Suite("Normalisation over one value")
struct StatisticsTests {
    private static func network(_ operation: any Operation) throws -> Architecture {
        try Architecture(
            inputShape: [9],
            nodes: [
                .init("hidden", Linear(width: 4, bias: true), inputs: ["input"]),
                .init("norm", operation, inputs: ["hidden"]),
                .init("activation", Activation(.relu), inputs: ["norm"]),
                .init("output", Linear(width: 4, bias: true), inputs: ["activation"]),
            ])
    }

    private func train(
        _ operation: any Operation, samples: Int = 41, batch: Int, shards: Int
    ) throws -> Network {
        try trainSeed(
            seedParameters(batch: batch, shards: shards), dataset: prototypes(train: samples),
            architecture: Self.network(operation))
    }

    @Test(
        "a shard of one sample is refused with the node and what to do",
        arguments: [(1, 1), (1, 2), (2, 2), (3, 2), (32, 32), (32, 64), (63, 32)])
    func refused(batch: Int, shards: Int) throws {
        let error = #expect(throws: TrainingError.self) {
            try train(BatchNormalization(), samples: 100, batch: batch, shards: shards)
        }
        #expect(error?.exitCode == 65)
        let text = try #require(error).description
        #expect(text.contains("node 'norm'") && text.contains("batch of \(batch) in"), "\(text)")
        // What it says to do helps.
        let larger = try #require(text.firstMatch(of: /batches of at least (\d+)/)?.output.1)
        _ = try train(
            BatchNormalization(), samples: 200, batch: try #require(Int(larger)),
            shards: min(shards, batch))
        if let fewer = text.firstMatch(of: /shards to at most (\d+)/)?.output.1 {
            _ = try train(
                BatchNormalization(), samples: 100, batch: batch, shards: try #require(Int(fewer)))
        }
    }

    @Test("a split smaller than a batch is cut into shards itself")
    func smallSplit() throws {
        #expect(throws: TrainingError.self) {
            try train(BatchNormalization(), samples: 3, batch: 128, shards: 2)
        }
        _ = try train(BatchNormalization(), samples: 4, batch: 128, shards: 2)
    }

    @Test("a last batch of one sample is harmless")
    func lastBatch() throws {
        let network = try train(BatchNormalization(), samples: 41, batch: 8, shards: 2)
        let areFinite = flat(network.parameters).allSatisfy(\.isFinite)
        #expect(areFinite)
    }

    @Test("positions count as samples do")
    func positions() throws {
        let architecture = try Architecture(
            inputShape: [1, 3, 3],
            nodes: [
                .init("norm", BatchNormalization(), inputs: ["input"]),
                .init("flatten", Flatten(), inputs: ["norm"]),
                .init("output", Linear(width: 4, bias: true), inputs: ["flatten"]),
            ])
        _ = try trainSeed(
            seedParameters(batch: 1, shards: 1), dataset: prototypes(train: 8), architecture: architecture)
    }

    @Test("normalisation within a sample needs more than one value of it, and no more samples")
    func groups() throws {
        _ = try train(LayerNormalization(), batch: 1, shards: 1)
        _ = try train(GroupNormalization(groups: 2), batch: 1, shards: 1)
        let error = #expect(throws: TrainingError.self) {
            try train(GroupNormalization(groups: 4), batch: 16, shards: 2)
        }
        #expect(error == .singleValue(node: "norm", batch: 16, shards: 2, dependsOnRows: false))
    }
}
