package import Datasets
package import Growth
package import Networks
package import Parameters
package import Training

/// Everything one branch of a pipeline settles: the fields of the YAML file, the branch's changes applied.
package struct Experiment: ParameterSet {
    /// What is trained first.
    package enum Start: Equatable, Sendable {
        case network(NetworkParameters)
        /// The architecture that another branch ended with.
        case finalOf(branch: String)
    }

    package var dataset = DatasetParameters(dataset: "")
    package var start = Start.network(NetworkParameters())
    package var loss = LossParameters()
    package var seed = TrainingParameters()
    package var growth = GrowthPlan()
    package var tune = TuningPhase()
    /// In place of `tune` after the last round.
    package var final = TuningPhase()
    package var evaluation = EvaluationChoices()

    /// What `tune:` leaves out is as in `seed:`, and what `final:` leaves out is as in `tune:`.
    package static let schema = Schema(
        Self(),
        .inline(\.dataset),
        Schema.Field(
            key: "network", read: { $1.start = try Start(&$0) }, encode: { $0.start.tree },
            merge: { $0.text ?? $1.text == nil ? NetworkParameters.schema.merged($0, over: $1) : $0 }),
        .set("loss", \.loss),
        .set("seed", \.seed),
        .set("growth", \.growth),
        .set("tune", \.tune, inheriting: ["seed"]),
        .set("final", \.final, inheriting: ["tune", "seed"]),
        .set("evaluation", \.evaluation))
}

/// The sections `tune:` and `final:`: how a grown network is trained on.
package struct TuningPhase: ParameterSet {
    package var training = TrainingParameters()
    package var start = TuningStart()

    package static let schema = Schema(Self(), .inline(\.training), .inline(\.start))
}

extension Experiment.Start {
    private static let keyword = "final-of "

    /// `network: {widths: …}` or `network: final-of BRANCH`.
    fileprivate init(_ fields: inout Fields) throws {
        guard let text = fields.tree("network")?.text else {
            self = .network(try fields.set("network"))
            return
        }
        guard text.hasPrefix(Self.keyword) else {
            fields.refuse(
                "network", found: "'\(text)'", allowed: "a map such as {widths: [8, 8]}, or final-of BRANCH")
            self = .network(NetworkParameters())
            return
        }
        self = .finalOf(branch: text.dropFirst(Self.keyword.count).trimmingSpaces)
    }

    fileprivate var tree: Tree {
        switch self {
        case .network(let parameters): parameters.tree
        case .finalOf(let branch): Tree(.text(Self.keyword + branch))
        }
    }
}

extension StringProtocol {
    var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension Pipeline {
    /// Epochs of a branch's chain; one that takes up another's network counts its own seed's.
    func totalEpochs(of branch: Branch) -> Int {
        let experiment = branch.experiment
        let first = seedEpochs(of: branch)
        guard experiment.growth.rounds > 0 else { return first }
        return first + (experiment.growth.rounds - 1) * experiment.tune.training.epochs
            + experiment.final.training.epochs
    }

    /// Epochs of a branch's first training: with `final-of`, as many as the other branch's whole chain unless the
    /// branch says otherwise itself.
    func seedEpochs(of branch: Branch) -> Int {
        guard case .finalOf(let name) = branch.experiment.start, !branch.setsSeedEpochs,
            let other = self.branch(named: name)
        else { return branch.experiment.seed.epochs }
        return totalEpochs(of: other)
    }
}
