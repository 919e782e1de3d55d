import ArgumentParser
import Artifacts
import Foundation
import Reports
import Stages

@main
struct Report: Program {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Put the results of a pipeline's branches and seeds side by side.",
        discussion: """
            Reads the evaluations and final networks of all branches and seeds through \
            the links below the artifacts folder, and the run records for what the steps \
            cost. Writes results.csv (one row per branch and seed, every digit) and \
            results.md (the table, growth round by round, and what the numbers say), and \
            prints the table.

            EXAMPLES:
              report --pipeline digits
              report --pipeline digits --parameters artifacts/digits/report/report.json \\
                --output artifacts/digits/report/results.csv
            """)

    @Option(help: ArgumentHelp("The pipeline, a folder below the artifacts folder.", valueName: "name"))
    var pipeline: String

    @Option(
        help: ArgumentHelp(
            "What to report, as `plan` writes it; without it, every branch and seed that has an evaluation.",
            valueName: "report.json"))
    var parameters: String?

    @Option(
        help: ArgumentHelp(
            "The folder with the store, the run records and the pipelines.", valueName: "folder"))
    var artifacts = "artifacts"

    @Option(
        help: ArgumentHelp(
            "Where the numbers go, results.md beside them (default: <artifacts>/<pipeline>/report/results.csv).",
            valueName: "file.csv"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "A results.csv that was kept: compare with it instead of writing, bytes on the same platform, within "
                + "tolerances on another.",
            valueName: "file.csv"))
    var check: String?

    func run() throws {
        try reportingErrors(of: "report") {
            let plan = try plan()
            let results = try PipelineResults(reading: plan, in: Store(root: artifacts))
            if let check { return try compare(results, with: check) }
            let readable = try results.write(to: output ?? "\(artifacts)/\(pipeline)/report/results.csv")
            try seal(readable)
            print(results.summary.aligned(), terminator: "")
            print("report: \(readable)")
        }
    }

    private func compare(_ results: PipelineResults, with kept: String) throws {
        guard FileManager.default.fileExists(atPath: kept) else {
            throw StageError.missingFile(option: "--check", path: kept)
        }
        let text = try String(contentsOfFile: kept, encoding: .utf8)
        let problems = ResultsCheck(found: results.csv, kept: text).problems
        guard problems.isEmpty else { throw ReportError.otherResults(kept: kept, problems: problems) }
        print("report: \(pipeline) is as in \(kept)")
    }

    /// For the planner to know the report by; only where it was made from what the planner wrote beside it.
    private func seal(_ readable: String) throws {
        guard let parameters else { return }
        let folder = URL(filePath: readable).deletingLastPathComponent().path
        guard folder + "/" + ReportFiles.parameters == URL(filePath: parameters).path else { return }
        try ReportFiles.seal(folder)
    }

    private func plan() throws -> ReportPlan {
        guard let parameters else { return try ReportPlan(discovering: pipeline, in: artifacts) }
        guard FileManager.default.fileExists(atPath: parameters) else {
            throw StageError.missingFile(option: "--parameters", path: parameters)
        }
        let plan = try ReportPlan(reading: parameters)
        guard plan.pipeline == pipeline else {
            throw ReportError.otherPipeline(file: parameters, found: plan.pipeline, asked: pipeline)
        }
        return plan
    }
}
