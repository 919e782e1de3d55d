import Foundation
import Testing

@testable import Pipelines

@Suite struct OutputTests {
    @Test func `the rules name every input, the parameters, and the first step of shared work`() throws {
        let fragment = try Laboratory().planner().makeFragment
        #expect(fragment.contains("PLANNED := small\n"))
        #expect(
            fragment.contains(
                "\n$(A)/small/random-0/seed.h5: $(A)/small/random-0/dataset.h5 $(A)/small/random-0/seed.json"
                    + " | $(A)/small/tiny-joint-0/seed.h5\n\t$(call run-twin,train-seed,small/random-0/seed,"
                    + "--dataset $(A)/small/random-0/dataset.h5)\n"))
        #expect(fragment.contains("--architecture $(A)/small/tiny-joint-0/tune-2.h5"))
        #expect(
            fragment.contains(
                "\n.PHONY: small small/steps\nsmall: $(A)/small/report/results.csv\n\t$(call show-report,small)\n"
            ))
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

    @Test func `every field of a pipeline is documented`() {
        let text = FieldTable.text
        for key in [
            "dataset", "validation-seed", "widths", "label-smoothing", "optimizer.rate", "method",
            "reset-optimizer",
        ] {
            #expect(text.contains("  \(key) "), "\(key)")
        }
    }
}
