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
            proposal: proposal, measurement: measurement, loss: loss, seed: seed, round: round, rounds: rounds
        )
    }

    /// The parameters of grow in a round, from 1.
    package func growthParameters(round: Int, loss: LossParameters, seed: Int) -> GrowthParameters {
        GrowthParameters(
            proposal: proposal, placement: placement, loss: loss, seed: seed, round: round, rounds: rounds)
    }
}

/// Parameters of the stage compute-bottlenecks.
package struct BottleneckParameters: ParameterSet {
    package var proposal: ProposalParameters
    package var measurement: MeasurementParameters
    package var loss: LossParameters
    package var seed: Int
    package var round: Int
    package var rounds: Int

    package init(
        proposal: ProposalParameters = .init(), measurement: MeasurementParameters = .init(),
        loss: LossParameters = .init(), seed: Int = 0, round: Int = 1, rounds: Int = 1
    ) {
        self.proposal = proposal
        self.measurement = measurement
        self.loss = loss
        self.seed = seed
        self.round = round
        self.rounds = rounds
    }

    package init(fields: inout Fields) throws {
        proposal = try ProposalParameters(fields: &fields)
        measurement = try MeasurementParameters(fields: &fields)
        (loss, seed, round, rounds) = try fields.roundParameters()
    }

    private enum CodingKeys: CodingKey { case loss, seed, round, rounds }

    package func encode(to encoder: any Encoder) throws {
        try proposal.encode(to: encoder)
        try measurement.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(loss, forKey: .loss)
        try container.encode(seed, forKey: .seed)
        try container.encode(round, forKey: .round)
        try container.encode(rounds, forKey: .rounds)
    }
}

/// Parameters of the stage grow.
package struct GrowthParameters: ParameterSet {
    package var proposal: ProposalParameters
    package var placement: PlacementParameters
    package var loss: LossParameters
    package var seed: Int
    package var round: Int
    package var rounds: Int

    package init(
        proposal: ProposalParameters = .init(), placement: PlacementParameters = .init(),
        loss: LossParameters = .init(), seed: Int = 0, round: Int = 1, rounds: Int = 1
    ) {
        self.proposal = proposal
        self.placement = placement
        self.loss = loss
        self.seed = seed
        self.round = round
        self.rounds = rounds
    }

    package init(fields: inout Fields) throws {
        proposal = try ProposalParameters(fields: &fields)
        placement = try PlacementParameters(fields: &fields)
        (loss, seed, round, rounds) = try fields.roundParameters()
    }

    private enum CodingKeys: CodingKey { case loss, seed, round, rounds }

    package func encode(to encoder: any Encoder) throws {
        try proposal.encode(to: encoder)
        try placement.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(loss, forKey: .loss)
        try container.encode(seed, forKey: .seed)
        try container.encode(round, forKey: .round)
        try container.encode(rounds, forKey: .rounds)
    }
}

extension Fields {
    /// What every stage of a growth round is told besides its own section.
    fileprivate mutating func roundParameters() throws -> (LossParameters, Int, Int, Int) {
        let loss = try set("loss", default: LossParameters(), "what is minimised")
        let seed = try integer("seed", in: 0...Int(Int32.max), default: 0, "names the random numbers")
        let round = try integer("round", in: 1...1000, default: 1, "the growth round, from 1")
        let rounds = try integer("rounds", in: 1...1000, default: max(round, 1), "rounds in all")
        guard rounds >= round else {
            throw failure("rounds", found: "\(rounds)", allowed: "at least round, \(round)")
        }
        return (loss, seed, round, rounds)
    }
}
