import Artifacts
import Foundation
import Parameters

extension Planner {
    /// Writes what a report depends on, and lets make see a report that is right although its evaluations' links are newer.
    ///
    /// A report holds seconds and so is not named after its content; it names the evaluations it was made from.
    ///
    /// - Returns: whether the file of parameters was written.
    func writeReportParameters(_ plan: Workflow.Plan, survey: Survey) throws -> Bool {
        let folder = "\(store.root)/\(plan.pipeline.name)/report"
        let parameters = "\(folder)/report.json"
        let results = "\(folder)/results.csv"
        guard try !PlainFile.write(reportParameters(plan).canonicalJSON + "\n", to: parameters) else {
            return true
        }
        guard let asked = Files.time(of: parameters), let made = Files.time(of: results), asked <= made else {
            return false
        }
        let links = plan.chains.compactMap { Files.time(of: link(of: workflow.steps[$0.evaluation])) }
        if links.contains(where: { made < $0 }), isReport(results, of: plan, survey: survey) {
            Files.touch(results)
        }
        return false
    }

    /// Whether a report has a row for every chain, in order, made from the evaluation that is the chain's result now.
    private func isReport(_ results: String, of plan: Workflow.Plan, survey: Survey) -> Bool {
        guard let text = try? String(contentsOfFile: results, encoding: .utf8) else { return false }
        let rows = text.split(separator: "\n").dropFirst()
        return rows.count == plan.chains.count
            && zip(rows, plan.chains).allSatisfy { row, chain in
                survey[chain.evaluation].output.map { row.contains($0.description) } ?? false
            }
    }
}
