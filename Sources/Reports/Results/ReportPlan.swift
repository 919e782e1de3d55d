internal import Artifacts
internal import Foundation
internal import Parameters

/// What is to be reported: a pipeline's chains, one per branch and seed, in the order of the table.
package struct ReportPlan: Equatable, Sendable {
    /// One branch with one seed.
    package struct Chain: Equatable, Sendable {
        package var branch: String
        package var seed: Int
        /// The names of its steps from `dataset` to `evaluation`, in the order of the work.
        package var steps: [String]

        package init(branch: String, seed: Int, steps: [String]) {
            self.branch = branch
            self.seed = seed
            self.steps = steps
        }

        /// `tiny-joint-0`, the folder below the pipeline's.
        package var name: String { "\(branch)-\(seed)" }
    }

    package var pipeline: String
    /// What the experiment is about; may be empty.
    package var description: String
    package var chains: [Chain]

    package init(pipeline: String, description: String = "", chains: [Chain]) {
        self.pipeline = pipeline
        self.description = description
        self.chains = chains
    }

    /// The branches in order, each once.
    var branches: [String] {
        var seen: Set<String> = []
        return chains.map(\.branch).filter { seen.insert($0).inserted }
    }
}

// MARK: - From the planner's file

extension ReportPlan {
    /// Reads artifacts/<pipeline>/report/report.json, which `plan` writes.
    ///
    /// - Throws: `ParameterError` for a file that is not there or not such a plan.
    package init(reading file: String) throws {
        self = try Fields.reading(Tree(jsonFile: file), file: file) { try Self(fields: &$0) }
    }

    private init(fields: inout Fields) throws {
        pipeline = try fields.read("pipeline", .text, "the pipeline's name")
        description = try fields.read("description", .text, default: "", "what the experiment is about")
        // The digest of the program that writes the report, so that make writes it anew with a new one.
        _ = try fields.read("source", .text, default: "", "the digest of the report's sources")
        chains = try fields.maps(
            "chains", count: 1...Int.max, allowed: "{branch: …, seed: …, steps: […]}", "in the table's order"
        ) { try Chain(fields: &$0) }
    }
}

extension ReportPlan.Chain {
    fileprivate init(fields: inout Fields) throws {
        branch = try fields.read("branch", .text, "the branch's name")
        seed = try fields.read("seed", .integer(in: 0...Int.max), "the seed")
        let list = fields.tree("steps")
        let names = list?.list?.compactMap(\.text) ?? []
        guard names.count == list?.list?.count, names.contains(StepKind.evaluation.rawValue) else {
            fields.refuse(
                "steps", found: list?.summary ?? "nothing",
                allowed: "names of steps, '\(StepKind.evaluation.rawValue)' among them")
            steps = []
            return
        }
        steps = names
    }
}

// MARK: - From the folder

extension ReportPlan {
    /// Every branch and seed that has an evaluation below artifacts/<pipeline>, by name.
    ///
    /// - Throws: `ReportError.nothingEvaluated`.
    package init(discovering pipeline: String, in artifacts: String) throws {
        let folder = "\(artifacts)/\(pipeline)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        chains = names.sorted().compactMap { name in
            guard let dash = name.lastIndex(of: "-"), let seed = Int(name[name.index(after: dash)...]) else {
                return nil
            }
            let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)")) ?? []
            let steps = files.filter { $0.hasSuffix(".h5") }.map { String($0.dropLast(3)) }
            guard steps.contains(StepKind.evaluation.rawValue) else { return nil }
            return Chain(
                branch: String(name[..<dash]), seed: seed, steps: steps.sorted(by: StepKind.precedes))
        }.sorted { ($0.branch, $0.seed) < ($1.branch, $1.seed) }
        guard !chains.isEmpty else {
            throw ReportError.nothingEvaluated(pipeline: pipeline, artifacts: artifacts)
        }
        self.pipeline = pipeline
        description = ""
    }
}

extension StepKind {
    /// Whether one step's work comes before another's in a chain.
    static func precedes(_ left: String, _ right: String) -> Bool { rank(left) < rank(right) }

    private static func rank(_ step: String) -> (Int, Int) {
        guard let (kind, round) = parse(step), let position = allCases.firstIndex(of: kind) else {
            return (0, allCases.count)
        }
        return (kind == .evaluation ? Int.max : round, position)
    }
}
