import Artifacts
import Files
import Foundation
import Parameters
import Testing

@testable import Pipelines

@Suite struct PlannerTests {
    @Test func `everything runs once, then nothing, and a second plan changes nothing`() throws {
        let laboratory = try Laboratory()
        let ran = try laboratory.make()
        #expect(ran.count == Set(ran).count)
        // The dataset, two seeds, two rounds of three steps in four chains, two large networks, six evaluations.
        #expect(ran.count == 1 + 2 + 4 * 6 + 2 + 6)
        #expect(try laboratory.make() == [])
        #expect(try laboratory.planner().writePlan().summary == PlanSummary())
    }

    @Test func `one changed parameter runs just the steps that read it, and those behind`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        try laboratory.write(Laboratory.small.replacing("tune: {epochs: 2}", with: "tune: {epochs: 3}"))
        #expect(
            try laboratory.reason("small/random-0/tune-1")
                == .changed([.parameter(path: "training.epochs", from: "2", to: "3")]))
        #expect(try laboratory.reason("small/random-0/grow-1") == nil)
        #expect(try laboratory.reason("small/random-0/evaluation") == .waits(["small/random-0/tune-1"]))
        let ran = try laboratory.make()
        #expect(
            !ran.contains {
                $0.hasSuffix("dataset") || $0.hasSuffix("grow-1") || $0.hasSuffix("joint-0/seed")
            })
        #expect(ran.contains("small/random-1/evaluation"))
        #expect(ran.contains("small/large-0/seed"))
    }

    @Test func `going back runs nothing, and the links are those of before`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        let before = try laboratory.object(of: "small/random-0/evaluation")
        try laboratory.write(Laboratory.small.replacing("epochs: 2", with: "epochs: 3"))
        try laboratory.make()
        #expect(try laboratory.object(of: "small/random-0/evaluation") != before)
        try laboratory.write(Laboratory.small)
        #expect(try laboratory.reason("small/random-0/evaluation") == .linkElsewhere)
        #expect(try laboratory.make() == [])
        #expect(try laboratory.object(of: "small/random-0/evaluation") == before)
    }

    @Test func `a change of code that alters no output stops there`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        laboratory.sources["grow"] = "refactored"
        #expect(
            try laboratory.reason("small/random-0/grow-1")
                == .changed([.source(from: "source", to: "refactored")]))
        let ran = try laboratory.make()
        #expect(Set(ran.map { $0.split(separator: "/")[2].prefix(5) }) == ["grow-"])
        #expect(ran.count == 8)
    }

    @Test func `a change of code that alters an output goes on to what needs it`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        laboratory.sources["grow"] = "better"
        laboratory.outcome["grow"] = "better"
        let ran = try laboratory.make()
        #expect(!ran.contains { $0.hasSuffix("bottlenecks-1") || $0.hasSuffix("random-0/seed") })
        #expect(ran.contains("small/random-0/evaluation"))
        #expect(ran.contains("small/large-0/seed"))
    }

    @Test func `a deleted link is made again without running anything`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        try FileManager.default.removeItem(atPath: laboratory.path("small/random-0/grow-1"))
        #expect(try laboratory.reason("small/random-0/grow-1") == .linkMissing)
        #expect(try laboratory.make() == [])
        #expect(try laboratory.reason("small/random-0/grow-1") == nil)
    }

    @Test func `a deleted object runs its step alone`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        let link = laboratory.path("small/random-0/grow-2")
        let digest = try laboratory.store.digest(ofLink: link)
        try FileManager.default.removeItem(atPath: laboratory.store.objectPath(digest))
        #expect(try laboratory.reason("small/random-0/grow-2") == .objectMissing(digest))
        #expect(try laboratory.make() == ["small/random-0/grow-2"])
    }

    @Test func `a truncated object is noticed`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        let object = try laboratory.object(of: "small/random-0/tune-1")
        let bytes = try OpenFile(reading: object).size
        #expect(truncate(object, 3) == 0)
        guard case .objectTruncated(_, 3, bytes) = try laboratory.reason("small/random-0/tune-1") else {
            Issue.record("the truncated object was not noticed")
            return
        }
        #expect(try laboratory.make() == ["small/random-0/tune-1"])
    }

    @Test func `make is told to run what must run, by rules that no time can make fresh`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        laboratory.sources["grow"] = "new"
        let planner = try laboratory.planner()
        let plan = try planner.writePlan()
        #expect(plan.summary.due == 4)
        let rules = planner.makeRules(plan, again: .nothing)
        for step in planner.workflow.steps {
            // Rounds behind the first growth wait for it; everything before it is a file that is there.
            let isFresh =
                ["dataset", "bottlenecks-1"].contains(step.name)
                || step.name == "seed" && step.branch != "large"
            #expect(rules.contains("\n.PHONY: $(A)/\(step.id).h5\n") != isFresh, "\(step.id)")
            #expect(rules.contains("\n$(A)/\(step.id).h5:") != isFresh, "\(step.id)")
        }
    }

    @Test(arguments: [Int.min, -5_000_000_000, 0, 1 << 33, 1 << 40, Int.max])
    func `no time of any file changes what is planned, nor stops the planner`(seconds: Int) throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        let artifacts = "\(laboratory.folder)/artifacts"
        for file in try #require(FileManager.default.subpaths(atPath: artifacts)) {
            setTime(of: "\(artifacts)/\(file)", to: seconds)
        }
        #expect(try laboratory.planner().writePlan().summary == PlanSummary())
        laboratory.sources["evaluate"] = "new"
        #expect(try laboratory.planner().writePlan().summary.due == 6)
    }

    @Test func `parameters that were damaged are written again, and nothing runs`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        let path = laboratory.path("small/random-0/tune-1", "json")
        try "{}".write(toFile: path, atomically: true, encoding: .utf8)
        let summary = try laboratory.planner().writePlan().summary
        #expect(summary == PlanSummary(due: 0, waiting: 0, relinked: 0, written: 1))
    }

    @Test func `a record that names another step's result runs its step`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        let planner = try laboratory.planner()
        let survey = try planner.survey()
        func record(_ step: String) throws -> RunRecord {
            try #require(try survey[planner.workflow.index(of: step)].record)
        }
        var forged = try record("small/random-0/grow-1")
        let right = forged.output
        let other = try record("small/tiny-joint-0/grow-1")
        forged.output = other.output
        forged.bytes = other.bytes
        try PlainFile.write(forged.canonicalJSON + "\n", to: laboratory.store.recordPath(forged.parts.key))
        let plan = try laboratory.planner().writePlan()
        let grown = try planner.workflow.index(of: "small/random-0/grow-1")
        #expect(plan.summary.due == 1 && plan.survey[grown].output == nil)
        #expect(try laboratory.store.digest(ofLink: laboratory.path("small/random-0/grow-1")) == right)
    }

    @Test(arguments: ["small", "small/random-0", "small/report"])
    func `nothing is written into a folder that a link leads to`(place: String) throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        let own = "\(laboratory.folder)/own"
        let path = "\(laboratory.folder)/artifacts/\(place)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: own)
        let error = #expect(throws: ArtifactError.self) { try laboratory.planner().writePlan() }
        #expect(error?.description.contains(place) == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: own).isEmpty)
    }

    @Test func `objects that somebody wrote to are named`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        #expect(try laboratory.planner().writePlan().changedObjects == [])
        let digest = try laboratory.store.digest(ofLink: laboratory.path("small/random-0/grow-1"))
        // Records of this laboratory do not say how objects looked; verifying notes it.
        #expect(try laboratory.store.verify().isIntact)
        setTime(of: laboratory.store.objectPath(digest), to: 0)
        #expect(try laboratory.planner().writePlan().changedObjects == [digest])
        #expect(try laboratory.store.verify().isIntact)
        #expect(try laboratory.planner().writePlan().changedObjects == [])
    }

    @Test func `a thousand fresh steps are planned quickly`() throws {
        let seeds = (0..<20).map(String.init).joined(separator: ", ")
        let laboratory = try Laboratory(
            Laboratory.small.replacing("rounds: 2", with: "rounds: 8").replacing("[0, 1]", with: "[\(seeds)]")
        )
        #expect(try laboratory.planner().workflow.steps.count > 1000)
        try laboratory.make()
        var summary: PlanSummary?
        let duration = try ContinuousClock().measure {
            summary = try laboratory.planner().writePlan().summary
        }
        #expect(summary == PlanSummary())
        // The goal is 50 ms in release; this bound only catches work that grows with the square of the steps.
        #expect(duration < .seconds(5), "\(duration)")
    }

    private func setTime(of path: String, to seconds: Int) {
        let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0)
    }
}
