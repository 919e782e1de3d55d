import ArgumentParser
import Artifacts
import Parameters
import Pipelines
import Stages
import Tensors

@main
struct Plan: Program {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Read the pipelines, find out which steps are done, and tell make what must run.",
        discussion: """
            Parameter files and links to known results are brought up to date, and rules for what must run are printed; \
            make calls it so before anything else. With --list, --explain, --graph, --fields or --platform nothing is changed.

            EXAMPLES:
              plan
              plan --list digits
              plan --explain digits/tiny-0/grow-1
              plan --graph digits | dot -Tsvg > steps.svg
              plan --fields
            """)

    @Option(help: ArgumentHelp("The folder of the experiments, one .yaml each.", valueName: "folder"))
    var pipelines = "pipelines"

    @Option(help: ArgumentHelp("The folder of the datasets' descriptors.", valueName: "folder"))
    var data = "data"

    @Option(help: ArgumentHelp("The folder of everything computed.", valueName: "folder"))
    var artifacts = "artifacts"

    @Option(
        help: ArgumentHelp(
            "Plan for the platform that this command leads to, as in 'srun -N1'; it is asked once.",
            valueName: "command"))
    var launch: String?

    @Option(
        help: ArgumentHelp(
            "Have this step run again although it is done, and compared; 'all' for every step.",
            valueName: "step"))
    var again: String?

    @Flag(help: "A pipeline that something is wrong with is an error, not a warning.")
    var strict = false

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

    @Flag(help: "Print the numeric libraries and instruction set of this machine, as they stand in keys.")
    var platform = false

    @Argument(
        help: ArgumentHelp(
            "Pipelines to list step by step, or to draw; without, all are summed up, or drawn.",
            valueName: "pipeline"))
    var names: [String] = []

    func validate() throws {
        let modes = [list, explain != nil, graph, fields, platform].count { $0 }
        guard modes <= 1 else {
            throw ValidationError(
                "--list, --explain, --graph, --fields and --platform exclude each other; give one")
        }
        guard names.isEmpty || list || graph else {
            throw ValidationError("pipelines are named with --list and --graph only")
        }
    }

    func run() throws {
        try reportingErrors(of: "plan", act)
    }

    private func act() throws {
        if fields { return print(FieldTable.text, terminator: "") }
        if platform { return print(LaunchedPlatform.line(Platform.identifier)) }
        let workflow = try Workflow(folder: pipelines, data: data)
        if strict { try workflow.checkAll() }
        let planner = Planner(
            workflow: workflow, store: Store(root: artifacts), sources: sourceDigests,
            platform: launchedPlatform())
        if list {
            print(try Listing(planner).text(of: names), terminator: "")
            if names.isEmpty { try workflow.checkAll() }
        } else if let explain {
            print(try Explanation(planner, step: explain).text, terminator: "")
        } else if graph {
            print(try Graph(planner, of: names).dot, terminator: "")
        } else {
            try write(planner)
        }
    }

    private func write(_ planner: Planner) throws {
        for broken in planner.workflow.broken {
            for message in broken.error.messages { warn(message) }
            if let name = broken.name { warn("nothing of '\(name)' can be made, the other pipelines can") }
        }
        let again: Again =
            switch self.again {
            case nil: .nothing
            case "all"?: .all
            case let step?: .step(try planner.workflow.index(of: step))
            }
        let plan = try planner.writePlan()
        if let first = plan.changedObjects.first {
            let count = plan.changedObjects.count
            warn(
                "\(count == 1 ? "an object" : "\(count) objects") changed since written (size, time or inode), such as "
                    + "\(planner.store.objectPath(first)); `make verify` hashes them all")
        }
        print(planner.makeRules(plan, again: again), terminator: "")
    }

    /// The platform that steps will run on.
    private func launchedPlatform() -> String {
        guard let launch, !launch.isEmpty else { return Platform.identifier }
        if let platform = LaunchedPlatform.ask(launch) { return platform }
        warn(
            "LAUNCH='\(launch)' does not run `plan --platform`; steps are planned for this machine's platform"
        )
        return Platform.identifier
    }

    private func warn(_ text: String) {
        printError("plan: warning: \(text)")
    }
}
