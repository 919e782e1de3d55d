import Foundation
import TestSupport
import Testing

/// Every stage with the options it cannot do without.
private let required = [
    "load-dataset": ["descriptor", "output"],
    "train-seed": ["dataset", "output"],
    "compute-bottlenecks": ["dataset", "network", "output"],
    "grow": ["dataset", "network", "bottlenecks", "output"],
    "fine-tune": ["dataset", "network", "output"],
    "evaluate": ["dataset", "network", "output"],
]
private let stages = required.keys.sorted()

@Suite("Command lines")
struct CommandLineTests {
    @Test("--help explains a stage, with examples and every parameter", arguments: stages)
    func help(stage: String) throws {
        let result = try Program.run(stage, ["--help"])
        #expect(result.status == 0)
        #expect(result.output.contains("USAGE: \(stage)"))
        #expect(result.output.contains("EXAMPLES:\n  \(stage) --"))
        #expect(result.output.contains("PARAMETERS"))
        #expect(result.output.contains("(default "))
    }

    @Test("an unknown option is a usage error", arguments: stages)
    func unknownOption(stage: String) throws {
        let options = try #require(required[stage]).flatMap { ["--\($0)", "x"] }
        let result = try Program.run(stage, options + ["--colour", "red"])
        #expect(result.status == 64)
        #expect(result.error.contains("--colour"))
    }

    @Test("a missing option is a usage error that names it", arguments: stages)
    func missingOption(stage: String) throws {
        let options = try #require(required[stage])
        for missing in options {
            let given = options.filter { $0 != missing }.flatMap { ["--\($0)", "x"] }
            let result = try Program.run(stage, given)
            #expect(result.status == 64)
            #expect(result.error.contains("--\(missing)"))
        }
    }

    @Test("numbers of threads out of range are a usage error", arguments: ["0", "-1", "5000", "many"])
    func threads(count: String) throws {
        let result = try Program.run(
            "evaluate", ["--dataset", "a", "--network", "b", "--output", "c", "--threads=\(count)"])
        #expect(result.status == 64)
    }

    @Test("a setting that is no path=value is a usage error", arguments: ["epochs", "=3"])
    func settings(setting: String) throws {
        let bench = try Workbench()
        try bench.makeDataset()
        let result = try Program.run(
            "train-seed", ["--dataset", bench.dataset, "--set=\(setting)", "--output", bench.seed])
        #expect(result.status == 64)
        #expect(result.error.hasPrefix("train-seed: error: --set \(setting)"))
    }

    @Test(
        "wrong parameters are refused with their key and what is allowed",
        arguments: [
            ("training.epoch=3", "did you mean 'epochs'"),
            ("training.epochs=many", "training.epochs"),
            ("training.batch=0", "1…65536"),
            ("network.widths=[0]", "1…65536"),
            ("network.widths=[]", "network.widths"),
            ("network.kind=cnn", "mlp"),
            ("training.optimizer.rate=-1", "training.optimizer.rate"),
            ("loss.label-smoothing=1.5", "loss.label-smoothing"),
        ])
    func parameters(setting: String, expected: String) throws {
        let bench = try Workbench()
        try bench.makeDataset()
        let result = try Program.run(
            "train-seed", ["--dataset", bench.dataset, "--set", setting, "--output", bench.seed])
        #expect(result.status == 65)
        #expect(result.error.contains(expected), "\(result.error)")
        #expect(!bench.folder.exists("seed.h5"))
    }

    @Test("everything wrong in a file of parameters and in settings is told at once, each with its place")
    func everything() throws {
        let bench = try Workbench()
        try bench.makeDataset()
        let file = try bench.folder.write(
            "training: {epoch: 3, batch: 0}\nnetwork: {widths: [4], kind: cnn}\n", to: "p.yaml")
        func train(_ settings: [String]) throws -> ProgramResult {
            try Program.run(
                "train-seed",
                ["--dataset", bench.dataset, "--parameters", file, "--output", bench.seed]
                    + settings.flatMap { ["--set", $0] })
        }
        let result = try train(["loss.kind=l1", "training.optimizer={rate: fast, speed: 1}"])
        #expect(result.status == 65)
        let lines = result.error.split(separator: "\n").map(String.init)
        let places = [
            "--set loss.kind=l1: loss.kind: 'l1'",
            "--set training.optimizer={rate: fast, speed: 1}: training.optimizer.rate: 'fast'",
            "--set training.optimizer={rate: fast, speed: 1}: training.optimizer.speed: unknown key",
            "\(file):1: training.epoch: unknown key", "\(file):1: training.batch: 0",
            "\(file):2: network.kind: 'cnn'",
        ]
        for place in places {
            #expect(
                lines.contains { $0.hasPrefix("train-seed: error: \(place)") }, "\(place): \(result.error)")
        }
        #expect(lines.count == places.count)
        let syntax = try train(["training.epochs=[1", "seed=*x", "loss.kind=\u{A0}l1"])
        #expect(syntax.status == 65)
        #expect(syntax.error.split(separator: "\n").count == 2, "\(syntax.error)")
    }
}
