import Parameters
import Datasets
import GrowthMath
import Networks
import Tensors
@testable import Training

@testable import Growth

/// What suites about growing have in common.
protocol GrowsNetworks {
    var dataset: Datasets.Dataset { get }
}

extension GrowsNetworks {
    func grow(
        _ network: Network, _ change: (inout GrowthPlan) -> Void = { _ in }, round: Int = 1, threads: Int = 1,
        on dataset: Datasets.Dataset? = nil
    ) throws -> (bottlenecks: Bottlenecks, outcome: GrowthOutcome) {
        let dataset = dataset ?? self.dataset
        var plan = GrowthPlan(rounds: 4)
        plan.proposal.neurons = .most(2)
        plan.measurement.samples = .all
        change(&plan)
        let loss = LossParameters()
        let bottlenecks = try computeBottlenecks(
            plan.bottleneckParameters(round: round, loss: loss, seed: 0), dataset: dataset, network: network,
            threads: threads)
        let outcome = try growNetwork(
            plan.growthParameters(round: round, loss: loss, seed: 0), dataset: dataset, network: network,
            bottlenecks: bottlenecks, threads: threads)
        return (bottlenecks, outcome)
    }

    func outputs(_ network: Network, _ split: Split) throws -> [Float] {
        try evaluator(network, split).outputs(LossParameters(), threads: 1).values
    }

    func loss(_ network: Network, _ split: Split) throws -> Double {
        try evaluator(network, split).sums(LossParameters(), threads: 1).loss / Double(split.count)
    }

    private func evaluator(_ network: Network, _ split: Split) -> Evaluator {
        Evaluator(
            network.architecture,
            ParameterArena(ParameterLayout(network.architecture), network.parameters),
            Batches(split, dataset.normalization, shape: network.architecture.inputShape))
    }
}
