import Foundation
import TestSupport
import Testing

/// What docs/pipelines.md promises, tried with make itself.
@Suite struct PromiseTests {
    let project: Project

    init() throws {
        project = try Project()
    }

    private let everyStep: Set = [
        "small/tiny-joint-0/dataset", "small/tiny-joint-0/seed", "small/tiny-joint-0/bottlenecks-1",
        "small/tiny-joint-0/grow-1", "small/tiny-joint-0/tune-1", "small/tiny-joint-0/evaluation",
        "small/random-0/dataset", "small/random-0/seed", "small/random-0/bottlenecks-1",
        "small/random-0/grow-1",
        "small/random-0/tune-1", "small/random-0/evaluation", "small/large-0/dataset", "small/large-0/seed",
        "small/large-0/evaluation",
    ]

    @Test func `1: a second make runs nothing, and has nothing to do`() throws {
        let first = try project.steps("all")
        #expect(Set(first) == everyStep)
        #expect(first.count == everyStep.count)
        let again = try project.make("all")
        #expect(Project.steps(in: again.output).isEmpty)
        #expect(!again.output.contains("[report]"))
        #expect(again.output.contains("| tiny-joint |"), "the table is printed again")
        #expect(try project.make("-q", "all").status == 0)
    }

    @Test func `1: having nothing to do takes less than 0.3 seconds`() throws {
        try project.steps("all")
        // The machine may be busy with other tests: the fastest of a few tries counts.
        var fastest = Duration.seconds(1000)
        for _ in 0..<20 where fastest >= .milliseconds(300) {
            fastest = min(fastest, try ContinuousClock().measure { _ = try project.make("all") })
        }
        #expect(fastest < .milliseconds(300))
    }

    @Test func `2: files that are touched or rewritten as they were run nothing`() throws {
        try project.steps("all")
        let before = try project.results()
        let files = try #require(FileManager.default.subpaths(atPath: project.artifacts))
        for file in files where !file.hasSuffix(".lock") {
            Project.setTime("\(project.artifacts)/\(file)", to: Int(time(nil)))
        }
        try project.write(Project.pipeline)
        #expect(try project.steps("all").isEmpty)
        try project.write(
            "# A comment.\n" + Project.pipeline.replacing("{epochs: 1}", with: "{  epochs: 1 }"))
        #expect(try project.steps("all").isEmpty)
        #expect(try project.make("-q", "all").status == 0)
        #expect(try project.results() == before)
    }

    @Test func `3: one changed parameter runs the steps that read it, and what differs behind them`() throws {
        try project.steps("all")
        try project.write(Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"))
        let ran = try project.steps("all")
        #expect(
            Set(ran) == [
                "small/tiny-joint-0/tune-1", "small/tiny-joint-0/evaluation", "small/random-0/tune-1",
                "small/random-0/evaluation", "small/large-0/seed", "small/large-0/evaluation",
            ])
        #expect(try project.make("-q", "all").status == 0)
    }

    @Test func `4: going back runs nothing`() throws {
        try project.steps("all")
        let before = try project.results()
        let table = try project.folder.text("artifacts/small/report/results.csv")
        try project.write(Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"))
        try project.steps("all")
        #expect(try project.results() != before)
        try project.write(Project.pipeline)
        #expect(try project.steps("all").isEmpty)
        #expect(try project.results() == before)
        #expect(
            accuracies(in: try project.folder.text("artifacts/small/report/results.csv"))
                == accuracies(in: table))
    }

    /// The table without its columns of seconds, which no run repeats.
    private func accuracies(in table: String) -> [[Substring]] {
        let rows = table.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let kept = rows.first?.indices.filter { !rows[0][$0].contains("seconds") } ?? []
        return rows.map { row in kept.filter(row.indices.contains).map { row[$0] } }
    }

    @Test func `4: going back before the results changed leaves the report alone`() throws {
        try project.steps("all")
        try project.write(Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"))
        try project.steps("small/random-0/tune-1")
        try project.write(Project.pipeline)
        let back = try project.make("all")
        #expect(back.status == 0 && !back.output.contains("["), "\(back.output)")
        #expect(try project.make("-q", "all").status == 0)
    }

    @Test func `5: an edit with an old time stamp is noticed`() throws {
        try project.steps("all")
        try project.write(Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"))
        Project.setTime(project.folder.path("pipelines/small.yaml"), to: 0)
        #expect(try project.steps("all").contains("small/random-0/tune-1"))
    }

    @Test func `5: a deleted link is made again`() throws {
        try project.steps("all")
        let before = try project.results()
        try FileManager.default.removeItem(atPath: project.link("random-0/grow-1"))
        #expect(try project.steps("all").isEmpty)
        #expect(try project.results() == before)
    }

    @Test func `5: a deleted object is computed again, and nothing that is known`() throws {
        try project.steps("all")
        let before = try project.results()
        try FileManager.default.removeItem(atPath: project.object("random-0/grow-1"))
        #expect(try project.steps("all").contains("small/random-0/grow-1"))
        #expect(try project.results() == before)
        #expect(try project.make("-q", "all").status == 0)
    }

    @Test func `5: a truncated object is computed again`() throws {
        try project.steps("all")
        let before = try project.results()
        let object = try project.object("random-0/grow-1")
        chmod(object, 0o644)
        #expect(truncate(object, 100) == 0)
        #expect(try project.steps("all").contains("small/random-0/grow-1"))
        #expect(try project.results() == before)
        #expect(try FileManager.default.attributesOfItem(atPath: object)[.size] as? Int != 100)
    }

    @Test func `5: a changed byte is noticed when the object is used, and the next make mends it`() throws {
        try project.steps("all")
        let before = try project.results()
        let object = try project.object("random-0/grow-1")
        chmod(object, 0o644)
        let file = try #require(FileHandle(forUpdatingAtPath: object))
        try file.seek(toOffset: 4000)
        try file.write(contentsOf: Data([0xFF, 0x00, 0xFF]))
        try file.close()
        try project.write(Project.pipeline.replacing("tune: {epochs: 1}", with: "tune: {epochs: 2}"))
        let broken = try project.make("--keep-going", "all")
        #expect(broken.status != 0)
        #expect(broken.error.contains("was changed after it was published"))
        #expect(broken.error.contains("make small/random-0/grow-1"), "the command that helps")
        try project.write(Project.pipeline)
        try project.steps("all")
        #expect(try project.results() == before)
    }

    @Test func `7: side by side, and two makes at once, every result is computed once`() throws {
        try project.steps("all")
        let reference = try project.results()
        try FileManager.default.removeItem(atPath: project.artifacts)
        let wrapper = try project.folder.write(
            """
            #!/bin/sh
            # Runs a stage, then notes what the last line of its log says it did.
            "$@" || exit
            case "$2" in --platform) exit ;; esac
            while [ "$1" != --output ]; do shift; done
            tail -n 1 "${2%.h5}.log" >> computed
            """, to: "wrapper")
        chmod(wrapper, 0o755)
        let settings = Project.settings + ["LAUNCH=./wrapper", "-j2", "small/steps"]
        let makes = try (0..<2).map { _ in
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["make"] + settings
            process.environment = ProcessInfo.processInfo.environment.merging(Project.environment) { $1 }
            process.currentDirectoryURL = project.folder.url
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            return process
        }
        for make in makes {
            make.waitUntilExit()
            #expect(make.terminationStatus == 0)
        }
        #expect(try project.results() == reference)
        let done = try project.folder.text("computed").split(separator: "\n").filter { $0.contains("done:") }
        #expect(Set(done).count == done.count)
        #expect(done.count <= everyStep.count - 3, "three steps are the work of others")
        #expect(try project.make("-q", "all").status != 0, "only the report is missing")
        #expect(try project.steps("-j2", "all").isEmpty)
    }

    @Test func `8: from nothing, the same results`() throws {
        try project.steps("all")
        let before = try project.results()
        try FileManager.default.removeItem(atPath: project.artifacts)
        #expect(Set(try project.steps("all", "THREADS=1")) == everyStep)
        #expect(try project.results() == before)
    }
}
