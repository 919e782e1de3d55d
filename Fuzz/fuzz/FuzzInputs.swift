import Artifacts
import Datasets
import Foundation
import Growth
import HDF5
import Networks
import Parameters
import Reports
import TestSupport
import Training

/// Artifacts as the stages make them, and what reads changed ones.
struct FuzzInputs {
    /// An artifact that is changed, and what it was made from.
    private struct Original {
        var name: String
        var kind: Kind
        var network = "mlp"
    }

    private static let originals = [
        Original(name: "dataset", kind: .dataset), Original(name: "mlp", kind: .network),
        Original(name: "tuned", kind: .network), Original(name: "vgg", kind: .network, network: "vgg"),
        Original(name: "resnet", kind: .network, network: "resnet"),
        Original(name: "mlp-bottlenecks", kind: .bottlenecks),
        Original(name: "vgg-bottlenecks", kind: .bottlenecks, network: "vgg"),
        Original(name: "evaluation", kind: .evaluation),
        // Large: few inputs are made of it.
        Original(name: "heaps", kind: .evaluation),
    ]

    private let folder: String
    private let input: String
    private let edits: [FileEdits]
    /// A few samples of the dataset.
    private let dataset: Datasets.Dataset
    private let networks: [String: Network]
    private let bottlenecks: [String: Bottlenecks]

    init(in folder: String) throws {
        self.folder = folder
        let shared = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : folder
        input = "\(shared)/meristem-fuzz-\(getpid()).h5"
        edits = try Self.originals.map { try FileEdits(of: "\(folder)/\($0.name).h5") }
        dataset = try Self.few(Datasets.Dataset(reading: File(reading: "\(folder)/dataset.h5")))
        networks = try ["mlp", "vgg", "resnet"].reduce(into: [:]) { networks, name in
            networks[name] = try Network(reading: File(reading: "\(folder)/\(name).h5"))
        }
        bottlenecks = try ["mlp", "vgg"].reduce(into: [:]) { bottlenecks, name in
            bottlenecks[name] = try Bottlenecks(reading: File(reading: "\(folder)/\(name)-bottlenecks.h5"))
        }
    }

    private static func few(_ dataset: Datasets.Dataset) -> Datasets.Dataset {
        Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train.spread(16),
            validation: dataset.validation.count > 0 ? dataset.validation.spread(8) : dataset.validation,
            test: dataset.test.spread(8))
    }

    // MARK: By number

    private func original(_ number: UInt64) -> Int {
        let last = Self.originals.count - 1
        return number % 64 == 63 ? last : Int(number % UInt64(last))
    }

    func describe(_ number: UInt64) -> String { "a change of \(Self.originals[original(number)].name)" }
    func path(of number: UInt64) -> String { input }
    func write(_ number: UInt64, to path: String) throws {
        try edits[original(number)].write(number, to: path)
    }

    /// Makes an input and reads it in every way. Errors are what is expected.
    func read(_ number: UInt64) throws {
        let original = Self.originals[original(number)]
        try write(number, to: input)
        var random = SplitMix(state: ~number)
        switch random.below(8) {
        case 0, 1: _ = try? ArtifactSummary(of: ArtifactLocation(input, artifacts: "\(folder)/none"))
        case 2:
            _ = try? ArtifactDifferences(
                between: ArtifactLocation("\(folder)/\(original.name).h5", artifacts: "\(folder)/none"),
                and: ArtifactLocation(input, artifacts: "\(folder)/none")
            ).text
        default: break
        }
        try? read(original, thoroughly: random.below(8) == 0)
    }

    private func read(_ original: Original, thoroughly: Bool) throws {
        let file = try File(reading: input)
        guard let own = networks[original.network] else { return }
        switch original.kind {
        case .dataset:
            let read = try Datasets.Dataset(reading: file)
            guard thoroughly else { return }
            _ = read.content()
            _ = try evaluate(
                EvaluationParameters(tree: .empty, file: ""), dataset: Self.few(read), network: own)
        case .network:
            let network = try Network(reading: file)
            let result = try evaluate(
                EvaluationParameters(tree: .empty, file: ""), dataset: dataset, network: network)
            _ = result.content
            guard thoroughly else { return }
            _ = network.content
            _ = NetworkWidths(network.architecture)
            _ = try? computeBottlenecks(
                BottleneckParameters(tree: .empty, file: ""), dataset: dataset, network: network)
            _ = try fineTune(
                TuneParameters(tree: .empty, file: ""), dataset: dataset, network: network)?.content
            guard let bottlenecks = bottlenecks[original.network] else { return }
            try grow(network, bottlenecks)
        case .bottlenecks:
            let read = try Bottlenecks(reading: file)
            try grow(own, read)
            if thoroughly { _ = read.content }
        case .evaluation:
            _ = try? Evaluation.summary(reading: file)
            _ = try file.group()
        }
    }

    private func grow(_ network: Network, _ bottlenecks: Bottlenecks) throws {
        _ = try growNetwork(
            GrowthParameters(tree: .empty, file: ""), dataset: dataset, network: network,
            bottlenecks: bottlenecks)
    }

    // MARK: Making

    /// Makes the artifacts with the stages that are built beside this program, from data/digits.yaml.
    static func make(in folder: String) throws {
        func stage(_ name: String, _ output: String, _ arguments: [String]) throws {
            let process = Process()
            process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
                .appending(path: name)
            process.arguments = arguments + ["--output", "\(folder)/\(output).h5"]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw ValidationFailure("\(name) \(arguments.joined(separator: " ")): failed")
            }
        }
        func from(_ names: String...) -> [String] {
            names.flatMap { name in
                let option =
                    name == "dataset" ? name : name.hasSuffix("bottlenecks") ? "bottlenecks" : "network"
                return ["--\(option)", "\(folder)/\(name).h5"]
            }
        }
        try stage("load-dataset", "dataset", ["--descriptor", "data/digits.yaml", "--set", "validation=200"])
        let networks = [
            "mlp": ["network.widths=[4, 4]"], "vgg": ["network.kind=vgg", "network.stages=[[4], [4]]"],
            "resnet": ["network.kind=resnet", "network.depth=8", "network.width=4"],
        ]
        for (name, settings) in networks {
            let options = (settings + ["training.epochs=1"]).flatMap { ["--set", $0] }
            try stage("train-seed", name, from("dataset") + options)
        }
        for name in ["mlp", "vgg"] {
            try stage("compute-bottlenecks", "\(name)-bottlenecks", from("dataset", name))
        }
        try stage("grow", "grown", from("dataset", "mlp", "mlp-bottlenecks"))
        try stage("fine-tune", "tuned", from("dataset", "grown"))
        try stage("evaluate", "evaluation", from("dataset", "tuned"))
        unlink("\(folder)/heaps.h5")
        try Group.withHeaps.write(to: "\(folder)/heaps.h5")
    }
}

private struct ValidationFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
