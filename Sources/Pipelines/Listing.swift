/// Tables of pipelines, branches and steps with their states, for a terminal.
package struct Listing {
    private let planner: Planner
    private let survey: Survey
    private let history: RunHistory

    package init(_ planner: Planner) throws {
        self.planner = planner
        survey = try planner.survey()
        history = try RunHistory(of: planner.store)
    }

    /// - Parameter names: the pipelines to list step by step; none for a summary of all.
    /// - Throws: `PipelineError.unknownPipeline`, or what is wrong with a pipeline.
    package func text(of names: [String] = []) throws -> String {
        try planner.workflow.plans(named: names)
            .map { section($0, withSteps: !names.isEmpty) }.joined(separator: "\n")
            + (names.isEmpty ? "" : "\n\(Self.legend)\n")
    }

    private func section(_ plan: Workflow.Plan, withSteps: Bool) -> String {
        let pipeline = plan.pipeline
        let steps = plan.chains.flatMap(\.steps)
        var text =
            pipeline.description.isEmpty
            ? "\(pipeline.name)\n" : "\(pipeline.name): \(pipeline.description)\n"
        text += "  branches: \(pipeline.branches.map(\.name).joined(separator: ", "))\n"
        text += "  seeds: \(pipeline.seeds.map(String.init).joined(separator: ", "))\n"
        text += "  steps: \(counts(steps))\n"
        let width = plan.chains.map { $0.name.count }.max() ?? 0
        for chain in plan.chains {
            let padding = String(repeating: " ", count: width - chain.name.count + 2)
            text += "  \(chain.name)\(padding)\(summary(chain))\n"
            if withSteps { text += "    \(marked(chain))\n" }
        }
        return text
    }

    /// `20 fresh, 3 to run, 1 waiting`; twins count once.
    private func counts(_ steps: [Int]) -> String {
        let own = steps.filter { planner.workflow.steps[$0].twin == nil }
        let shared = steps.count - own.count
        let words: [(Survey.State, String)] = [
            (.fresh, "fresh"), (.known, "known but not linked"), (.due, "to run"),
            (.waiting, "waiting for those"),
        ]
        let parts = words.compactMap { state, word -> String? in
            let count = own.count { survey.state($0) == state }
            return count > 0 ? "\(count) \(word)" : nil
        }
        return parts.joined(separator: ", ") + (shared > 0 ? " (\(shared) shared with these)" : "")
    }

    /// `14 steps, all fresh`, or the first that is not and why.
    private func summary(_ chain: Chain) -> String {
        let first = chain.steps.first { survey.state($0) != .fresh }
        guard let first, let reason = planner.reason(first, survey, history) else {
            return "\(chain.steps.count) steps, all fresh"
        }
        let fresh = chain.steps.count { survey.state($0) == .fresh }
        return "\(chain.steps.count) steps, \(fresh) fresh; \(planner.workflow.steps[first].name): \(reason)"
    }

    private func marked(_ chain: Chain) -> String {
        chain.steps.map { index in
            planner.workflow.steps[index].name + (Self.marks[survey.state(index)] ?? "")
        }.joined(separator: " ")
    }

    private static let marks: [Survey.State: String] = [.known: "~", .due: "*", .waiting: "."]

    private static let legend =
        "no mark: fresh   *: to run   .: waits for a step before it   ~: known, link missing"
}
