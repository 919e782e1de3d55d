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

    /// - Parameter names: the pipelines to list; none for all.
    /// - Throws: `PipelineError.unknownPipeline`.
    package func text(of names: [String] = []) throws -> String {
        let plans = planner.workflow.plans
        let known = plans.map(\.pipeline.name)
        for name in names where !known.contains(name) {
            throw PipelineError.unknownPipeline(name, known: known)
        }
        return plans.filter { names.isEmpty || names.contains($0.pipeline.name) }
            .map(section).joined(separator: "\n")
    }

    private func section(_ plan: Workflow.Plan) -> String {
        let pipeline = plan.pipeline
        let steps = plan.chains.flatMap(\.steps)
        var text =
            pipeline.description.isEmpty
            ? "\(pipeline.name)\n" : "\(pipeline.name): \(pipeline.description)\n"
        text += "  \(pipeline.branches.count) branches, \(pipeline.seeds.count) seeds, \(steps.count) steps: "
        text += "\(counts(steps))\n"
        let width = plan.chains.map { "\($0.branch)-\($0.seed)".count }.max() ?? 0
        for chain in plan.chains { text += "  " + line(chain, width: width) + "\n" }
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

    /// `tiny-0  dataset seed bottlenecks-1 …   fresh` or why its first step is not.
    private func line(_ chain: Chain, width: Int) -> String {
        let name = "\(chain.branch)-\(chain.seed)"
        let steps = chain.steps.map { index in
            let mark =
                switch survey.state(index) {
                case .fresh: ""
                case .known: "~"
                case .due: "*"
                case .waiting: "."
                }
            return planner.workflow.steps[index].name + mark
        }
        let padding = String(repeating: " ", count: width - name.count + 2)
        var text = name + padding + steps.joined(separator: " ")
        let stale = chain.steps.first { survey.state($0) != .fresh }
        if let stale, let reason = planner.reason(stale, survey, history) {
            text += "\n    " + String(repeating: " ", count: width)
            text += "\(planner.workflow.steps[stale].name): \(reason)"
        }
        return text
    }

    package static let legend =
        "no mark: fresh   *: to run   .: waits for a step before it   ~: known, link missing"
}
