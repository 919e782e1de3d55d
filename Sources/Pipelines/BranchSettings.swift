import Growth
import Networks
import Parameters
import Training

/// A branch's parameters for every stage, resolved once and completed with each seed.
struct BranchSettings {
    /// One round of growth; each function completes the parameters with a seed.
    struct Round {
        fileprivate var bottlenecks: Tree
        fileprivate var growth: Tree
        fileprivate var tune: Tree

        func bottlenecks(_ seed: Int) -> Tree { bottlenecks.with(seed: seed) }
        func growth(_ seed: Int) -> Tree { growth.with(seed: seed) }
        func tune(_ seed: Int) -> Tree { tune.with(seed: seed) }
    }

    let branch: String
    let dataset: Tree
    let evaluation: Tree
    let rounds: [Round]
    private let seed: Tree

    init(_ branch: Pipeline.Branch, of pipeline: Pipeline) {
        let experiment = branch.experiment
        let loss = experiment.loss
        self.branch = branch.name
        dataset = experiment.dataset.tree
        var evaluation = EvaluationParameters()
        evaluation.loss = loss
        evaluation.choices = experiment.evaluation
        self.evaluation = evaluation.tree
        let phases = pipeline.phases(of: branch)
        var seed = SeedParameters()
        if case .network(let network) = experiment.start { seed.network = network }
        seed.training = phases[0].training
        // The other chain's cost says how many.
        if experiment.costOf != nil { seed.training.epochs = 1 }
        seed.loss = loss
        self.seed = seed.tree
        let plan = experiment.growth
        rounds = phases.dropFirst().enumerated().map { index, phase in
            let round = index + 1
            var tuning = TuneParameters()
            tuning.training = phase.training
            tuning.loss = loss
            // Round 0: a training that goes on, and a last one, take place even where the round added nothing.
            tuning.round = round == plan.rounds || experiment.training != nil ? 0 : round
            tuning.start = phase.start
            return Round(
                bottlenecks: plan.bottleneckParameters(round: round, loss: loss, seed: 0).tree,
                growth: plan.growthParameters(round: round, loss: loss, seed: 0).tree, tune: tuning.tree)
        }
    }

    func seed(_ seed: Int) -> Tree { self.seed.with(seed: seed) }
}

extension Tree {
    /// The same parameters with another `seed`.
    fileprivate func with(seed: Int) -> Tree {
        var tree = self
        tree["seed"] = Tree(.integer(seed))
        return tree
    }
}
