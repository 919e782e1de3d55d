internal import Networks

extension PipelineResults {
    /// Every branch against the first one of the file, seed by seed; nil for a single branch.
    ///
    /// Costs are ratios of the means over seeds. Differences of accuracy are paired: taken within each seed that both
    /// have, then averaged; ± is half the 95 % interval of that mean by Student's t.
    package var differences: TextTable? {
        guard let reference = branches.first, branches.count > 1 else { return nil }
        var table = TextTable([
            .init("against \(reference.name)"), .init("training FLOPs", .right),
            .init("thread-seconds", .right),
            .init("validation accuracy", .right), .init("test accuracy", .right),
            .init("seeds ahead", .right),
        ])
        func ratio(_ branch: Branch, _ value: (ChainResult) -> Double) -> String {
            let quotient = Sample(branch.chains.map(value)).mean / Sample(reference.chains.map(value)).mean
            return quotient.isFinite ? Format.significant(quotient) + " x" : Format.absent
        }
        for branch in branches.dropFirst() {
            let tested = pairs(branch, reference) { $0.accuracy }
            let validated = pairs(branch, reference) { $0.history.epochs.last?.validationAccuracy ?? .nan }
            table.append([
                branch.name, ratio(branch) { Double($0.cost.total) },
                ratio(branch) { $0.run.threadSeconds ?? .nan },
                Self.points(validated), Self.points(tested), "\(tested.count { $0 > 0 }) of \(tested.count)",
            ])
        }
        return table
    }

    private typealias Branch = (name: String, chains: [ChainResult])

    /// A branch's value less another's, for each seed that both have.
    private func pairs(_ branch: Branch, _ other: Branch, _ value: (ChainResult) -> Double) -> [Double] {
        let theirs = Dictionary(
            other.chains.map { ($0.seed, value($0)) }, uniquingKeysWith: { first, _ in first })
        return branch.chains.compactMap { chain in theirs[chain.seed].map { value(chain) - $0 } }
    }

    /// `+0.65 ± 0.31`, in percentage points; without the interval for a single seed.
    private static func points(_ differences: [Double]) -> String {
        let sample = Sample(differences)
        guard sample.mean.isFinite else { return Format.absent }
        let sign = sample.mean < 0 ? "−" : "+"
        let interval = sample.confidenceInterval.map { " ± \(Format.percent($0))" } ?? ""
        return sign + Format.percent(sample.mean.magnitude) + interval
    }

    /// Branches with rounds that added nothing, in sentences.
    package var findings: [String] {
        branches.compactMap { branch in
            let rounds = branch.chains.reduce(0) { $0 + $1.run.idleRounds }
            guard rounds > 0 else { return nil }
            return "\(branch.name): \(rounds) \(rounds == 1 ? "round" : "rounds") of growth added nothing "
                + "(over \(branch.chains.count) \(branch.chains.count == 1 ? "seed" : "seeds"))."
        }
    }
}
