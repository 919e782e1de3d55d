package import Parameters
package import Training

/// The `growth:` section of a pipeline.
package struct GrowthPlan: ParameterSet {
    /// Growth rounds; 0 for a network that is only trained.
    package var rounds = 1
    /// The epochs of one training across growth that are over when a round takes place; in order, a round for each.
    package var at: [Int] = []
    package var proposal = ProposalParameters()
    package var measurement = MeasurementParameters()
    package var placement = PlacementParameters()

    package static let schema = Schema(
        Self(),
        .field("rounds", \.rounds, .integer(in: 0...1000), "growth rounds, each followed by training"),
        .field(
            "at", \.at, .integers(in: 1...1_000_000, count: 0...1000),
            "with `training:`, the epochs after which the network grows, a round for each"),
        .inline(\.proposal),
        .inline(\.measurement),
        .inline(\.placement))

    /// The parameters of compute-bottlenecks in a round, from 1.
    package func bottleneckParameters(round: Int, loss: LossParameters, seed: Int) -> BottleneckParameters {
        BottleneckParameters(
            proposal: proposal, part: measurement, loss: loss, seed: seed, round: round, rounds: rounds)
    }

    /// The parameters of grow in a round, from 1.
    package func growthParameters(round: Int, loss: LossParameters, seed: Int) -> GrowthParameters {
        GrowthParameters(
            proposal: proposal, part: placement, loss: loss, seed: seed, round: round, rounds: rounds)
    }
}
