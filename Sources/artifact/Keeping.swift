import ArgumentParser
import Artifacts
import Foundation
import Reports
import Stages

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Hash every object of the store and look at every link and record.",
        discussion: """
            Objects whose bytes changed are moved aside, so that the next make computes \
            them again. The exit code is 0 when everything is as it was published and \
            65 otherwise.

            EXAMPLES:
              artifact verify
              artifact verify --artifacts /scratch/artifacts
            """)

    @OptionGroup var folder: FolderOption

    func run() throws {
        try reporting {
            let report = try folder.store().verify()
            for problem in report.problems {
                printError("artifact: \(problem.message)")
            }
            let found = report.isIntact ? "all as published" : "problems found: \(report.problems.count)"
            print("\(report.objects) objects, \(Format.bytes(report.bytes)): \(found)")
            if !report.isIntact { throw ExitCode(report.exitCode) }
        }
    }
}

struct CollectGarbage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Drop what no link reaches and nobody used lately.",
        discussion: """
            Objects that no step's link points to and that were not used for some time, \
            their run records, and what killed processes left behind. What a running step \
            works on stays. Links are made by planning: `make gc` plans first, so that \
            what the pipelines need stays.

            EXAMPLES:
              artifact gc --dry-run
              artifact gc --unused-days 7
            """)

    @Flag(help: "Only say what would be dropped.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Keep also what was used in the last so many days; 0 keeps only what a link reaches.",
            valueName: "days"))
    var unusedDays = 30

    @OptionGroup var folder: FolderOption

    func validate() throws {
        guard (0...36_500).contains(unusedDays) else {
            throw ValidationError("--unused-days must be in 0...36500, not \(unusedDays)")
        }
    }

    func run() throws {
        try reporting {
            let report = try folder.store().collectGarbage(unusedDays: unusedDays, dryRun: dryRun) { report in
                for path in report.dropped { print(path) }
                print("\(dryRun ? "would" : "will") drop \(amount(report)); \(kept(report))")
            }
            if !dryRun { print("dropped \(report.dropped.count) files") }
        }
    }

    private func amount(_ report: GarbageReport) -> String {
        "\(report.dropped.count) files, \(Format.bytes(report.bytes))"
    }

    private func kept(_ report: GarbageReport) -> String {
        "\(report.keptObjects) objects stay"
            + (report.keptUnlinked > 0
                ? ", \(report.keptUnlinked) of them only since they were used in the last \(unusedDays) days"
                : "")
    }
}
