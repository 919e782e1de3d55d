import Artifacts
import Files
import Parameters

extension Planner {
    /// Writes what a report depends on besides the evaluations' content.
    ///
    /// - Returns: whether the file was written.
    func writeReportParameters(_ plan: Workflow.Plan) throws -> Bool {
        try PlainFile.write(
            reportParameters(plan).canonicalJSON + "\n", to: "\(reportFolder(plan))/\(ReportFiles.parameters)"
        )
    }

    /// Whether a report was made as it would be made now, and its files are as they were written.
    ///
    /// A report holds seconds and so is not named after its content; it names the evaluations it was made from.
    func isReportFresh(_ plan: Workflow.Plan, _ survey: Survey) -> Bool {
        guard let results = ReportFiles.intactResults(in: reportFolder(plan)) else { return false }
        let rows = results.split(separator: "\n").dropFirst()
        return rows.count == plan.chains.count
            && zip(rows, plan.chains).allSatisfy { row, chain in
                survey[chain.evaluation].output.map { row.contains($0.description) } ?? false
            }
    }

    func reportFolder(_ plan: Workflow.Plan) -> String {
        "\(store.root)/\(plan.pipeline.name)/report"
    }

    private func reportParameters(_ plan: Workflow.Plan) -> Tree {
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
