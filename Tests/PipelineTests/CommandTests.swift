import Foundation
import TestSupport
import Testing

/// make's other commands, and what happens when something is wrong.
@Suite struct CommandTests {
    let project: Project

    init() throws {
        project = try Project()
    }

    @Test func `help lists every command`() throws {
        let help = try project.make("help")
        for name in [
            "all", "report", "list", "explain", "rerun", "graph", "verify", "gc", "push", "pull", "clean",
            "distclean", "setup", "test", "interop", "lint", "bench", "bench-peers",
        ] {
            #expect(help.output.contains("  make \(name) "), "\(name)")
        }
    }

    @Test func `one step is made with what it needs, and no more`() throws {
        let ran = try project.steps("small/random-0/seed")
        #expect(ran.count == 4)
        #expect(
            Set(ran) == [
                "small/tiny-joint-0/dataset", "small/tiny-joint-0/seed", "small/random-0/dataset",
                "small/random-0/seed",
            ])
    }

    @Test func `a pipeline that cannot be read stops make before anything runs, whatever was planned before`()
        throws
    {
        try project.steps("small/tiny-joint-0/dataset")
        try project.write(Project.pipeline.replacing("method: random", with: "method: randm"))
        let result = try project.make("all")
        #expect(result.status == 2)
        #expect(
            result.error.contains(
                "plan: error: pipelines/small.yaml:9: branches.random.growth.method: 'randm' is not one of"
            ))
        #expect(result.error.contains("did you mean 'random'?"))
        #expect(Project.steps(in: result.output).isEmpty)
    }

    @Test func `every family of networks runs, and its architecture can be taken up`() throws {
        try project.write(
            """
            dataset: digits
            network: {kind: vgg, stages: [[2], [3]], classifier: [4]}
            seed: {epochs: 1, batch: 256}
            growth: {rounds: 0}
            branches:
              vgg: {}
              resnet: {network: {kind: resnet, depth: 8, width: 2, inner: [0, 1, 2]}}
              graph:
                network:
                  kind: graph
                  nodes:
                  - {name: conv, operation: convolution, width: 2, kernel: 3}
                  - {name: pool, operation: global-average-pooling}
                  - {name: output, operation: linear, width: 10}
              again: {network: final-of resnet}
            """)
        #expect(try project.steps("all").count == 4 * 3)
        #expect(try project.steps("all").isEmpty)
        let results = try project.folder.text("artifacts/small/report/results.md")
        #expect(results.contains("| again  | 2·4·8, inner 0–2 |"), "\(results)")
    }

    @Test func `a network that does not fit its dataset stops make before anything runs`() throws {
        try project.write(
            Project.pipeline.replacing(
                "network: {widths: [3, 3]}", with: "network: {kind: vgg, stages: [[2], [2], [2], [2]]}"))
        let result = try project.make("all")
        #expect(result.status == 2)
        #expect(
            result.error.contains(
                "plan: error: pipelines/small.yaml:3: network: branches tiny-joint, random on digits (1 x 8 x 8, "
                    + "10 classes): node 'stage4-pool': an image of 8 x 8 can be halved 3 times, not 4"),
            "\(result.error)")
        #expect(Project.steps(in: result.output).isEmpty)
        #expect(!project.folder.exists("artifacts/store"))
    }

    @Test func `make's last line names the step that failed`() throws {
        let result = try project.make("all", "LAUNCH=false")
        #expect(result.status == 2)
        let lines = result.error.split(separator: "\n")
        #expect(lines.last?.contains("artifacts/small/tiny-joint-0/dataset.h5") == true, "\(result.error)")
        #expect(result.error.contains("[load-dataset] small/tiny-joint-0/dataset failed"))
    }

    @Test(arguments: [("-j4", 2), ("-j1", 8), ("-j", 1), ("-j16", 1)])
    func `every step runs through LAUNCH, with its share of the threads`(jobs: String, threads: Int) throws {
        let result = try project.make("small/tiny-joint-0/dataset", "LAUNCH=echo", "CORES=8", jobs)
        #expect(
            result.output.contains("/load-dataset --parameters artifacts/small/tiny-joint-0/dataset.json"))
        #expect(result.output.contains("--threads \(threads)\n"), "\(result.output)")
    }

    @Test func `a step that is run again is compared with what was there`() throws {
        try project.steps("small/steps")
        let result = try project.make("rerun", "STEP=small/random-0/grow-1")
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.contains("the same bytes as before"))
        #expect(Project.steps(in: result.output) == ["small/random-0/grow-1"])
        #expect(try project.steps("small/steps").isEmpty)
    }

    @Test func `verify finds a changed object; with REBUILD every step is run again`() throws {
        try project.steps("small/steps")
        let rebuilt = try project.make("verify", "REBUILD=1")
        #expect(rebuilt.status == 0, "\(rebuilt.error)")
        #expect(rebuilt.output.components(separatedBy: "the same bytes as before").count == 1 + 12)
        let object = try project.object("random-0/grow-1")
        chmod(object, 0o644)
        try Data("changed".utf8).write(to: URL(filePath: object))
        let result = try project.make("verify")
        #expect(result.status == 2)
        #expect((result.output + result.error).contains("random-0/grow-1"))
        #expect(try project.steps("small/steps").contains("small/random-0/grow-1"))
        #expect(try project.make("verify").status == 0)
    }

    @Test func `list, explain and graph tell the state and change nothing`() throws {
        let empty = try project.make("list")
        #expect(empty.output.contains("dataset: it never ran"))
        #expect(!project.folder.exists("artifacts"))
        try project.steps("small/steps")
        #expect(try project.make("list").output.contains("all fresh"))
        try project.write(Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"))
        let explanation = try project.make("explain", "STEP=small/random-0/tune-1").output
        #expect(explanation.contains("training.epochs changed from 1 to 2"))
        let unknown = try project.make("explain", "STEP=small/random-0/tune-7")
        #expect(unknown.status == 2)
        #expect(unknown.error.contains("did you mean 'small/random-0/tune-1'?"))
        #expect(try project.make("explain").error.contains("say STEP="))
        let graph = try project.make("graph")
        #expect(graph.status == 0 || graph.error.contains("install it (apt install graphviz)"))
        #expect(try project.folder.text("artifacts/graph.dot").contains("digraph"))
        #expect(try project.make("graph", "PIPELINE=smal").error.contains("did you mean 'small'?"))
    }

    @Test func `gc drops what no link reaches, and only lists it when dry`() throws {
        try project.steps("small/steps")
        let object = try project.object("random-0/evaluation")
        try project.write(Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"))
        try project.steps("small/steps")
        #expect(try project.make("gc").output.contains("were used in the last 30 days"))
        #expect(try project.make("gc", "KEEP_DAYS=0", "DRY=1").output.contains("would drop 12 files"))
        #expect(FileManager.default.fileExists(atPath: object))
        #expect(try project.make("gc", "KEEP_DAYS=0").status == 0)
        #expect(!FileManager.default.fileExists(atPath: object))
        #expect(try project.steps("small/steps").isEmpty)
    }

    @Test func `clean keeps the results, so that nothing is computed again; distclean does not`() throws {
        try project.steps("all")
        let before = try project.results()
        #expect(try project.make("clean").status == 0)
        #expect(!project.folder.exists("artifacts/small"))
        #expect(try project.steps("small/random-0/seed", "clean", "all").isEmpty)
        #expect(try project.steps("all").isEmpty)
        #expect(try project.results() == before)
        #expect(try project.make("distclean").status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: project.artifacts).isEmpty)
        #expect(try project.make("distclean").status == 0)
    }

    @Test(arguments: ["clean", "copy"])
    func `gc plans first, so that what the pipelines reach stays`(way: String) throws {
        try project.steps("all")
        let before = try project.results()
        if way == "clean" {
            try project.make("clean")
        } else {
            for name in try FileManager.default.contentsOfDirectory(atPath: project.artifacts)
            where !["store", "runs"].contains(name) {
                try FileManager.default.removeItem(atPath: "\(project.artifacts)/\(name)")
            }
        }
        #expect(try project.make("gc", "KEEP_DAYS=0").status == 0)
        #expect(try project.steps("all").isEmpty)
        #expect(try project.results() == before)
    }

    @Test func `gc drops nothing while a pipeline cannot be read`() throws {
        try project.steps("small/steps")
        let object = try project.object("random-0/evaluation")
        try project.make("clean")
        try project.write("dataset: digitz\nnetwork: {widths: [2]}")
        let result = try project.make("gc", "KEEP_DAYS=0")
        #expect(result.status == 2 && result.error.contains("plan: error: pipelines/small.yaml: dataset"))
        #expect(FileManager.default.fileExists(atPath: object))
    }

    @Test(arguments: [["scratch"], ["."], ["link"]])
    func `clean and distclean leave what others put there`(place: [String]) throws {
        let setting = "ARTIFACTS=\(place[0])"
        try FileManager.default.createDirectory(
            atPath: project.folder.path("scratch"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: project.folder.path("link"), withDestinationPath: "scratch")
        let root = place[0] == "." ? "" : "scratch/"
        let own = [
            "thesis/a.tex", ".keys/id", "data.csv", "thesis/run-1/seed.json", "thesis/report/results.csv",
            "small/notes.txt", "small/random-0/tune-2-notes.json", "small/report/figure.svg",
            "store/notes.txt",
        ].map { root + $0 }
        for file in own { try project.folder.write("mine", to: file) }
        let before = Set(project.folder.names)
        try project.steps("small/steps", "all", setting)
        #expect(project.folder.exists(root + "small/random-0/seed.h5"))
        for command in ["clean", "distclean"] {
            #expect(try project.make(command, setting).status == 0)
            for file in own { #expect(try project.folder.text(file) == "mine", "\(command): \(file)") }
            #expect(!project.folder.exists(root + "small/random-0/seed.json"))
            #expect(!project.folder.exists(root + "small/tiny-joint-0"))
            #expect(!project.folder.exists(root + "small/report/results.csv"))
            #expect(project.folder.exists(root + "runs") == (command == "clean"))
        }
        #expect(before.subtracting(project.folder.names).isEmpty)
    }

    @Test(arguments: ["clean", "distclean"])
    func `a folder without the mark of our artifacts is refused`(command: String) throws {
        try project.folder.write("mine", to: "home/small/report/results.csv")
        let result = try project.make(command, "ARTIFACTS=home")
        #expect(result.status == 2 && result.error.contains("does not bear the mark"))
        #expect(project.folder.exists("home/small/report/results.csv"))
        #expect(try project.make(command, "ARTIFACTS=nowhere").status == 0)
    }

    @Test func `pushed results are fetched elsewhere, and nothing is computed there`() throws {
        guard try Program.system("sh", ["-c", "command -v rsync"]).status == 0 else { return }
        try project.steps("small/steps")
        let remote = TemporaryFolder()
        #expect(try project.make("push", "REMOTE=\(remote.path)").status == 0)
        let other = try Project()
        #expect(try other.make("pull", "REMOTE=\(remote.path)").status == 0)
        #expect(try other.steps("small/steps").isEmpty)
        #expect(try other.results() == project.results())
    }

    @Test func `push and pull without rsync say so`() throws {
        let tools = project.folder.path("tools")
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
        for name in ["make", "sh", "nproc", "cat", "cksum", "echo"] {
            let place = try Program.system("sh", ["-c", "command -v \(name)"]).output.trimmingCharacters(
                in: .newlines)
            guard place.hasPrefix("/") else { continue }
            try FileManager.default.createSymbolicLink(atPath: "\(tools)/\(name)", withDestinationPath: place)
        }
        for command in ["push", "pull"] {
            let result = try project.make(command, "REMOTE=elsewhere", environment: ["PATH": tools])
            #expect(
                result.status == 2 && result.error.contains("install it (apt install rsync)"),
                "\(result.error)")
        }
    }
}
