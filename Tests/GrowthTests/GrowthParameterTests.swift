import GrowthMath
import Networks
import Parameters
import Testing
@testable import Training

@testable import Growth

@Suite("The growth section of a pipeline and the parameters of its stages")
struct GrowthParameterTests {
    private func plan(_ yaml: String) throws -> GrowthPlan {
        try GrowthPlan(tree: Tree(yaml: yaml, file: "x.yaml"), file: "x.yaml", path: "growth")
    }

    @Test(
        "nothing given means the joint optimum, all widths between two layers, at most 8 neurons, 10,000 samples"
    )
    func defaults() throws {
        let plan = try plan("{}")
        #expect(plan.proposal.method == MethodParameters())
        #expect(plan.proposal.neurons == .most(8))
        #expect(plan.proposal.widths == .all && !plan.proposal.residualWidths)
        #expect(plan.measurement.samples == .count(10_000))
        #expect(plan.placement.signs == .best)
        #expect(plan.placement.amplitude == .method)
        #expect(plan == GrowthPlan())
    }

    @Test(
        "what was read and written reads back the same",
        arguments: [
            "{}", "method: {kind: net2net, noise: 0.5}", "method: {kind: tiny, taps: restricted}",
            "neurons: 12", "neurons: auto", "neurons: {most: 3}", "neurons: {fraction: 0.5}",
            "neurons: {target: [64, 32]}", "neurons: {auto: 9}", "samples: all", "samples: auto",
            "samples: 17", "change: deepen", "rounds: 2\nchange: [widen, deepen]",
            "rounds: 3\nchange: [shrink]",
            "amplitude: search", "amplitude: 0.25", "amplitude: method",
            "method: net2net\nrounds: 4\nwidths: best\nresidual-widths: true\nsigns: pair\nscaling: legacy\ncost: flops",
            "stop: {bottleneck: 0.1, gain: 0.01, parameters: 1000, flops: 5}\nkeep-statistics: true\nmethod: {kind: gradmax, scale: 0.5}",
        ])
    func roundTrip(yaml: String) throws {
        let plan = try plan(yaml)
        #expect(try GrowthPlan(tree: plan.tree, file: "again") == plan)
        let bottlenecks = plan.bottleneckParameters(round: 1, loss: LossParameters(), seed: 3)
        #expect(try BottleneckParameters(tree: bottlenecks.tree, file: "again") == bottlenecks)
        let growth = plan.growthParameters(round: 1, loss: LossParameters(), seed: 3)
        #expect(try GrowthParameters(tree: growth.tree, file: "again") == growth)
    }

    @Test(
        "a wrong value is an error that names the line, the key and what is allowed",
        arguments: [
            ("neurons: 0", "growth.neurons"), ("neurons: many", "growth.neurons"),
            ("neurons: {most: 0}", "most"),
            ("neurons: {target: []}", "target"), ("neurons: {fraction: -1}", "fraction"),
            ("neurons: {tagret: [3]}", "growth.neurons"), ("samples: 0", "growth.samples"),
            ("samples: some", "auto"),
            ("scale: 2", "growth.scale: belongs to the method"),
            ("method: {kind: random, ridge: 1}", "of kind tiny-joint"),
            ("refit: false", "method: {kind: tiny-joint, refit: false}"),
            ("amplitude: 0", "growth.amplitude"), ("amplitude: big", "search"), ("method: tinny", "tiny"),
            ("widths: none", "growth.widths"), ("stop: {bottlneck: 1}", "bottleneck"), ("round: 1", "rounds"),
            ("rank-threshold: .inf", "rank-threshold"),
            ("change: widne", "growth.change: 'widne' is not one of widen, deepen, shrink"),
            ("change: [widen, 3]", "growth.change"), ("change: []", "shrink, or a list of these"),
            (
                "{change: [widen, deepen], rounds: 3}",
                "growth.change: a list of 2 changes is not allowed; it must be one change for all rounds, or a list of "
                    + "one for each of the 3"
            ),
            (
                "{rounds: 2, change: [widen, shrink], neurons: {target: [9]}}",
                "growth.neurons: {target: …} for rounds that widen and rounds that shrink is not allowed"
            ),
        ])
    func refusals(yaml: String, mentioned: String) {
        #expect {
            try plan(yaml)
        } throws: { error in
            "\(error)".hasPrefix("x.yaml:1: ") && "\(error)".contains(mentioned)
        }
    }

    @Test("a branch that only trains may keep the list of another")
    func noRounds() throws {
        #expect(try plan("rounds: 0\nchange: [widen, deepen]").change.kinds == [.widen, .deepen])
    }

    @Test("parameters of the grow stage do not change what is measured, and the other way round")
    func separation() throws {
        let one = try plan("signs: best")
        let other = try plan("signs: pair\nstop: {gain: 0.1}")
        let loss = LossParameters()
        #expect(
            one.bottleneckParameters(round: 2, loss: loss, seed: 0).tree
                == other.bottleneckParameters(round: 2, loss: loss, seed: 0).tree)
        let measured = try plan("samples: all")
        #expect(
            one.growthParameters(round: 2, loss: loss, seed: 0).tree
                == measured.growthParameters(round: 2, loss: loss, seed: 0).tree)
    }

    @Test("every key is documented once")
    func documentation() {
        let keys = GrowthPlan.documentation.map(\.key)
        #expect(Set(keys).count == keys.count)
        for key in [
            "rounds", "method.kind", "method.ridge", "neurons", "samples", "signs", "amplitude",
            "stop.bottleneck",
        ] {
            #expect(keys.contains(key))
        }
        for field in GrowthPlan.documentation { #expect(!field.help.isEmpty && !field.allowed.isEmpty) }
    }

    @Test("targets are reached by the last round in equal steps, fractions follow the width")
    func requests() {
        var width = 8
        for round in 1...4 {
            width += NeuronPolicy.target([39]).request(width: width, round: round, rounds: 4)
        }
        #expect(width == 39)
        #expect(NeuronPolicy.target([5]).request(width: 8, round: 1, rounds: 4) == 0)
        #expect(NeuronPolicy.fraction(0.5).request(width: 7, round: 1, rounds: 1) == 4)
        #expect(NeuronPolicy.fraction(0.01).request(width: 7, round: 1, rounds: 1) == 1)
        #expect(NeuronPolicy.number(5).isStrict && !NeuronPolicy.most(5).isStrict)
    }
}
