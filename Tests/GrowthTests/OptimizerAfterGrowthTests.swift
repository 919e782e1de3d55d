import Parameters
import Datasets
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

/// Optimisers go on with what they know of old weights, and begin anew with new ones.
@Suite("Training after growth")
struct OptimizerAfterGrowthTests: GrowsNetworks {
    let dataset = SampleDataset.make()
    private static let rate = 0.001

    private func tuned(_ network: Network, epochs: Int, batch: Int) throws -> Network {
        var training = TrainingParameters(epochs: epochs, batch: batch)
        training.optimizer = OptimizerParameters(rule: AdamW(), rate: Self.rate)
        return try #require(
            try fineTune(
                TuneParameters(training: training, loss: LossParameters(), seed: 7), dataset: dataset,
                network: network))
    }

    @Test(
        "AdamW moves a new weight by at most the rate in a step, however many updates the old ones have seen",
        arguments: ["tiny-joint", "random", "gradmax", "net2net"])
    func lengths(name: String) throws {
        let trained = try tuned(SampleDataset.network(.tanh, dataset: dataset), epochs: 20, batch: 20)
        let method = try #require(MethodParameters(name))
        let grown = try #require(try grow(trained) { $0.proposal.method = method }.outcome.network)
        // The batch is the whole split: an epoch is a step.
        for (steps, most) in [(1, 1.01), (20, 22.0)] {
            let after = try tuned(grown, epochs: steps, batch: dataset.train.count)
            for (parameter, old) in trained.parameters {
                let before = try #require(grown.parameters[parameter])
                let counts = try #require(after.optimizerState["\(parameter)/steps"])
                let moved = try #require(after.parameters[parameter])
                // New rows stand last, new columns last in their row.
                let (rows, columns) = (old.shape[0], old.count / old.shape[0])
                let width = before.count / before.shape[0]
                for index in before.values.indices {
                    let isOld = index / width < rows && index % width < columns
                    #expect(counts.values[index] == Float((isOld ? 20 * 35 : 0) + steps))
                    guard !isOld else { continue }
                    let distance = Double(abs(moved.values[index] - before.values[index]))
                    #expect(distance <= most * Self.rate, "\(parameter) after \(steps)")
                }
            }
        }
    }
}
