import Artifacts
import Files
import Foundation
import Networks
import Testing

@testable import Reports

@Suite("Results of a pipeline")
struct ResultsTests {
    private func results(
        _ chains: [SmallChain], in folder: ArtifactsFolder, description: String = ""
    ) throws -> PipelineResults {
        for chain in chains { try chain.publish(in: folder) }
        let plan = ReportPlan(pipeline: "digits", description: description, chains: chains.map(\.planned))
        return try PipelineResults(reading: plan, in: folder.store)
    }

    @Test("A chain's numbers come from its evaluation, its final network and its records")
    func oneChain() throws {
        let folder = try ArtifactsFolder()
        let chain = try #require(try results([SmallChain(correct: 81)], in: folder).chains.first)
        #expect(chain.accuracy == 0.81)
        #expect(chain.loss == 0.625)
        #expect(chain.widths == NetworkWidths(free: [4, 2]))
        #expect(chain.parameters == 4 * 5 + 2 * 5 + 2 * 3)
        #expect(chain.cost.total == 5230)
        #expect(chain.growth.map(\.neurons) == [1])
        #expect(chain.run.totalSeconds == 63)
        #expect(chain.run.seconds[.bottlenecks] == 4)
        #expect(chain.run.idleRounds == 0)
    }

    @Test("A round that added nothing counts its seconds, and is told")
    func idleRound() throws {
        let folder = try ArtifactsFolder()
        let found = try results([SmallChain(neurons: 0)], in: folder)
        #expect(found.chains.first?.run.totalSeconds == 63)
        #expect(found.chains.first?.run.idleRounds == 1)
        #expect(found.findings == ["tiny-joint: 1 round of growth added nothing (over 1 seed)."])
        #expect(found.growthTable == nil)
    }

    @Test("Steps with different numbers of threads are compared by thread-seconds")
    func threadSeconds() throws {
        let folder = try ArtifactsFolder()
        try SmallChain().publish(in: folder)
        var record = try #require(
            try folder.store.records().values.first { $0.parts.stage == "fine-tune" })
        record.measurements.threads = 3
        try PlainFile.write(record.canonicalJSON + "\n", to: folder.store.recordPath(record.parts.key))
        let plan = ReportPlan(pipeline: "digits", chains: [SmallChain().planned])
        let found = try PipelineResults(reading: plan, in: folder.store)
        #expect(found.chains.first?.run.totalSeconds == 63)
        #expect(found.chains.first?.run.threadSeconds == 95)
        #expect(found.summary.columns.map(\.title)[4] == "thread-seconds")
        #expect(found.summary.rows.first?[4] == "95.0")
        #expect(found.csv.contains(",seconds,thread_seconds,") && found.csv.contains(",63,95,"))
    }

    @Test("Without a record the seconds are unknown, not zero")
    func missingRecord() throws {
        let folder = try ArtifactsFolder()
        try SmallChain().publish(in: folder)
        let digest = try folder.store.digest(ofLink: folder.path + "/digits/tiny-joint-0/grow-1.h5")
        let record = try #require(try folder.store.records().first { $0.value.output == digest })
        try FileManager.default.removeItem(atPath: folder.store.recordPath(record.key))
        let plan = ReportPlan(pipeline: "digits", chains: [SmallChain().planned])
        let found = try PipelineResults(reading: plan, in: folder.store)
        #expect(found.chains.first?.run.totalSeconds == nil)
        #expect(found.summary.rows.first?[4] == Format.absent)
        #expect(found.markdown.contains("seconds of 1 step;"))
    }

    @Test("The table shows mean and sample standard deviation with n, and ranges where seeds differ")
    func summary() throws {
        let folder = try ArtifactsFolder()
        let found = try results(
            [
                SmallChain(seed: 0, correct: 80), SmallChain(seed: 1, correct: 84, neurons: 2),
                SmallChain(branch: "random", correct: 70),
            ], in: folder)
        #expect(
            found.summary.rows == [
                ["tiny-joint", "4–5, 2", "36–43", "5.23 k", "63.0", "82.00 ± 2.83 % (n = 2)"],
                ["random", "4, 2", "36", "5.23 k", "63.0", "70.00 % (n = 1)"],
            ])
        let growth = try #require(found.growthTable)
        #expect(
            growth.rows.first
                == ["tiny-joint", "1", "hidden1", "widen", "2", "1.5", "0.5", "0.375", "0.25", "0.25", ""])
    }

    @Test("Branches are compared with the first, seed by seed, with the interval of the mean difference")
    func differences() throws {
        let folder = try ArtifactsFolder()
        let found = try results(
            [
                SmallChain(seed: 0, correct: 80), SmallChain(seed: 1, correct: 82),
                SmallChain(branch: "random", seed: 0, correct: 79),
                SmallChain(branch: "random", seed: 1, correct: 79),
                SmallChain(branch: "other", seed: 1, correct: 85),
            ], in: folder)
        let rows = try #require(found.differences?.rows)
        // Differences -1 and -3: mean -2, standard deviation √2, t(1) = 12.706.
        #expect(rows[0].prefix(3) == ["random", "1 x", "1 x"])
        #expect(rows[0].suffix(2) == ["−2.00 ± 12.71", "0 of 2"])
        #expect(rows[1].suffix(2) == ["+3.00", "1 of 1"])
        #expect(try results([SmallChain()], in: ArtifactsFolder()).differences == nil)
    }

    @Test("The report names every branch, its growth and the experiment")
    func markdown() throws {
        let folder = try ArtifactsFolder()
        let text = try results(
            [SmallChain(), SmallChain(branch: "gradmax", correct: 90)], in: folder,
            description: "Eight by eight."
        ).markdown
        #expect(text.hasPrefix("# Results of digits\n\nEight by eight.\n\n| branch "))
        #expect(text.contains("## Differences\n\n| against tiny-joint "))
        #expect(text.contains("## Growth"))
    }

    @Test(
        "Kept results are compared by bytes on their platform, within tolerances on another, chain by chain")
    func kept() throws {
        func text(_ rows: [String]) -> String {
            ([
                "branch,seed,parameters,training_flops,epochs,test_accuracy,validation_accuracy,network_sha256,"
                    + "evaluation_sha256,platform"
            ] + rows).joined(separator: "\n")
        }
        let kept = text(["a,0,100,1000,3,0.9,0.91,n,e,P"])
        func problems(_ row: String) -> [String] { ResultsCheck(found: text([row]), kept: kept).problems }
        #expect(problems("a,0,100,1000,3,0.9,0.91,n,e,P").isEmpty)
        #expect(problems("a,0,100,1000,3,0.9,0.91,m,e,P") == ["a-0: network_sha256 is m, was n"])
        #expect(problems("a,0,105,1050,3,0.895,0.905,m,f,Q").isEmpty)
        #expect(
            problems("a,0,120,1050,4,0.88,,m,f,Q") == [
                "a-0: parameters is 120, was 100", "a-0: epochs is 4, was 3",
                "a-0: test_accuracy is 0.88, was 0.9",
                "a-0: validation_accuracy is , was 0.91",
            ])
        #expect(problems("b,0,100,1000,3,0.9,0.91,n,e,P") == ["a-0: was not run"])
    }

    @Test("The numbers are one row per branch and seed, with every digit")
    func csv() throws {
        let folder = try ArtifactsFolder()
        let lines = try results([SmallChain(seed: 0), SmallChain(seed: 1, widths: [3])], in: folder).csv
            .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.count == lines[0].count })
        let row = Dictionary(uniqueKeysWithValues: zip(lines[0], lines[2]).map { (String($0), String($1)) })
        #expect(row["branch"] == "tiny-joint" && row["seed"] == "1")
        #expect(row["test_accuracy"] == "0.8" && row["training_flops_tune"] == "4000")
        #expect(row["seconds"] == "63" && row["seconds_grow"] == "8")
        #expect(row["width_1"] == "4" && row["width_2"] == "")
        #expect(row["validation_loss"] == "")
    }

    @Test("Files that say the same stay")
    func writing() throws {
        let folder = try ArtifactsFolder()
        let found = try results([SmallChain()], in: folder)
        let csv = folder.path + "/digits/report/results.csv"
        let markdown = try found.write(to: csv)
        #expect(markdown == folder.path + "/digits/report/results.md")
        func number(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        }
        let before = try [csv, markdown].map(number)
        try found.write(to: csv)
        #expect(try [csv, markdown].map(number) == before)
        #expect(try String(contentsOfFile: csv, encoding: .utf8) == found.csv)
    }
}

@Suite("What is to be reported")
struct ReportPlanTests {
    @Test("The planner's file is read with its chains in order")
    func reading() throws {
        let folder = try ArtifactsFolder()
        let file = folder.path + "/report.json"
        let json = """
            {"pipeline":"digits","description":"d","source":"ab","chains":[
              {"branch":"b","seed":1,"steps":["dataset","seed","evaluation"]},
              {"branch":"a","seed":0,"steps":["dataset","seed","evaluation"]}]}
            """
        try PlainFile.write(json, to: file)
        let plan = try ReportPlan(reading: file)
        #expect(plan.chains.map(\.name) == ["b-1", "a-0"])
        #expect(plan.branches == ["b", "a"])
    }

    @Test(
        "A file that is no such plan is refused",
        arguments: [
            #"{"pipeline":"digits"}"#, #"{"pipeline":"digits","chains":[]}"#, #"{"chains":[1]}"#,
            #"{"pipeline":"d","chains":[{"branch":"a","seed":0,"steps":["seed"]}]}"#,
            #"{"pipeline":"d","chains":[{"branch":"a","seed":-1,"steps":["evaluation"]}]}"#,
            #"{"pipeline":"d","chains":[{"branch":"a","seed":0,"steps":["evaluation",1]}]}"#,
            #"{"pipeline":"d","extra":1,"chains":[{"branch":"a","seed":0,"steps":["evaluation"]}]}"#,
        ])
    func refusing(json: String) throws {
        let folder = try ArtifactsFolder()
        try PlainFile.write(json, to: folder.path + "/report.json")
        #expect(throws: (any Error).self) { try ReportPlan(reading: folder.path + "/report.json") }
    }

    @Test("Without the planner's file, the folder's chains are found, their steps in the order of the work")
    func discovering() throws {
        let folder = try ArtifactsFolder()
        try SmallChain(seed: 10).publish(in: folder)
        try SmallChain(seed: 2).publish(in: folder)
        let plan = try ReportPlan(discovering: "digits", in: folder.path)
        #expect(plan.chains.map(\.name) == ["tiny-joint-2", "tiny-joint-10"])
        #expect(plan.chains.first?.steps == SmallChain.steps)
        #expect(throws: ReportError.nothingEvaluated(pipeline: "other", artifacts: folder.path)) {
            try ReportPlan(discovering: "other", in: folder.path)
        }
    }

    @Test("A chain without an evaluation names the make target that computes it")
    func notEvaluated() throws {
        let folder = try ArtifactsFolder()
        let plan = ReportPlan(pipeline: "digits", chains: [SmallChain().planned])
        #expect(throws: ReportError.notEvaluated(step: "digits/tiny-joint-0/evaluation")) {
            try PipelineResults(reading: plan, in: folder.store)
        }
    }

    @Test("Steps of many rounds are in the order of the work")
    func stepOrder() {
        let steps = [
            "evaluation", "tune-10", "grow-2", "bottlenecks-2", "tune-2", "seed", "tune-1", "dataset",
        ]
        #expect(
            steps.sorted(by: StepKind.precedes)
                == [
                    "dataset", "seed", "tune-1", "bottlenecks-2", "grow-2", "tune-2", "tune-10", "evaluation",
                ])
    }
}
