import ArgumentParser
import Artifacts
import Foundation
import Pipelines
import Stages
import Tensors

@main
struct Plan: Program {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Read the pipelines, find out which steps are done, and tell make what must run.",
        discussion: """
            Without an option, parameter files, links to known results and artifacts/plan.mk are brought up to date; make \
            calls it so before anything else. With one of the options below nothing is changed.

            EXAMPLES:
              plan
              plan --list digits
              plan --explain digits/tiny-0/grow-1
              plan --graph | dot -Tsvg > steps.svg
              plan --fields
            """)

    @Option(help: ArgumentHelp("The folder of the experiments, one .yaml each.", valueName: "folder"))
    var pipelines = "pipelines"

    @Option(help: ArgumentHelp("The folder of the datasets' descriptors.", valueName: "folder"))
    var data = "data"

    @Option(help: ArgumentHelp("The folder of everything computed.", valueName: "folder"))
    var artifacts = "artifacts"

    @Flag(help: "List pipelines, branches and steps, with what must run and why.")
    var list = false

    @Option(
        help: ArgumentHelp(
            "A step's key, what differs from its last run, and what will run next.",
            valueName: "pipeline/branch-seed/step"))
    var explain: String?

    @Flag(help: "Print the steps as a graph in Graphviz's language, coloured by state.")
    var graph = false

    @Flag(help: "Print every field of a pipeline file with what it allows and its default.")
    var fields = false

    @Argument(
        help: ArgumentHelp(
            "Pipelines to list step by step; without, all are summed up.", valueName: "pipeline"))
    var names: [String] = []

    func validate() throws {
        let modes = [list, explain != nil, graph, fields].count { $0 }
        guard modes <= 1 else {
            throw ValidationError("--list, --explain, --graph and --fields exclude each other; give one")
        }
        guard names.isEmpty || list else { throw ValidationError("pipelines are named with --list only") }
    }

    func run() throws {
        try reportingErrors(of: "plan", act)
    }

    private func act() throws {
        if fields { return print(FieldTable.text, terminator: "") }
        let workflow = try Workflow(PipelineFolder.read(pipelines), data: data)
        let planner = Planner(
            workflow: workflow, store: Store(root: artifacts), sources: sourceDigests,
            platform: Platform.identifier)
        if list {
            print(try Listing(planner).text(of: names), terminator: "")
        } else if let explain {
            print(try Explanation(planner, step: explain).text, terminator: "")
        } else if graph {
            print(try Graph(planner).dot, terminator: "")
        } else {
            try planner.writePlan()
        }
    }
}
