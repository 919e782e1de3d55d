import Artifacts

/// What make is told to run although its result is known.
package enum Again: Equatable, Sendable {
    case nothing
    /// The step at this index.
    case step(Int)
    case all
}

extension Planner {
    /// One explicit rule for each step and report that must be made; the others are files that are there.
    ///
    /// What must be made is phony: make runs it whatever any file's time says, and neither touches nor deletes the link.
    /// Folders are named by make's variables. The Makefile defines `A` (the artifacts folder) and what is called here.
    package func makeRules(_ plan: WrittenPlan, again: Again) -> String {
        var text = "# Written by `plan` from pipelines/*.yaml.\n"
        let names = workflow.broken.compactMap(\.name)
        text += "BROKEN := \(names.joined(separator: " "))\n"
        for name in names {
            for targets in ["\(name) \(name)/steps", "\(name)/%"] {
                text += "\n\(targets):\n\t$(call run-broken,\(name))\n"
            }
            text += ".PHONY: \(name) \(name)/steps\n"
        }
        for pipeline in workflow.plans { write(pipeline, plan, again, to: &text) }
        return text
    }

    private func write(
        _ pipeline: Workflow.Plan, _ plan: WrittenPlan, _ again: Again, to text: inout String
    ) {
        let name = pipeline.pipeline.name
        let results = "$(A)/\(name)/report/results.csv"
        let evaluations = pipeline.chains.map { file(workflow.steps[$0.evaluation]) }
            .joined(separator: " \\\n  ")
        text += "\n.PHONY: \(name) \(name)/steps\n\(name): \(results)\n\t$(call show-report,\(name))\n"
        text += "\(name)/steps: \(evaluations)\n"
        if !plan.freshReports.contains(name) {
            text += ".PHONY: \(results)\n\(results): \(evaluations)\n\t$(call run-report,\(name))\n"
        }
        for index in pipeline.chains.flatMap(\.steps) { write(index, plan, again, to: &text) }
    }

    private func write(_ index: Int, _ plan: WrittenPlan, _ again: Again, to text: inout String) {
        let step = workflow.steps[index]
        text += "\n.PHONY: \(step.id)\n\(step.id): \(file(step))\n"
        let isAgain = again == .all || again == .step(index)
        guard isAgain || plan.survey.state(index) != .fresh else { return }
        var needed: [String] = []
        var options = ""
        for input in step.inputs {
            guard case .step(let other) = input.source else { continue }
            let path = file(workflow.steps[other])
            needed.append(path)
            options += " --\(input.name) \(path)"
        }
        if let descriptor = step.descriptor { options += " --descriptor \(descriptor)" }
        // A twin waits for the first step of its kind and then finds its result, instead of doing the work again.
        let first = step.twin.map { " | \(file(workflow.steps[$0]))" } ?? ""
        let flag = isAgain && (step.twin == nil || again != .all) ? "--rerun" : ""
        text += ".PHONY: \(file(step))\n\(file(step)): \(needed.joined(separator: " "))\(first)\n"
        text += "\t$(call run-step,\(step.kind.stage),\(step.id),\(options.dropFirst()),\(flag))\n"
    }

    private func file(_ step: Step) -> String { "$(A)/\(step.id).h5" }
}
