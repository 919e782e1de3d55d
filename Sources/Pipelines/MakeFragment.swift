import Parameters

extension Planner {
    /// artifacts/plan.mk: one explicit rule per step and per report. Folders are named by make's variables.
    ///
    /// The Makefile defines `A` (the artifacts folder) and what is called here.
    var makeFragment: String {
        var text = "# Written by `plan` from pipelines/*.yaml; changes here are lost.\n"
        text += "PLANNED := \(workflow.plans.map(\.pipeline.name).joined(separator: " "))\n"
        for plan in workflow.plans { write(plan, to: &text) }
        return text
    }

    private func write(_ plan: Workflow.Plan, to text: inout String) {
        let name = plan.pipeline.name
        let results = "$(A)/\(name)/report/results.csv"
        let evaluations = plan.chains.map { file(workflow.steps[$0.evaluation]) }
        text += "\n.PHONY: \(name) \(name)/steps\n\(name): \(results)\n\t$(call show-report,\(name))\n"
        text += "\(name)/steps: \(evaluations.joined(separator: " \\\n  "))\n"
        text += "\(results): $(A)/\(name)/report/report.json \(evaluations.joined(separator: " \\\n  "))\n"
        text += "\t$(call run-report,\(name))\n"
        for chain in plan.chains {
            for index in chain.steps { write(workflow.steps[index], to: &text) }
        }
    }

    private func write(_ step: Step, to text: inout String) {
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
        text += "\n.PHONY: \(step.id)\n\(step.id): \(file(step))\n"
        text += "\(file(step)): \((needed + ["$(A)/\(step.id).json"]).joined(separator: " "))\(first)\n"
        let rule = step.twin == nil ? "run-step" : "run-twin"
        text += "\t$(call \(rule),\(step.stage.rawValue),\(step.id),\(options.dropFirst()))\n"
    }

    private func file(_ step: Step) -> String { "$(A)/\(step.id).h5" }

    /// What a report depends on besides the evaluations' content.
    func reportParameters(_ plan: Workflow.Plan) -> Tree {
        func text(_ value: String) -> Tree { Tree(.text(value)) }
        func map(_ entries: [(String, Tree)]) -> Tree {
            Tree(.map(entries.map { Tree.Entry(key: $0.0, value: $0.1) }))
        }
        let chains = plan.chains.map { chain in
            map([
                ("branch", text(chain.branch)), ("seed", Tree(.integer(chain.seed))),
                ("steps", Tree(.list(chain.steps.map { text(workflow.steps[$0].name) }))),
            ])
        }
        return map([
            ("pipeline", text(plan.pipeline.name)), ("description", text(plan.pipeline.description)),
            ("source", text(source(of: "report"))), ("chains", Tree(.list(chains))),
        ])
    }
}
