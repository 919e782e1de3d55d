import ArgumentParser
import Artifacts
import Files
import Foundation
import Reports
import Stages

@main
struct ArtifactCommand: Program {
    static let configuration = CommandConfiguration(
        commandName: "artifact",
        abstract: "Look at artifacts, compare them, take them out of the store, and keep the store in order.",
        discussion: """
            An artifact is named by its file, by its step below the artifacts folder \
            (<pipeline>/<branch>-<seed>/<step>), or by the first eight or more digits of \
            its object's name.

            EXAMPLES:
              artifact show fashion-mlp/tiny-joint-0/tune-4
              artifact show somewhere/seed.h5
              artifact diff fashion-mlp/tiny-0/tune-4 fashion-mlp/random-0/tune-4
              artifact export fashion-mlp/tiny-joint-0/tune-4 ~/networks
              artifact verify
              artifact gc --dry-run
            """,
        subcommands: [Show.self, Diff.self, Export.self, Verify.self, CollectGarbage.self])
}

/// The option that every subcommand has.
struct FolderOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder with the store, the run records and the pipelines.", valueName: "folder"))
    var artifacts = "artifacts"

    func locate(_ argument: String) throws -> ArtifactLocation {
        try ArtifactLocation(argument, artifacts: artifacts)
    }

    /// - Throws: `FileError.missing` rather than finding nothing wrong where there is nothing.
    func store() throws -> Store {
        guard FileManager.default.fileExists(atPath: artifacts) else {
            throw FileError.missing(path: artifacts)
        }
        return Store(root: artifacts)
    }
}

/// Runs a subcommand's work; its errors are those of `artifact`.
func reporting(_ body: () throws -> Void) throws {
    try reportingErrors(of: "artifact", body)
}
