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
    /// The branch whose chain this one may spend as many training FLOPs as; nil for the epochs that are written.
    package var costOf: String?
    package var loss = LossParameters()
    package var seed = TrainingParameters()
    package var growth = GrowthPlan()
    package var tune = TuningPhase()
    /// In place of `tune` after the last round.
    package var final = TuningPhase()
    /// One training on one schedule, which growth cuts into phases, in place of `seed`, `tune` and `final`.
    package var training: TrainingParameters?
    package var evaluation = EvaluationChoices()

    /// What `tune:` leaves out is as in `seed:`, and what `final:` leaves out is as in `tune:`.
    package static let schema = Schema(
        Self(),
        .inline(\.dataset),
        Schema.Field(
            key: "network", read: { $1.start = try Start(&$0) }, encode: { $0.start.tree },
            merge: { $0.text ?? $1.text == nil ? NetworkParameters.schema.merged($0, over: $1) : $0 }),
        .field(
            "cost", \.costOf,
            .custom("flops-of BRANCH", write: { $0.map { Tree(.text(costKeyword + $0)) } ?? Tree(.null) }) {
                tree in
                guard let text = tree.text, text.hasPrefix(costKeyword) else { return nil }
                return text.dropFirst(costKeyword.count).trimmingSpaces
            },
            "train for as many epochs as spend the training FLOPs of another branch's chain, rounded up, growth included"
        ),
        .set("loss", \.loss),
        .set("seed", \.seed),
        .set("growth", \.growth),
        .set("tune", \.tune, inheriting: ["seed"]),
        .set("final", \.final, inheriting: ["tune", "seed"]),
        .set("evaluation", \.evaluation),
        Schema.Field(
            key: "training", read: { try $1.readTraining(&$0) },
            encode: { $0.training?.tree ?? Tree(.null) },
            merge: { TrainingParameters.schema.merged($0, over: $1) })
    ) { experiment, fields in
        guard let other = experiment.costOf, experiment.growth.rounds > 0 else { return }
        fields.refuse(
            "cost", found: "\(costKeyword)\(other) in a branch that grows",
            allowed: "a branch without growth, whose one training is made so long")
    }

    private static let costKeyword = "flops-of "

    /// Growth cuts the training where `growth.at` says.
    private mutating func readTraining(_ fields: inout Fields) throws {
        func refuseGrowth(_ key: String, _ found: String, _ allowed: String, _ fields: inout Fields) {
            let tree = fields.tree("growth").flatMap { $0[key] ?? $0 } ?? .empty
            fields.refuse("growth", element: (".\(key)", tree), found: found, allowed: allowed)
        }
        guard fields.contains("training") else {
            guard !growth.at.isEmpty else { return }
            return refuseGrowth(
                "at", "\(growth.at) without `training:`",
                "growth.rounds, where `seed:`, `tune:` and `final:` say when", &fields)
        }
        let training: TrainingParameters = try fields.set("training")
        guard !fields.isDescribing else { return }
        self.training = training
        for section in ["seed", "tune", "final"] where fields.tree(section) != nil {
            fields.refuse(
                section, found: "a phase beside `training:`",
                allowed: "either one `training:`, cut by growth.at, or phases: seed, tune and final")
        }
        if fields.tree("growth")?["rounds"] != nil {
            refuseGrowth(
                "rounds", "a number beside `training:`", "growth.at, an epoch for each round", &fields)
        }
        growth.rounds = growth.at.count
        let isRising = zip([0] + growth.at, growth.at + [training.epochs]).allSatisfy { $0 < $1 }
        guard !growth.at.isEmpty, !isRising, !fields.hasRefused("training") else { return }
        refuseGrowth(
            "at", "\(growth.at)",
            "epochs inside the training, 1...\(max(1, training.epochs - 1)), each after the one before",
            &fields)
    }
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

/// One uninterrupted piece of a chain's training.
struct TrainingPhase {
    /// The section of the file that says how.
    var section: String
    var training: TrainingParameters
    var start = TuningStart()

    /// The section and those whose settings it takes over, nearest first.
    var sections: [String] {
        let inherited = ["final", "tune", "seed"].drop { $0 != section }
        return inherited.isEmpty ? [section] : Array(inherited)
    }
}

extension Experiment {
    /// The seed's training and one behind each round; `epochs` in place of those of the first, if given.
    fileprivate func phases(firstEpochs epochs: Int?) -> [TrainingPhase] {
        if let training { return pieces(of: training) }
        var seed = TrainingPhase(section: "seed", training: seed)
        seed.training.epochs = epochs ?? seed.training.epochs
        guard growth.rounds > 0 else { return [seed] }
        func phase(_ section: String, _ tuning: TuningPhase) -> TrainingPhase {
            TrainingPhase(
                section: section, training: tuning.training, start: tuning.start)
        }
        return [seed] + Array(repeating: phase("tune", tune), count: growth.rounds - 1)
            + [phase("final", final)]
    }

    /// A training cut where it grows; each piece goes on where the schedule is.
    private func pieces(of training: TrainingParameters) -> [TrainingPhase] {
        zip([0] + growth.at, growth.at + [training.epochs]).map { begin, end in
            var piece = training
            piece.epochs = end - begin
            if !growth.at.isEmpty {
                piece.schedule.begin = begin
                piece.schedule.length = training.epochs
            }
            return TrainingPhase(section: "training", training: piece)
        }
    }
}

extension Pipeline {
    /// What a branch's chain trains: first the seed, then behind each round.
    ///
    /// A network that another branch ended with is trained as long as that branch's whole chain, unless the branch
    /// says otherwise itself.
    func phases(of branch: Branch) -> [TrainingPhase] {
        guard case .finalOf(let name) = branch.experiment.start, !branch.setsSeedEpochs,
            let other = self.branch(named: name)
        else { return branch.experiment.phases(firstEpochs: nil) }
        let epochs = phases(of: other).reduce(0) { $0 + $1.training.epochs }
        return branch.experiment.phases(firstEpochs: epochs)
    }
}
