/// The steps of a chain, in the order of the work:
/// dataset -> seed -> [bottlenecks-r -> grow-r -> tune-r] for each round r -> evaluation.
package enum StepKind: String, CaseIterable, Sendable {
    case dataset, seed, bottlenecks, grow, tune, evaluation

    /// The executable that does the work.
    package var stage: String {
        switch self {
        case .dataset: "load-dataset"
        case .seed: "train-seed"
        case .bottlenecks: "compute-bottlenecks"
        case .grow: "grow"
        case .tune: "fine-tune"
        case .evaluation: "evaluate"
        }
    }

    /// The options that take the outputs of earlier steps of the chain: `network` is the last network before it.
    package var inputs: [Kind] {
        switch self {
        case .dataset: []
        case .seed: [.dataset]
        case .bottlenecks, .tune, .evaluation: [.dataset, .network]
        case .grow: [.dataset, .network, .bottlenecks]
        }
    }

    /// The options of the first training that take the last network of another branch's chain, by the key of the pipeline
    /// that names the branch.
    package static let foreignInputs = ["network": "architecture", "cost": "budget"]

    /// What the step makes.
    package var output: Kind {
        switch self {
        case .dataset: .dataset
        case .seed, .grow, .tune: .network
        case .bottlenecks: .bottlenecks
        case .evaluation: .evaluation
        }
    }

    /// Whether there is one in every growth round.
    package var isRepeated: Bool {
        switch self {
        case .bottlenecks, .grow, .tune: true
        case .dataset, .seed, .evaluation: false
        }
    }

    /// `seed`, `tune-3`.
    package func name(round: Int) -> String { isRepeated ? "\(rawValue)-\(round)" : rawValue }

    /// The kind of a step's name, and its round, 0 for what there is once; nil for no step.
    package static func parse(_ name: String) -> (kind: StepKind, round: Int)? {
        let parts = name.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = StepKind(rawValue: String(parts[0])) else { return nil }
        guard parts.count == 2 else { return kind.isRepeated ? nil : (kind, 0) }
        return Int(parts[1]).flatMap { kind.isRepeated ? (kind, $0) : nil }
    }
}
