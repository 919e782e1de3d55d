import Foundation
import TestSupport
import Testing

/// What make does when somebody or something changed the artifacts folder.
@Suite(.timeLimit(.minutes(5))) struct DamageTests {
    let project: Project

    init() throws {
        project = try Project()
    }

    private static let kinds = ["pipe", "folder", "link", "garbage", "empty", "gone"]

    private func damage(_ path: String, _ kind: String) throws {
        try FileManager.default.removeItem(atPath: path)
        switch kind {
        case "pipe": try #require(mkfifo(path, 0o644) == 0)
        case "folder":
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        case "link": try #require(symlink(project.folder.path("own"), path) == 0)
        case "garbage": try Data("\tgarbage: [\n".utf8).write(to: URL(filePath: path))
        case "empty": try Data().write(to: URL(filePath: path))
        default: break
        }
    }

    @Test(arguments: kinds)
    func `every file that is damaged or replaced is mended, or made again`(kind: String) throws {
        try project.folder.write("mine", to: "own")
        try project.steps("all")
        let before = try project.results()
        let table = try project.folder.text("artifacts/small/report/results.csv")
        for file in [
            "plan.mk", "store/.meristem", "small/random-0/grow-1.h5", "small/random-0/grow-1.json",
            "small/random-0/grow-1.log", "small/report/report.json", "small/report/results.csv",
            "small/report/results.md", "small/report/SHA256SUMS", "runs/publishing.lock",
        ] {
            let path = "\(project.artifacts)/\(file)"
            if !FileManager.default.fileExists(atPath: path) {
                try project.folder.write("x", to: "artifacts/\(file)")
            }
            try damage(path, kind)
            #expect(try project.steps("all").isEmpty, "\(file)")
            #expect(try project.results() == before, "\(file)")
            #expect(try project.folder.text("artifacts/small/report/results.csv") == table, "\(file)")
            #expect(try project.folder.text("artifacts/small/report/results.md").contains("| tiny-joint |"))
        }
        for file in try [project.object("random-0/grow-1"), record(of: "random-0/grow-1")] {
            try damage(file, kind)
            #expect(try project.steps("all").contains("small/random-0/grow-1"), "\(file)")
            #expect(try project.results() == before, "\(file)")
        }
        #expect(try project.make("-q", "all").status == 0)
        #expect(try project.make("verify").status == 0)
        #expect(try project.make("gc").status == 0)
        #expect(try project.folder.text("own") == "mine")
    }

    /// The record that names a step's result.
    private func record(of step: String) throws -> String {
        let object = try #require(project.object(step).split(separator: "/").last?.dropLast(3))
        let runs = "\(project.artifacts)/runs"
        let names = try FileManager.default.contentsOfDirectory(atPath: runs).filter { $0.hasSuffix(".json") }
        let name = try names.first { name in
            try String(contentsOfFile: "\(runs)/\(name)", encoding: .utf8)
                .contains("\"output\":\"\(object)\"")
        }
        return "\(runs)/\(try #require(name))"
    }

    @Test func `a record that names another valid object changes no result`() throws {
        try project.steps("all")
        let before = try project.results()
        let file = try record(of: "random-0/tune-1")
        let other = try record(of: "tiny-joint-0/tune-1")
        func field(_ name: String, _ text: String) throws -> Substring {
            try #require(text.firstRange(of: try Regex("\"\(name)\":\"?[0-9a-f]+\"?")).map { text[$0] })
        }
        let right = try String(contentsOfFile: file, encoding: .utf8)
        let wrong = try String(contentsOfFile: other, encoding: .utf8)
        var forged = right
        for name in ["output", "bytes"] {
            forged = forged.replacing(try field(name, right), with: try field(name, wrong))
        }
        try forged.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try project.make("verify").error.contains("another step than fine-tune"))
        #expect(try project.steps("all").contains("small/random-0/tune-1"))
        #expect(try project.results() == before)
        #expect(try project.make("verify").status == 0)
    }

    @Test func `an object that somebody wrote to is named in one line until it was hashed`() throws {
        try project.steps("all")
        Project.setTime(try project.object("random-0/grow-1"), to: 1_000_000)
        let warned = try project.make("all")
        let lines = warned.error.split(separator: "\n").filter { $0.contains("changed since") }
        #expect(lines.count == 1 && lines[0].contains("make verify"), "\(warned.error)")
        #expect(try project.make("verify").status == 0)
        #expect(try !project.make("all").error.contains("changed since"))
    }

    @Test(arguments: [-5_000_000_000, 0, 1 << 32, 1 << 34])
    func `what is due runs, and what is not does not, whatever times files bear`(seconds: Int) throws {
        try project.steps("all")
        let files = try #require(FileManager.default.subpaths(atPath: project.artifacts))
        for file in files { Project.setTime("\(project.artifacts)/\(file)", to: seconds) }
        #expect(try project.steps("all").isEmpty)
        try project.write(Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"))
        #expect(try project.make("-q", "all").status == 1)
        #expect(try project.make("-t", "all").status == 0)
        #expect(try project.steps("small/random-0/tune-1") == ["small/random-0/tune-1"])
        #expect(try project.steps("all").count == 5)
        #expect(try project.make("-q", "all").status == 0)
    }

    @Test func `a draft that cannot be read stops its own targets alone`() throws {
        try project.folder.write("dataset: digitz\nnetwork: {widths: [2]}", to: "pipelines/draft.yaml")
        let made = try project.make("all")
        #expect(
            made.status == 0 && made.error.contains("plan: warning: pipelines/draft.yaml: dataset"),
            "\(made.error)")
        for target in ["draft", "draft/steps", "draft/tiny-0/seed"] {
            let result = try project.make(target)
            #expect(result.status == 2 && result.error.contains("plan: error: pipelines/draft.yaml: dataset"))
        }
        let both = try project.make("clean")
        #expect(both.status == 0)
        let stopped = try project.make("all", "PIPELINES=small draft")
        #expect(stopped.status == 2 && Project.steps(in: stopped.output).isEmpty)
        let list = try project.make("list")
        #expect(
            list.status == 2 && list.output.contains("small") && list.error.contains("draft.yaml: dataset"))
        #expect(try project.make("list", "PIPELINE=small").status == 0)
    }

    @Test(arguments: ["other", "small"])
    func `two checkouts share one artifacts folder without disturbing each other`(name: String) throws {
        let other = try Project()
        let shared = "ARTIFACTS=\(project.folder.path("shared"))"
        try FileManager.default.removeItem(atPath: other.folder.path("pipelines/small.yaml"))
        try other.folder.write(
            Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"),
            to: "pipelines/\(name).yaml")
        try project.steps("small", shared)
        try other.steps(name, shared, "PIPELINES=\(name)")
        let failures = try (0..<2).map { index in
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            let (folder, target) = [(project.folder, "small"), (other.folder, name)][index]
            let settings = Project.settings.joined(separator: " ")
            process.arguments = [
                "-c",
                "for i in 1 2 3 4 5 6 7 8 9 10; do make \(settings) \(shared) \(target) || exit 1; done",
            ]
            process.environment = ProcessInfo.processInfo.environment.merging(Project.environment) { $1 }
            process.currentDirectoryURL = folder.url
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            return process
        }
        for process in failures {
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
        // What the other one uses stays too, though its links be those of this one now.
        #expect(try project.make("gc", shared).status == 0)
        #expect(try other.steps(name, shared, "PIPELINES=\(name)").isEmpty)
        #expect(try project.steps("small", shared).isEmpty)
    }
}
