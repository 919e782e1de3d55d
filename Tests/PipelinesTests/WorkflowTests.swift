import Parameters
import Testing

@testable import Pipelines

@Suite struct WorkflowTests {
    private func workflow(_ yaml: String) throws -> Workflow { try Laboratory(yaml).planner().workflow }

    private func step(_ id: String, _ workflow: Workflow) throws -> Step {
        try workflow.steps[workflow.index(of: id)]
    }

    private func inputs(_ step: Step, _ workflow: Workflow) -> [String: String] {
        var names: [String: String] = [:]
        for input in step.inputs {
            guard case .step(let index) = input.source else { continue }
            names[input.name] = workflow.steps[index].id
        }
        return names
    }

    @Test func `a chain is dataset, seed, rounds, evaluation`() throws {
        let workflow = try workflow(Laboratory.small)
        let chain = try #require(workflow.plans.first?.chains.first)
        #expect(
            chain.steps.map { workflow.steps[$0].name } == [
                "dataset", "seed", "bottlenecks-1", "grow-1", "tune-1", "bottlenecks-2", "grow-2", "tune-2",
                "evaluation",
            ])
        let grow = try step("small/tiny-joint-0/grow-2", workflow)
        #expect(
            inputs(grow, workflow) == [
                "bottlenecks": "small/tiny-joint-0/bottlenecks-2", "dataset": "small/tiny-joint-0/dataset",
                "network": "small/tiny-joint-0/tune-1",
            ])
        #expect(grow.parameters["round"]?.integer == 2)
        #expect(try step("small/tiny-joint-1/grow-2", workflow).parameters["seed"]?.integer == 1)
        let dataset = try step("small/tiny-joint-0/dataset", workflow)
        #expect(dataset.inputs.count >= 4)
        #expect(dataset.descriptor?.hasSuffix("data/digits.yaml") == true)
    }

    @Test func `each round is told its own change, and rounds before another one are shared`() throws {
        let workflow = try workflow(
            Laboratory.small.replacing(
                "random: {growth.method: random}", with: "deep: {growth.change: [widen, deepen]}"))
        for (branch, changes) in [("tiny-joint", ["widen", "widen"]), ("deep", ["widen", "deepen"])] {
            for (round, change) in changes.enumerated() {
                for stage in ["bottlenecks", "grow"] {
                    let step = try step("small/\(branch)-0/\(stage)-\(round + 1)", workflow)
                    #expect(step.parameters["change"]?.text == change)
                }
            }
        }
        #expect(try step("small/deep-0/tune-1", workflow).twin != nil)
        #expect(try step("small/deep-0/bottlenecks-2", workflow).twin == nil)
    }

    @Test func `chains stand in the order of the file, whatever needs what`() throws {
        let yaml = Laboratory.small.replacing(
            "  tiny-joint: {}",
            with: "  first: {network: final-of tiny-joint, growth.rounds: 0}\n  tiny-joint: {}")
        let chains = try workflow(yaml).plans[0].chains.map(\.name)
        #expect(
            chains == [
                "first-0", "first-1", "tiny-joint-0", "tiny-joint-1", "random-0", "random-1", "large-0",
                "large-1",
            ])
    }

    @Test func `equal beginnings are one work, also between pipelines`() throws {
        let laboratory = try Laboratory()
        try laboratory.write(Laboratory.small, pipeline: "twin")
        let workflow = try laboratory.planner().workflow
        func twin(_ id: String) throws -> String? {
            try step(id, workflow).twin.map { workflow.steps[$0].id }
        }
        #expect(try twin("small/tiny-joint-0/dataset") == nil)
        #expect(try twin("small/tiny-joint-1/dataset") == "small/tiny-joint-0/dataset")
        #expect(try twin("small/tiny-joint-1/seed") == nil)
        #expect(try twin("small/random-1/seed") == "small/tiny-joint-1/seed")
        #expect(try twin("small/random-1/bottlenecks-1") == nil)
        #expect(try twin("twin/random-1/tune-2") == "small/random-1/tune-2")
        #expect(workflow.steps.indices.allSatisfy { (workflow.steps[$0].twin ?? -1) < $0 })
    }

    @Test func `final takes the place of tune after the last round only`() throws {
        let workflow = try workflow(Laboratory.small + "\nfinal: {epochs: 7}")
        #expect(try step("small/random-0/tune-1", workflow).parameters["training.epochs"]?.integer == 2)
        #expect(try step("small/random-0/tune-2", workflow).parameters["training.epochs"]?.integer == 7)
    }

    @Test func `the last training takes place also where its round added nothing`() throws {
        let workflow = try workflow(Laboratory.small)
        #expect(try step("small/random-0/tune-1", workflow).parameters["round"]?.integer == 1)
        #expect(try step("small/random-0/tune-2", workflow).parameters["round"]?.integer == 0)
    }

    @Test func `final-of takes the architecture, and the epochs of the whole chain`() throws {
        let workflow = try workflow(Laboratory.small + "\nfinal: {epochs: 7}\nseed: {epochs: 3}")
        let seed = try step("small/large-1/seed", workflow)
        #expect(inputs(seed, workflow)["architecture"] == "small/tiny-joint-1/tune-2")
        #expect(seed.parameters["network"]?.isNull == true)
        #expect(seed.parameters["training.epochs"]?.integer == 3 + 2 + 7)
    }

    @Test func `a branch that sets its epochs keeps them`() throws {
        let yaml = Laboratory.small.replacing(
            "{growth.rounds: 0,", with: "{seed.epochs: 1, growth.rounds: 0,")
        let seed = try step("small/large-1/seed", workflow(yaml))
        #expect(seed.parameters["training.epochs"]?.integer == 1)
    }

    private static let oneTraining = """
        dataset: digits
        network: {widths: [4, 4]}
        training: {epochs: 9, batch: 50, schedule: {kind: wsd, warm-up: 1}}
        growth: {at: [3, 7]}
        branches:
          grown: {}
          large: {growth.at: [], network: final-of grown}
          equal: {growth.at: [], network: final-of grown, cost: flops-of grown}
          narrow: {growth.at: [], network.widths: [6, 6], cost: flops-of grown}
        seeds: [0, 1]
        """

    @Test func `growth cuts one training into pieces of one schedule`() throws {
        let workflow = try workflow(Self.oneTraining)
        let phases = try ["seed", "tune-1", "tune-2"].map {
            try step("small/grown-1/\($0)", workflow).parameters
        }
        #expect(phases.map { $0["training.epochs"]?.integer } == [3, 4, 2])
        #expect(phases.map { $0["training.schedule.begin"]?.integer } == [0, 3, 7])
        #expect(phases.allSatisfy { $0["training.schedule.length"]?.integer == 9 })
        #expect(phases.allSatisfy { $0["training.batch"]?.integer == 50 })
        // It goes on also where a round adds nothing.
        #expect(phases.dropFirst().allSatisfy { $0["round"]?.integer == 0 })
        let large = try step("small/large-1/seed", workflow).parameters
        #expect(large["training.epochs"]?.integer == 9 && large["training.schedule.length"]?.integer == 0)
    }

    @Test func `a control of equal cost reads the network whose cost it spends`() throws {
        let workflow = try workflow(Self.oneTraining)
        let equal = try step("small/equal-1/seed", workflow)
        #expect(inputs(equal, workflow)["budget"] == "small/grown-1/tune-2")
        #expect(inputs(equal, workflow)["architecture"] == "small/grown-1/tune-2")
        let narrow = try step("small/narrow-0/seed", workflow)
        #expect(inputs(narrow, workflow)["budget"] == "small/grown-0/tune-2")
        #expect(inputs(narrow, workflow)["architecture"] == nil)
        #expect(narrow.parameters["network.widths"] == Tree([6, 6]))
    }

    @Test func `an unknown step is answered with the nearest`() throws {
        let workflow = try workflow(Laboratory.small)
        let error = #expect(throws: PipelineError.self) { try workflow.index(of: "small/random-0/grow-11") }
        #expect(error?.description.contains("did you mean 'small/random-0/grow-1'") == true)
        #expect(error?.exitCode == 64)
    }
}
