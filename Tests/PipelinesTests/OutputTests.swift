import Artifacts
import Foundation
import Parameters
import TestSupport
import Testing

@testable import Pipelines

@Suite struct OutputTests {
    private func rules(_ laboratory: Laboratory, again: Again = .nothing) throws -> String {
        let planner = try laboratory.lenientPlanner()
        return try planner.makeRules(planner.writePlan(), again: again)
    }

    @Test func `the rules name every input, and the first step of shared work`() throws {
        let rules = try rules(Laboratory())
        #expect(
            rules.contains(
                "\n.PHONY: $(A)/small/random-0/seed.h5\n$(A)/small/random-0/seed.h5: $(A)/small/random-0/dataset.h5"
                    + " | $(A)/small/tiny-joint-0/seed.h5\n\t$(call run-step,train-seed,small/random-0/seed,"
                    + "--dataset $(A)/small/random-0/dataset.h5,)\n"))
        #expect(rules.contains("--architecture $(A)/small/tiny-joint-0/tune-2.h5"))
        #expect(
            rules.contains(
                "\n.PHONY: small small/steps\nsmall: $(A)/small/report/results.csv\n\t$(call show-report,small)\n"
            ))
        #expect(!rules.contains(";"), "the Makefile puts semicolons for the ends of lines")
    }

    @Test func `a step, or every one, can be told to run again; shared work once`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        func runs(_ again: Again) throws -> Int {
            try rules(laboratory, again: again).components(separatedBy: "$(call run-step,").count - 1
        }
        func compares(_ again: Again) throws -> Int {
            try rules(laboratory, again: again).components(separatedBy: ",--rerun)\n").count - 1
        }
        let workflow = try laboratory.planner().workflow
        let twin = try workflow.index(of: "small/random-0/seed")
        #expect(try runs(.nothing) == 0)
        #expect(try runs(.step(twin)) == 1 && compares(.step(twin)) == 1)
        #expect(try runs(.all) == workflow.steps.count)
        #expect(try compares(.all) == workflow.steps.count { $0.twin == nil })
    }

    @Test(arguments: [
        ("draft", "dataset: ["), ("draft", "dataset: digitz"), ("draft", "dataset: digits\nnothing: here"),
        ("draft", "dataset: digits\nnetwork: {kind: vgg, stages: [[1], [1], [1], [1]]}\n"),
        ("All", "dataset: digits"),
    ])
    func `a draft that cannot be made stops nothing but itself`(name: String, yaml: String) throws {
        let laboratory = try Laboratory()
        let before = try rules(laboratory)
        try laboratory.write(yaml, pipeline: name)
        let planner = try laboratory.lenientPlanner()
        #expect(planner.workflow.broken.map(\.name) == [name == "draft" ? name : nil])
        #expect(throws: (any Error).self) { try planner.workflow.checkAll() }
        let after = try rules(laboratory)
        let rest = { (text: String) in text.range(of: "\n.PHONY: small").map { text[$0.lowerBound...] } }
        #expect(rest(after) == rest(before))
        guard name == "draft" else { return }
        #expect(after.contains("\ndraft/%:\n\t$(call run-broken,draft)\n"))
        for step in ["draft", "draft/tiny-0/seed"] {
            #expect(throws: (any Error).self) { try planner.workflow.check(step) }
        }
        #expect(throws: (any Error).self) { try Listing(planner).text(of: ["draft"]) }
        #expect(try !Listing(planner).text(of: ["small"]).isEmpty)
        try planner.workflow.check("small/random-0/seed")
    }

    @Test(arguments: ["pipe", "folder", "link to nowhere"])
    func `a pipeline or descriptor that is no file is named, and hangs nobody`(kind: String) throws {
        for place in ["pipelines/odd.yaml", "data/odd.yaml"] {
            let laboratory = try Laboratory()
            let path = "\(laboratory.folder)/\(place)"
            switch kind {
            case "pipe": try #require(mkfifo(path, 0o644) == 0)
            case "folder":
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            default: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nowhere")
            }
            if place.hasPrefix("data") {
                try laboratory.write("dataset: odd\nnetwork: {widths: [2]}", pipeline: "odd")
            }
            let broken = try laboratory.lenientPlanner().workflow.broken
            #expect(broken.map(\.name) == ["odd"])
            #expect(broken.first.map { "\($0.error)" }?.contains("odd") == true)
        }
    }

    @Test func `the list tells what must run and why`() throws {
        let laboratory = try Laboratory()
        #expect(try Listing(laboratory.planner()).text().contains("dataset: it never ran"))
        try laboratory.make()
        #expect(try Listing(laboratory.planner()).text().contains("all fresh"))
        laboratory.sources["evaluate"] = "new source"
        #expect(
            try Listing(laboratory.planner()).text().contains("evaluation: the source code changed"))
        #expect(try Listing(laboratory.planner()).text(of: ["small"]).contains("tune-2 evaluation*"))
        #expect(throws: PipelineError.self) { try Listing(laboratory.planner()).text(of: ["smal"]) }
    }

    @Test func `an explanation names what changed and what will run`() throws {
        let laboratory = try Laboratory()
        try laboratory.make()
        try laboratory.write(Laboratory.small.replacing("tune: {epochs: 2}", with: "tune: {epochs: 3}"))
        func explanation(_ step: String) throws -> String {
            try Explanation(laboratory.planner(), step: step).text
        }
        let changed = try explanation("small/random-0/tune-1")
        #expect(changed.contains("due: training.epochs changed from 2 to 3"))
        #expect(changed.contains("differs in  training.epochs changed from 2 to 3"))
        #expect(changed.contains("it will run"))
        #expect(try explanation("small/random-0/evaluation").contains("small/random-0/tune-1 will run first"))
        let fresh = try explanation("small/random-1/grow-1")
        #expect(fresh.contains("\n  fresh\n"))
        #expect(fresh.contains("differs in  nothing"))
    }

    @Test func `the graph draws shared work once`() throws {
        let dot = try Graph(Laboratory().planner()).dot
        #expect(dot.hasPrefix("digraph"))
        #expect(dot.components(separatedBy: "label=\"dataset\\n").count == 1 + 1)
        #expect(dot.components(separatedBy: "label=\"seed\\n").count == 1 + 4)
    }

    @Test func `the graph of one pipeline has all its work, also what another one does first`() throws {
        let laboratory = try Laboratory()
        try laboratory.write(Laboratory.small, pipeline: "other")
        let dot = try Graph(laboratory.planner(), of: ["small"]).dot
        #expect(try dot == Graph(laboratory.planner(), of: ["small"]).dot)
        #expect(dot.contains("cluster_small") && !dot.contains("cluster_other"))
        #expect(dot.components(separatedBy: "label=\"seed\\n").count == 1 + 4)
        #expect(throws: PipelineError.self) { try Graph(laboratory.planner(), of: ["smal"]) }
    }

    @Test func `make clean knows the files of every kind of step`() throws {
        let makefile = try String(
            contentsOf: Program.packageFolder.appending(path: "Makefile"), encoding: .utf8)
        let line = try #require(makefile.split(separator: "\n").first { $0.hasPrefix("STEP_FILE := ") })
        let pattern = try Regex(String(line.dropFirst("STEP_FILE := ".count)))
        for kind in StepKind.allCases {
            #expect("tiny-0/\(kind.name(round: 12))".wholeMatch(of: pattern) != nil, "\(kind)")
        }
    }

    @Test func `every field of a pipeline is documented`() {
        let text = FieldTable.text
        for key in [
            "dataset", "validation-seed", "widths", "label-smoothing", "optimizer.rate", "method.kind",
            "momentum", "shrink-perturb.noise", "average.decay", "weights",
        ] {
            #expect(text.contains("  \(key) "), "\(key)")
        }
    }
}
