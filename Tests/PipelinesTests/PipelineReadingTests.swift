import Foundation
import Growth
@testable import Networks
import Parameters
import Testing
import Training

@testable import Pipelines

@Suite struct PipelineReadingTests {
    private func read(_ yaml: String, file: String = "pipelines/x.yaml") throws -> Pipeline {
        try Pipeline(Document(yaml: yaml, file: file))
    }

    private let base = "dataset: digits\nnetwork: {widths: [4]}\n"

    @Test func `a branch is the experiment with its own changes`() throws {
        let pipeline = try read(
            base + """
                seed: {epochs: 3, optimizer: {rate: 0.5, momentum: 0.5}}
                tune: {epochs: 2, optimizer: {rate: 0.25}}
                final: {epochs: 9, momentum: {scale: 0.5}, shrink-perturb: {shrink: 0.4}}
                branches:
                  a: {}
                  b: {growth.method: gradmax, growth: {rounds: 7}}
                  c: {network: {widths: [5, 6]}, seed.epochs: 1}
                seeds: [3, 1]
                """)
        #expect(pipeline.name == "x")
        #expect(pipeline.seeds == [3, 1])
        #expect(pipeline.branches.map(\.name) == ["a", "b", "c"])
        let first = pipeline.branches[0].experiment
        #expect(first.tune.training.optimizer.rate == 0.25)
        #expect((first.tune.training.optimizer.rule as? SGD)?.momentum == 0.5)
        #expect(first.final.training.optimizer.rate == 0.25)
        #expect(first.final.training.epochs == 9)
        #expect(first.final.start.momentum == .scale(0.5) && first.tune.start.momentum == .keep)
        #expect(first.final.start.shrinkPerturb.shrink == 0.4 && first.tune.start.shrinkPerturb.shrink == 1)
        #expect(pipeline.branches[1].experiment.growth.rounds == 7)
        #expect(pipeline.branches[1].experiment.growth.proposal.method.kind == "gradmax")
        #expect(pipeline.branches.map(\.setsSeedEpochs) == [false, false, true])
        guard case .network(let network) = pipeline.branches[2].experiment.start else {
            Issue.record("branch c has no network of its own")
            return
        }
        #expect((network.family as? MLP)?.widths == [5, 6])
    }

    @Test func `another kind takes the fields of the kind before it away, and no others`() throws {
        let pipeline = try read(
            base + """
                seed: {optimizer: {kind: sgd, nesterov: true, rate: 0.5}, schedule: cosine}
                tune: {optimizer: adamw}
                final: {optimizer: {beta1: 0.5}, schedule: {kind: cosine, final-fraction: 0.25}}
                branches:
                  a: {}
                  b: {seed.optimizer.momentum: 0.25, tune.schedule: step}
                """)
        let (a, b) = (pipeline.branches[0].experiment, pipeline.branches[1].experiment)
        #expect(a.tune.training.optimizer.rule is AdamW && a.tune.training.optimizer.rate == 0.5)
        #expect((a.final.training.optimizer.rule as? AdamW)?.beta1 == 0.5)
        #expect((a.final.training.schedule.rule as? CosineDecay)?.finalFraction == 0.25)
        #expect((b.seed.optimizer.rule as? SGD)?.momentum == 0.25)
        #expect((b.seed.optimizer.rule as? SGD)?.nesterov == true)
        #expect(b.tune.training.schedule.rule is StepDecay)
    }

    @Test func `another form of neurons replaces the one before`() throws {
        let pipeline = try read(
            base + """
                growth: {neurons: {most: 4}}
                branches:
                  fraction: {growth.neurons: {fraction: 0.5}}
                  target: {growth: {neurons: {target: [9]}}}
                  same: {growth.method: random}
                """)
        #expect(
            pipeline.branches.map(\.experiment.growth.proposal.neurons) == [
                .fraction(0.5), .target([9]), .most(4),
            ])
    }

    @Test func `without branches there is one, with seed 0`() throws {
        let pipeline = try read(base)
        #expect(pipeline.branches.map(\.name) == ["main"])
        #expect(pipeline.seeds == [0])
    }

    @Test(arguments: [
        ("tune: {epoch: 3}", "pipelines/x.yaml:3: tune.epoch: unknown key; did you mean 'epochs'?"),
        ("tunes: {epochs: 3}", "pipelines/x.yaml:3: tunes: unknown key; did you mean 'tune'?"),
        ("tune: {epochs: many}", "pipelines/x.yaml:3: tune.epochs: 'many' is not an integer in 0…100000"),
        ("final: 3", "pipelines/x.yaml:3: final: 3 is not a map of keys and values"),
        ("growth: {method: tinny}", "pipelines/x.yaml:3: growth.method: 'tinny' is not one of"),
        ("growth: {method: {kind: tinny}}", "pipelines/x.yaml:3: growth.method.kind: 'tinny' is not one of"),
        ("growth: {change: widne}", "pipelines/x.yaml:3: growth.change: 'widne' is not one of"),
        ("seed: {optimizer: adamx}", "pipelines/x.yaml:3: seed.optimizer: 'adamx' is not one of sgd, adamw"),
        ("seed:\n  schedule: cosin", "pipelines/x.yaml:4: seed.schedule: 'cosin' is not one of"),
        ("loss: cross", "pipelines/x.yaml:3: loss: 'cross' is not one of"),
        (
            "tune: {optimizer: {kind: adamw}}\nfinal: {optimizer: adamx}",
            "pipelines/x.yaml:4: final.optimizer: 'adamx' is not one of"
        ),
        ("growth: {rounds: -1}", "pipelines/x.yaml:3: growth.rounds: -1 is not in 0…1000"),
        ("seeds: [0, 1, 0]", "pipelines/x.yaml:3: seeds: 0 twice is not allowed"),
        ("seeds: []", "pipelines/x.yaml:3: seeds"),
        ("seeds: [-1]", "pipelines/x.yaml:3: seeds[0]: -1 is not in"),
        ("branches: {}", "pipelines/x.yaml:3: branches: an empty map is not a map of names to changes"),
        ("branches:\n  a: {}\n  a: {}", "a: is given twice"),
        ("branches:\n  Tiny: {}", "pipelines/x.yaml:4: branches.Tiny: the name 'Tiny' is not allowed"),
        ("branches:\n  a/b: {}", "pipelines/x.yaml:4: branches.a/b: the name 'a/b' is not allowed"),
        ("branches:\n  a: 3", "pipelines/x.yaml:4: branches.a: 3 is not a map of changes"),
        (
            "branches:\n  a: {}\n  b: {growth.metod: tiny}",
            "pipelines/x.yaml:5: branches.b.growth.metod: unknown key; did you mean 'method'?"
        ),
        (
            "branches:\n  b: {grwth.method: tiny}",
            "pipelines/x.yaml:4: branches.b.grwth: unknown key; did you mean 'growth'?"
        ),
        ("branches:\n  b: {seeds: [1]}", "pipelines/x.yaml:4: branches.b.seeds: unknown key"),
        (
            "branches:\n  b:\n    growth.method: tiny\n    growth: {method: random}",
            "pipelines/x.yaml:6: branches.b.growth.method: is given twice (first in line 5)"
        ),
        (
            "branches:\n  b:\n    growth.rounds: 1\n    growth.method: tinny",
            "pipelines/x.yaml:6: branches.b.growth.method: 'tinny' is not one of"
        ),
        (
            "branches:\n  tiny: {}\n  b: {network: final-of tinny}",
            "pipelines/x.yaml:5: branches.b.network: 'tinny' is not one of tiny, b; did you mean 'tiny'?"
        ),
        (
            "branches:\n  a: {network: final-of b}\n  b: {network: final-of a}",
            "pipelines/x.yaml:4: branches.a.network: final-of in a circle (a -> b -> a) is not allowed"
        ),
        ("branches:\n  a: {network: final-of a}", "final-of in a circle (a -> a)"),
        (
            "branches:\n  a: {growth.rounds: 0, cost: flops-of c}",
            "pipelines/x.yaml:4: branches.a.cost: 'c' is not one of a"
        ),
        (
            "branches:\n  a: {growth.rounds: 0, cost: flops-of b}\n  b: {growth.rounds: 0}",
            "pipelines/x.yaml:4: branches.a.cost: the cost of b, which grows nothing, is not allowed"
        ),
        (
            "branches:\n  a: {growth.rounds: 0, cost: flops-of b}\n  b: {growth.rounds: 0, network: final-of a}",
            "branches.a.cost: final-of in a circle (a -> b -> a) is not allowed"
        ),
        ("branches:\n  a: {}\n  b: {cost: flops-of a}", "branches.b.cost: flops-of a in a branch that grows"),
        ("branches:\n  b: {cost: 3}", "pipelines/x.yaml:4: branches.b.cost: 3 is not"),
        ("growth: {at: [2]}", "pipelines/x.yaml:3: growth.at: [2] without `training:` is not allowed"),
        ("training: {epochs: 4}\ntune: {epochs: 2}", "pipelines/x.yaml:4: tune: a phase beside `training:`"),
        ("training: {epochs: 4}\ngrowth: {rounds: 2}", "pipelines/x.yaml:4: growth.rounds: a number beside"),
        ("training: {epochs: 4}\ngrowth: {at: [4]}", "pipelines/x.yaml:4: growth.at: [4] is not allowed"),
        ("training: {epochs: 4}\ngrowth: {at: [2, 2]}", "it must be epochs inside the training, 1...3"),
        (
            "training: {epochs: 4}\ngrowth: {at: [3, 2]}",
            "pipelines/x.yaml:4: growth.at: [3, 2] is not allowed"
        ),
        (
            "training: {epochs: 4, schedule: {warm-up: 5}}",
            "pipelines/x.yaml:3: training.schedule.warm-up: 5.0 of 4 epochs is not allowed"
        ),
        (
            "seed: {epochs: 4, schedule: {begin: 3, length: 6}}",
            "pipelines/x.yaml:3: seed.schedule.length: 6 is not allowed; it must be at least begin + epochs, 7"
        ),
        ("branches:\n  a: {network: wide}", "pipelines/x.yaml:4: branches.a.network: 'wide' is not allowed"),
    ])
    func `messages name the line, the key and what is allowed`(yaml: String, message: String) {
        let error = #expect(throws: ParameterError.self) { try read(base + yaml) }
        #expect(error?.description.contains(message) == true, "\(error.map(\.description) ?? "")")
        #expect(error?.exitCode == 65)
    }

    @Test func `everything wrong in a pipeline is told at once, what branches inherit once`() throws {
        let error = #expect(throws: ParameterError.self) {
            try read(
                """
                dataset: digits
                network: {kind: resnet, depth: 17, widht: 3, inner: [1]}
                seed: {epochs: 007, optimizer: {rate: fast}}
                tune: {epoch: 3}
                growth: {rounds: -1, neurons: {most: 0}}
                branches:
                  a: {growth.method: tinny}
                  B: {}
                  c: {seed.batch: 0, growht.rounds: 1}
                  d: {network: final-of nobody}
                seeds: [1, 1, -2]
                """)
        }
        #expect(
            error?.messages.map { String($0.dropFirst("pipelines/x.yaml:".count).prefix { $0 != " " }) }
                == ["2:", "2:", "3:", "3:", "4:", "5:", "5:", "7:", "8:", "9:", "9:", "10:", "11:"])
    }

    @Test func `a branch's wrong section is told beside others`() throws {
        let error = #expect(throws: ParameterError.self) {
            try read(base + "branches:\n  a: {tune: 3}\n  b: {network: {kind: cnn, wdth: 3}}\n  c: [1]")
        }
        #expect(
            error?.messages.map { String($0.dropFirst("pipelines/x.yaml:".count).prefix(20)) } == [
                "4: branches.a.tune: ", "5: branches.b.networ", "5: branches.b.networ",
                "6: branches.c: a lis",
            ])
    }

    @Test func `long ways through branches and long paths take no time and no stack`() throws {
        func chain(_ count: Int) -> String {
            let links = (1...count).map { "  b\($0): {network: final-of b\($0 - 1)}\n" }.joined()
            return base + "branches:\n  b0: {}\n" + links
        }
        #expect(try read(chain(15)).branches.count == 16)
        let error = #expect(throws: ParameterError.self) { try read(chain(2000)) }
        #expect(
            error?.description.contains("final-of so long a way (b16 -> b15") == true
        )
        let path = Array(repeating: "a", count: 100_000).joined(separator: ".")
        #expect(throws: ParameterError.self) { try read(base + "branches:\n  b:\n    ? \(path)\n    : 1") }
    }

    @Test(arguments: [
        "all.yaml", "store.yaml", "fields.yaml", "interop.yaml", "Big.yaml", "x.yml", "a b.yaml", "-x.yaml",
        "9.yaml",
    ])
    func `a file whose name make could not take is refused`(file: String) {
        #expect(throws: PipelineError.self) { try read(base, file: "pipelines/\(file)") }
    }

    @Test func `a dataset without a descriptor is named`() throws {
        let laboratory = try Laboratory(Laboratory.small.replacing("digits", with: "digitz"))
        let error = #expect(throws: ParameterError.self) { try laboratory.planner() }
        #expect(
            error?.description.contains("'digitz' is not one of digits; did you mean 'digits'?") == true)
    }

    @Test func `another family of networks replaces the one before, the same one is merged with it`() throws {
        let pipeline = try read(
            base + """
                branches:
                  same: {network: {kind: mlp, activation: tanh}}
                  other: {network: {kind: vgg, stages: [[2]]}}
                  dotted: {network.kind: resnet, network.depth: 8}
                """)
        let families = pipeline.branches.compactMap { branch -> (any NetworkFamily)? in
            guard case .network(let network) = branch.experiment.start else { return nil }
            return network.family
        }
        #expect(families[0] as? MLP == MLP(widths: [4], activation: .tanh))
        #expect(families[1] as? VGG == VGG(stages: [[2]]))
        #expect(families[2] as? ResNet == ResNet(depth: 8))
    }

    @Test(arguments: ["more.yml", "more.YAML", "more.Yml"])
    func `a file that would be passed over is named`(file: String) throws {
        let laboratory = try Laboratory()
        try Laboratory.small.write(
            toFile: "\(laboratory.folder)/pipelines/\(file)", atomically: true, encoding: .utf8)
        let error = #expect(throws: PipelineError.self) { try laboratory.planner() }
        #expect(error?.description.contains("\(file): a pipeline's name ends with .yaml") == true)
        #expect(error?.exitCode == 65)
    }

    @Test func `errors of several files are told together`() throws {
        let laboratory = try Laboratory()
        try laboratory.write("dataset: [", pipeline: "b")
        try laboratory.write("nothing: here", pipeline: "c")
        let error = #expect(throws: PipelineError.self) { try laboratory.planner() }
        #expect(error?.description.contains("b.yaml") == true)
        #expect(error?.description.contains("c.yaml") == true)
        #expect(error?.exitCode == 65)
    }
}
