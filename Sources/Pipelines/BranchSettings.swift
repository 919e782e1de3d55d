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
        var seed = SeedParameters()
        if case .network(let network) = experiment.start { seed.network = network }
        seed.training = experiment.seed
        seed.training.epochs = pipeline.seedEpochs(of: branch)
        seed.loss = loss
        self.seed = seed.tree
        let plan = experiment.growth
        rounds = (0..<plan.rounds).map { index in
            let round = index + 1
            let isLast = round == plan.rounds
            let phase = isLast ? experiment.final : experiment.tune
            var tuning = TuneParameters()
            tuning.training = phase.training
            tuning.loss = loss
            // Round 0: the last training takes place even where its round added nothing.
            tuning.round = isLast ? 0 : round
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
