internal import Networks

extension PipelineResults {
    /// What the numbers say about the branches, in sentences; each branch is found by its name.
    package var findings: [String] {
        guard let joint = branch("tiny-joint") else { return idleRounds }
        let rivals = ["random", "gradmax"].compactMap { branch($0) }
        let large = ["large"].compactMap { branch($0) }
        return rivals.map { comparison(of: joint, with: $0) } + large.map { price(of: joint, against: $0) }
            + idleRounds
    }

    private typealias Branch = (name: String, chains: [ChainResult])

    private func branch(_ name: String) -> Branch? {
        branches.first { $0.name == name && !$0.chains.isEmpty }
    }

    private func accuracy(_ branch: Branch) -> Double { Sample(branch.chains.map(\.accuracy)).mean }

    /// Whether a branch is at least as accurate as another, on the mean of the seeds.
    private func comparison(of branch: Branch, with other: Branch) -> String {
        let own = accuracy(branch)
        let theirs = accuracy(other)
        let seeds = branch.chains.count
        let mean = seeds == 1 ? "with the only seed" : "on the mean of \(seeds) seeds"
        let verdict = own >= theirs ? "is at least as accurate as" : "is NOT at least as accurate as"
        return "\(branch.name) \(verdict) \(other.name) \(mean): \(Format.percent(own)) % against "
            + "\(Format.percent(theirs)) %, \(difference(own - theirs))"
            + (seeds == 1 ? "." : "; \(seedwise(branch, other)).")
    }

    private func difference(_ value: Double) -> String {
        value == 0
            ? "no difference" : "\(value < 0 ? "−" : "+")\(Format.percent(value.magnitude)) percentage points"
    }

    /// On how many of the seeds that both have.
    private func seedwise(_ branch: Branch, _ other: Branch) -> String {
        let theirs = Dictionary(
            other.chains.map { ($0.seed, $0.accuracy) }, uniquingKeysWith: { first, _ in first })
        let pairs = branch.chains.compactMap { chain in theirs[chain.seed].map { (chain.accuracy, $0) } }
        let wins = pairs.count { $0.0 >= $0.1 }
        return "at least as accurate with \(wins) of \(pairs.count) seeds"
    }

    private func price(of branch: Branch, against other: Branch) -> String {
        let own = Sample(branch.chains.map { Double($0.cost.total) }).mean
        let theirs = Sample(other.chains.map { Double($0.cost.total) }).mean
        return
            "\(branch.name) spent \(Format.percent(own / theirs)) % of the training FLOPs of \(other.name) "
            + "(\(Format.prefixed(own)) against \(Format.prefixed(theirs))); the difference in test accuracy is "
            + "\(difference(accuracy(branch) - accuracy(other)))."
    }

    /// Branches with rounds that added nothing.
    private var idleRounds: [String] {
        branches.compactMap { branch in
            let rounds = branch.chains.reduce(0) { $0 + $1.run.idleRounds }
            guard rounds > 0 else { return nil }
            return "\(branch.name): \(rounds) \(rounds == 1 ? "round" : "rounds") of growth added nothing "
                + "(over \(branch.chains.count) \(branch.chains.count == 1 ? "seed" : "seeds"))."
        }
    }
}
