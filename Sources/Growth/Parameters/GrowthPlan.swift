package import Parameters
package import Training

/// The `growth:` section of a pipeline.
package struct GrowthPlan: ParameterSet {
    /// Growth rounds; 0 for a network that is only trained.
    package var rounds: Int
    package var proposal: ProposalParameters
    package var measurement: MeasurementParameters
    package var placement: PlacementParameters

    package init(
        rounds: Int = 1, proposal: ProposalParameters = .init(), measurement: MeasurementParameters = .init(),
        placement: PlacementParameters = .init()
    ) {
        self.rounds = rounds
        self.proposal = proposal
        self.measurement = measurement
        self.placement = placement
    }

    package init(fields: inout Fields) throws {
        rounds = try fields.integer(
            "rounds", in: 0...1000, default: 1, "growth rounds, each followed by training")
        proposal = try ProposalParameters(fields: &fields)
        measurement = try MeasurementParameters(fields: &fields)
        placement = try PlacementParameters(fields: &fields)
    }

    private enum CodingKeys: CodingKey { case rounds }

    // The parts share one map with `rounds`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rounds, forKey: .rounds)
        try proposal.encode(to: encoder)
        try measurement.encode(to: encoder)
        try placement.encode(to: encoder)
    }

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
