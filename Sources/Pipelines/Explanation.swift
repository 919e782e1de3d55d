import Artifacts
import Files

/// Everything about one step, for a terminal: its key, what differs from the last run, what will run next.
package struct Explanation {
    private let planner: Planner
    private let survey: Survey
    private let history: RunHistory
    private let index: Int

    private var step: Step { planner.workflow.steps[index] }

    /// - Throws: `PipelineError.unknownStep`.
    package init(_ planner: Planner, step id: String) throws {
        self.planner = planner
        index = try planner.workflow.index(of: id)
        survey = try planner.survey()
        history = try RunHistory(of: planner.store)
    }

    package var text: String {
        ([heading] + key + lastRun + next).joined(separator: "\n") + "\n"
    }

    private var heading: String {
        let reason = planner.reason(index, survey, history)
        let state = reason.map { "\(survey.state(index)): \($0)" } ?? "fresh"
        let twin = step.twin.map { "\n  the same work as \(planner.workflow.steps[$0].id), done once" } ?? ""
        return "\(step.id)\n  \(state)\(twin)"
    }

    private var key: [String] {
        let stage = step.kind.stage
        var lines = [
            "its key", "  stage       \(stage)", "  source      \(planner.source(of: stage))",
            "  platform    \(planner.platform)",
        ]
        for leaf in step.parameters.leaves.sorted(by: { $0.key < $1.key }) {
            lines.append("  parameter   \(leaf.key) = \(leaf.value)")
        }
        for input in step.inputs {
            switch input.source {
            case .digest(let digest): lines.append("  input       \(input.name) = \(digest)")
            case .step(let other):
                let output = survey[other].output.map(\.hexadecimal) ?? "not known yet"
                lines.append("  input       \(input.name) = \(output) (\(planner.workflow.steps[other].id))")
            }
        }
        lines.append(
            "  key         \(survey[index].parts?.key.description ?? "not known until its inputs are")")
        return lines
    }

    private var lastRun: [String] {
        let parts = survey[index].parts
        let linked = try? planner.store.digest(ofLink: planner.link(of: step))
        let run =
            survey[index].record
            ?? linked.flatMap { history.run(that: $0, stage: step.kind.stage, nearest: parts) }
        guard let run else { return ["the last run", "  none is recorded"] }
        let measured = run.measurements
        let memory = measured.peakMemoryBytes / 1_048_576
        var lines = [
            "the last run",
            "  began       \(measured.start), took \(rounded(measured.seconds)) s, \(memory) MiB, \(measured.threads) threads",
            "  on          \(measured.cpu)",
            "  output      \(run.output)\(run.unchanged ? " (its input: nothing was added)" : "")",
        ]
        guard let parts else { return lines }
        let differences = Difference.between(run.parts, parts)
        lines += differences.isEmpty ? ["  differs in  nothing"] : differences.map { "  differs in  \($0)" }
        return lines
    }

    private var next: [String] {
        switch survey.state(index) {
        case .fresh: return ["next", "  nothing of it will run"]
        case .known: return ["next", "  its link will be made; nothing will run"]
        case .due: return ["next", "  it will run"] + followers
        case .waiting:
            let roots = planner.roots(of: index, survey).map {
                "  \(planner.workflow.steps[$0].id) will run first"
            }
            return ["next"] + roots + ["  then it will run, unless all its inputs come out as they were"]
                + followers
        }
    }

    private var followers: [String] {
        let count = planner.workflow.followers(of: index).count
        return count > 0 ? ["  \(count) later steps will be looked at again"] : []
    }

    private func rounded(_ seconds: Double) -> String { "\((seconds * 100).rounded() / 100)" }
}

extension Workflow {
    /// The steps that need a step's output, directly or not; twins count once.
    func followers(of index: Int) -> [Int] {
        var reached: Set<Int> = [first(index)]
        var followers: [Int] = []
        for (position, step) in steps.enumerated() where step.twin == nil && !reached.contains(position) {
            let needs = step.inputs.contains { input in
                if case .step(let other) = input.source { reached.contains(first(other)) } else { false }
            }
            guard needs else { continue }
            reached.insert(position)
            followers.append(position)
        }
        return followers
    }
}
