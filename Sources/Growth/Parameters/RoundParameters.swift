package import Parameters
package import Training

/// Parameters of a stage of a growth round: what both stages share, and the stage's own part.
package struct RoundParameters<Part: ParameterSet>: ParameterSet {
    package var proposal: ProposalParameters
    package var part: Part
    package var loss: LossParameters
    package var seed: Int
    /// From 1.
    package var round: Int
    package var rounds: Int

    package init(
        proposal: ProposalParameters = .init(), part: Part, loss: LossParameters = .init(), seed: Int = 0,
        round: Int = 1, rounds: Int = 1
    ) {
        self.proposal = proposal
        self.part = part
        self.loss = loss
        self.seed = seed
        self.round = round
        self.rounds = rounds
    }

    package init(fields: inout Fields) throws {
        proposal = try ProposalParameters(fields: &fields)
        part = try Part(fields: &fields)
        loss = try fields.set("loss", default: LossParameters(), "what is minimised")
        seed = try fields.integer("seed", in: 0...Int(Int32.max), default: 0, "names the random numbers")
        round = try fields.integer("round", in: 1...1000, default: 1, "the growth round, from 1")
        rounds = try fields.integer("rounds", in: 1...1000, default: max(round, 1), "rounds in all")
        if rounds < round {
            fields.refuse(
                "rounds", with: ["round"], found: "\(rounds)", allowed: "at least round, \(round)")
        }
    }

    private enum CodingKeys: CodingKey { case loss, seed, round, rounds }

    package func encode(to encoder: any Encoder) throws {
        try proposal.encode(to: encoder)
        try part.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(loss, forKey: .loss)
        try container.encode(seed, forKey: .seed)
        try container.encode(round, forKey: .round)
        try container.encode(rounds, forKey: .rounds)
    }
}

/// Parameters of the stage compute-bottlenecks.
package typealias BottleneckParameters = RoundParameters<MeasurementParameters>

extension RoundParameters<MeasurementParameters> {
    package init() { self.init(part: MeasurementParameters()) }

    package var measurement: MeasurementParameters {
        get { part }
        set { part = newValue }
    }
}

/// Parameters of the stage grow.
package typealias GrowthParameters = RoundParameters<PlacementParameters>

extension RoundParameters<PlacementParameters> {
    package init() { self.init(part: PlacementParameters()) }

    package var placement: PlacementParameters {
        get { part }
        set { part = newValue }
    }
}
