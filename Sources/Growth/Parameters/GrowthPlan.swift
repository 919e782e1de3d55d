package import Networks
package import Parameters
package import Training

/// The `growth:` section of a pipeline.
package struct GrowthPlan: ParameterSet {
    /// Growth rounds; 0 for a network that is only trained.
    package var rounds = 1
    /// The epochs of one training across growth that are over when a round takes place; in order, a round for each.
    package var at: [Int] = []
    package var change = ChangePolicy()
    package var proposal = ProposalParameters()
    package var measurement = MeasurementParameters()
    package var placement = PlacementParameters()

    package static let schema = Schema(
        Self(),
        .field(
            "at", \.at, .integers(in: 1...1_000_000, count: 0...1000),
            "with `training:`, the epochs after which the network grows, a round for each"),
        .field(
            "rounds", \.rounds, .integer(in: 0...1000),
            default: .following { $0.at.isEmpty ? 1 : $0.at.count },
            "growth rounds, each followed by training"),
        .field(
            "change", \.change,
            .custom(ChangePolicy.allowed, write: \.tree, read: ChangePolicy.init(tree:)),
            ChangePolicy.help + "; one change for all rounds, or a list of one for each"),
        .inline(\.proposal),
        .inline(\.measurement),
        .inline(\.placement)
    ) { plan, fields in
        guard plan.rounds > 0 else { return }
        let kinds = plan.change.kinds
        if ![1, plan.rounds].contains(kinds.count) {
            fields.refuse(
                "change", with: ["rounds"], found: "a list of \(kinds.count) changes",
                allowed: "one change for all rounds, or a list of one for each of the \(plan.rounds)")
        }
        if case .target = plan.proposal.neurons, kinds.contains(.widen), kinds.contains(.shrink) {
            fields.refuse(
                "neurons", with: ["change"],
                found: "{target: …} for rounds that widen and rounds that shrink",
                allowed: "a number, {most: NUMBER} or {fraction: PART}")
        }
    }

    /// Checks before anything runs what the rounds are to do to the network that the first of them meets.
    ///
    /// What later rounds meet depends on those before: of them, only what no network allows is refused.
    /// - Throws: `GrowthError`.
    package func check(on architecture: Architecture) throws(GrowthError) {
        let alike = (1...rounds).prefix { change[$0] == change[1] }.count
        _ = try proposal.widths(of: architecture, for: change[1], rounds: alike)
        for kind in change.kinds { try proposal.checkNeurons(for: kind) }
    }

    /// The parameters of compute-bottlenecks in a round, from 1.
    package func bottleneckParameters(round: Int, loss: LossParameters, seed: Int) -> BottleneckParameters {
        BottleneckParameters(
            change: change[round], proposal: proposal, part: measurement, loss: loss, seed: seed,
            round: round, rounds: rounds)
    }

    /// The parameters of grow in a round, from 1.
    package func growthParameters(round: Int, loss: LossParameters, seed: Int) -> GrowthParameters {
        GrowthParameters(
            change: change[round], proposal: proposal, part: placement, loss: loss, seed: seed,
            round: round, rounds: rounds)
    }
}
