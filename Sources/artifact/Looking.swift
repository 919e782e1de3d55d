import ArgumentParser
import Reports
import Stages

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Say what an artifact is, and where it comes from.",
        discussion: """
            Prints the kind, what is inside (a network's layers, cost, training and \
            growth; bottlenecks as bars; an evaluation's accuracies and confusions; a \
            dataset's classes), the parameters of the stage that made it, and the chain \
            of artifacts it was made from, back to the dataset.

            EXAMPLES:
              artifact show fashion-mlp/tiny-joint-0/tune-4
              artifact show artifacts/digits/tiny-0/bottlenecks-1.h5
              artifact show 3b1f09ac
            """)

    @Argument(
        help: ArgumentHelp("A file, a step or the beginning of an object's name.", valueName: "file-or-step"))
    var artifact: String

    @OptionGroup var folder: FolderOption

    func run() throws {
        try reporting { print(try ArtifactSummary(of: folder.locate(artifact)).text, terminator: "") }
    }
}

struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Say what differs between two artifacts.",
        discussion: """
            Compares the headers parameter by parameter, the architectures node by node, \
            and every dataset element by element. The exit code is 0 when the artifacts \
            are equal and 1 when they differ, as with diff.

            EXAMPLES:
              artifact diff digits/tiny-0/grow-1 digits/random-0/grow-1
              artifact diff digits/tiny-0/seed /somewhere/else/seed.h5
            """)

    @Argument(help: "A file, a step or the beginning of an object's name.")
    var first: String

    @Argument(help: "What it is compared with.")
    var second: String

    @OptionGroup var folder: FolderOption

    func run() throws {
        try reporting {
            let found = try ArtifactDifferences(between: folder.locate(first), and: folder.locate(second))
            if found.isEmpty { return }
            print(found.text, terminator: "")
            throw ExitCode(1)
        }
    }
}

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Copy a step's artifact under a name that tells what it is.",
        discussion: """
            A file that is there already is not overwritten.

            EXAMPLES:
              artifact export fashion-mlp/tiny-joint-0/tune-4 ~/networks
              # writes ~/networks/fashion-mlp_tiny-joint-0_tune-4.h5
            """)

    @Argument(help: "The step, <pipeline>/<branch>-<seed>/<step>, or its link.")
    var step: String

    @Argument(help: ArgumentHelp("The folder to copy into; it is made if need be.", valueName: "folder"))
    var destination: String

    @OptionGroup var folder: FolderOption

    func run() throws {
        try reporting { print(try folder.locate(step).export(to: destination)) }
    }
}
