package import Datasets
package import Growth
package import Networks
package import Parameters
package import Training

/// Everything one branch of a pipeline settles: the fields of the YAML file, the branch's changes applied.
package struct Experiment: Equatable, Sendable {
    /// What is trained first.
    package enum Start: Equatable, Sendable {
        case network(NetworkParameters)
        /// The architecture that another branch ended with.
        case finalOf(branch: String)
    }

    package var dataset: DatasetParameters
    package var start: Start
    package var loss: LossParameters
    package var seed: TrainingParameters
    package var growth: GrowthPlan
    package var tune: TuningPhase
    /// In place of `tune` after the last round.
    package var final: TuningPhase
}

/// The sections `tune:` and `final:`: how a grown network is trained on.
package struct TuningPhase: ParameterSet {
    package var training: TrainingParameters
    package var resetOptimizer: Bool

    package init(fields: inout Fields) throws {
        training = try TrainingParameters(fields: &fields)
        resetOptimizer = try fields.boolean(
            "reset-optimizer", default: false, "forget the optimiser's state instead of going on with it")
    }
}

extension Experiment {
    /// Reads the fields, which stand at the top level of a pipeline file.
    ///
    /// What `tune:` leaves out is as in `seed:`, and what `final:` leaves out is as in `tune:`.
    ///
    /// - Parameters:
    ///   - path: where it stands, for messages: empty, or `branches.NAME`.
    init(fields: inout Fields, path: String) throws {
        dataset = try DatasetParameters(fields: &fields)
        start = try Start(&fields)
        loss = try fields.set("loss", default: LossParameters(), "what is minimised")
        seed = try fields.set("seed", default: TrainingParameters(), "how the seed network is trained")
        growth = try fields.set("growth", "how the network grows")
        let seedTree = Self.section("seed", &fields) ?? .empty
        let tuneTree = Self.section("tune", &fields)?.merged(over: seedTree) ?? seedTree
        let finalTree = Self.section("final", &fields)?.merged(over: tuneTree) ?? tuneTree
        tune = try Self.phase("tune", tuneTree, fields, path)
        final = try Self.phase("final", finalTree, fields, path)
    }

    private static func phase(
        _ key: String, _ tree: Tree, _ fields: Fields, _ path: String
    ) throws -> TuningPhase {
        let place = path.isEmpty ? key : "\(path).\(key)"
        let phase = try fields.inside(tree, path: place, identity: key) { try TuningPhase(fields: &$0) }
        return try phase ?? TuningPhase(tree: .empty, file: place)
    }

    /// A section, unless it is not given or holds nothing.
    private static func section(_ key: String, _ fields: inout Fields) -> Tree? {
        fields.tree(key).flatMap { $0.isNull ? nil : $0 }
    }
}

extension Experiment.Start {
    private static let keyword = "final-of "

    /// `network: {widths: …}` or `network: final-of BRANCH`.
    fileprivate init(_ fields: inout Fields) throws {
        guard let text = fields.tree("network")?.text else {
            self = .network(try fields.set("network", "the seed network"))
            return
        }
        guard text.hasPrefix(Self.keyword) else {
            fields.refuse(
                "network", found: "'\(text)'", allowed: "a map such as {widths: [8, 8]}, or final-of BRANCH")
            self = .network(NetworkParameters(widths: []))
            return
        }
        self = .finalOf(branch: text.dropFirst(Self.keyword.count).trimmingSpaces)
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
