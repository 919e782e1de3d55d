import Datasets
import Networks
import Tensors
import Training

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
        let arena = ParameterArena(ParameterLayout(network.architecture), network.parameters)
        return try Evaluator(network.architecture, arena, Batches(split, dataset.normalization)).outputs(
            threads: 1)
    }

    func loss(_ network: Network, _ split: Split) throws -> Double {
        let arena = ParameterArena(ParameterLayout(network.architecture), network.parameters)
        let evaluator = Evaluator(network.architecture, arena, Batches(split, dataset.normalization))
        return try evaluator.sums(LossParameters(), threads: 1).loss / Double(split.count)
    }
}
