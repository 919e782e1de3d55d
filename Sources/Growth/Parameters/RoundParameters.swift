package import Parameters
package import Training

/// Parameters of a stage of a growth round: what both stages share, and the stage's own part.
package struct RoundParameters<Part: ParameterSet>: ParameterSet {
    package var proposal = ProposalParameters()
    package var part = Part()
    package var loss = LossParameters()
    package var seed = 0
    /// From 1.
    package var round = 1
    package var rounds = 1

    package static var schema: Schema<Self> {
        Schema(
            Self(),
            .inline(\.proposal),
            .inline(\.part),
            .set("loss", \.loss),
            .field("seed", \.seed, .integer(in: 0...Int(Int32.max)), "names the random numbers"),
            .field("round", \.round, .integer(in: 1...1000), "the growth round, from 1"),
            .field(
                "rounds", \.rounds, .integer(in: 1...1000), default: .following { max($0.round, 1) },
                "rounds in all")
        ) { set, fields in
            guard set.rounds < set.round else { return }
            fields.refuse(
                "rounds", with: ["round"], found: "\(set.rounds)", allowed: "at least round, \(set.round)")
        }
    }
}

/// Parameters of the stage compute-bottlenecks.
package typealias BottleneckParameters = RoundParameters<MeasurementParameters>

extension RoundParameters<MeasurementParameters> {
    package var measurement: MeasurementParameters {
        get { part }
        set { part = newValue }
    }
}

/// Parameters of the stage grow.
package typealias GrowthParameters = RoundParameters<PlacementParameters>

extension RoundParameters<PlacementParameters> {
    package var placement: PlacementParameters {
        get { part }
        set { part = newValue }
    }
}

/// The `growth:` section of a pipeline.
package struct GrowthPlan: ParameterSet {
    /// Growth rounds; 0 for a network that is only trained.
    package var rounds = 1
    package var proposal = ProposalParameters()
    package var measurement = MeasurementParameters()
    package var placement = PlacementParameters()

    package static let schema = Schema(
        Self(),
        .field("rounds", \.rounds, .integer(in: 0...1000), "growth rounds, each followed by training"),
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
