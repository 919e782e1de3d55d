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
        abstract: "Drop what no link reaches.",
        discussion: """
            Objects that no step's link points to, their run records, and what killed \
            processes left behind. What a running step works on stays.

            EXAMPLES:
              artifact gc --dry-run
              artifact gc
            """)

    @Flag(help: "Only say what would be dropped.")
    var dryRun = false

    @OptionGroup var folder: FolderOption

    func run() throws {
        try reporting {
            let report = try folder.store().collectGarbage(dryRun: dryRun)
            for path in report.dropped { print(path) }
            print(
                "\(dryRun ? "would drop" : "dropped") \(report.dropped.count) files, \(Format.bytes(report.bytes)); "
                    + "\(report.keptObjects) objects stay")
        }
    }
}
