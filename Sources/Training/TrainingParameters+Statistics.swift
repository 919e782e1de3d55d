package import Networks

extension TrainingParameters {
    /// How a whole batch is cut.
    ///
    /// - Parameter samples: of the training split, at least 1.
    /// - Returns: the samples of a step, the parts they are cut into, and the samples of the smallest part.
    func cut(samples: Int) -> (batch: Int, shards: Int, smallest: Int) {
        let batch = min(batch, samples)
        let shards = min(shards, batch)
        return (batch, shards, batch / shards)
    }

    /// Updates in one epoch, a last batch of fewer samples counted.
    func stepsPerEpoch(samples: Int) -> Int {
        let batch = cut(samples: samples).batch
        return (samples + batch - 1) / batch
    }

    /// Checks that a network has parameters of the kinds of each group, whatever their ages.
    ///
    /// - Throws: `TrainingError.emptyGroup` for the first group without.
    package func checkGroups(of architecture: Architecture) throws(TrainingError) {
        guard epochs > 0, !optimizer.groups.isEmpty else { return }
        let kinds = Set(ParameterLayout(architecture).entries.map(\.specification.kind))
        for (index, group) in optimizer.groups.enumerated() where kinds.isDisjoint(with: group.kinds) {
            throw .emptyGroup(index: index, kinds: group.kinds)
        }
    }

    /// Checks that some parameter comes into the ages of each group.
    ///
    /// - Parameter trainings: all that take place, with the growth rounds before each: a list of groups counts until
    ///   another one replaces it.
    /// - Throws: `TrainingError.groupTooOld` for the first group without.
    package func checkAges(
        over trainings: [(training: TrainingParameters, rounds: Int)]
    ) throws(TrainingError) {
        for (index, group) in optimizer.groups.enumerated() {
            let oldest = trainings.filter { $0.training.optimizer.groups.contains(group) }.map(\.rounds).max()
            guard let oldest, oldest < group.ages[0] else { continue }
            throw .groupTooOld(index: index, ages: group.ages, oldest: oldest)
        }
    }

    /// Checks that no normalisation gets a mean and a variance of one value: its output would be the shift whatever its
    /// input is, and nothing in front of it would learn.
    ///
    /// Only whole batches count: a last batch of fewer samples is one step among many.
    ///
    /// - Parameter samples: of the training split.
    /// - Throws: `TrainingError.singleValue` for the first such node.
    package func checkStatistics(of architecture: Architecture, samples: Int) throws(TrainingError) {
        guard epochs > 0, samples > 0 else { return }
        let cut = cut(samples: samples)
        for node in architecture.nodes {
            let inputs = architecture.inputShapes(of: node)
            func values(_ rows: Int) -> Int? { node.operation.valuesPerStatistic(of: inputs, rows: rows) }
            guard values(cut.smallest) == 1 else { continue }
            throw .singleValue(
                node: node.name, batch: cut.batch, shards: cut.shards, dependsOnRows: values(2) != 1)
        }
    }
}
