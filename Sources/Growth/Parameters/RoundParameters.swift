internal import Correlations
package import Networks
package import Parameters
package import Training

/// Parameters of a stage of a growth round: what both stages share, and the stage's own part.
package struct RoundParameters<Part: ParameterSet>: ParameterSet {
    /// What is done at each width.
    package var change = ChangeKind.widen
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
            .field("change", \.change, .choice, ChangePolicy.help),
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

extension RoundParameters {
    /// What is measured for the change: to deepen or shrink, no candidates are proposed.
    var needs: StatisticsNeeds { change == .widen ? proposal.method.method.needs : [] }
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
