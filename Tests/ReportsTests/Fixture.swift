import Artifacts
import Files
import Foundation
import HDF5
import Networks
import Parameters
import Tensors

@testable import Reports
@testable import Training

/// An artifacts folder of one test, gone when the test is.
final class ArtifactsFolder {
    let path: String
    var store: Store { Store(root: path) }

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "reports-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Publishes a step as its stage does, with a record that says `seconds`.
    @discardableResult
    func publish(
        _ step: String, _ kind: Kind, stage: String, inputs: [String: Digest] = [:],
        parameters: Tree = .empty,
        seconds: Double, content: Group
    ) throws -> Digest {
        let parts = KeyParts(
            stage: stage, source: "5eed", platform: "plain", parameters: parameters, inputs: inputs)
        var content = content
        let header = Header(kind: kind, stage: stage, parameters: parameters, inputs: inputs)
        content.attributes.merge(header.attributes) { $1 }
        return try store.withLock(on: parts, publishingTo: "\(path)/\(step).h5") { lock in
            let record = try store.publish(lock, stopwatch: Stopwatch(threads: 1, libraries: [:])) {
                try content.write(to: $0)
            }
            try write(record, seconds: seconds)
            return record.output
        }
    }

    /// Publishes a step that passes its network on.
    func publishUnchanged(
        _ step: String, stage: String, inputs: [String: Digest], network: Digest, seconds: Double
    ) throws {
        let parts = KeyParts(
            stage: stage, source: "5eed", platform: "plain", parameters: .empty, inputs: inputs)
        try store.withLock(on: parts, publishingTo: "\(path)/\(step).h5") { lock in
            let record = try store.publishUnchanged(
                lock, output: network, stopwatch: Stopwatch(threads: 1, libraries: [:]))
            try write(record, seconds: seconds)
        }
    }

    private func write(_ record: RunRecord, seconds: Double) throws {
        var record = record
        record.measurements.seconds = seconds
        try PlainFile.write(record.canonicalJSON + "\n", to: store.recordPath(record.parts.key))
    }
}

/// A chain of one round: dataset, seed, bottlenecks-1, grow-1, tune-1, evaluation; 63 seconds in all.
struct SmallChain {
    var branch = "tiny-joint"
    var seed = 0
    var widths = [3, 2]
    /// Of 100 samples.
    var correct = 80
    /// What the round adds to hidden1; 0: the round passes its input on.
    var neurons = 1
    var realized = 0.25

    var name: String { "\(branch)-\(seed)" }
    static let steps = ["dataset", "seed", "bottlenecks-1", "grow-1", "tune-1", "evaluation"]
    var planned: ReportPlan.Chain { .init(branch: branch, seed: seed, steps: Self.steps) }

    func network(widths: [Int], trainedBy phases: [(Cost.Phase, Int)]) throws -> Network {
        let architecture = try NetworkParameters(widths: widths).architecture(sample: [4], outputs: 2)
        var network = try Network(initializing: architecture, seed: seed)
        network.data = DataConvention(
            image: [2, 2, 1], mean: [0.25], standardDeviation: [0.5], classes: ["no", "yes"])
        for (phase, flops) in phases { network.cost[phase] = flops }
        network.history.epochs = [
            .init(
                round: 0, loss: 0.75, accuracy: 0.5, validationLoss: 0.875, validationAccuracy: 0.375,
                rate: 0.1, parameters: 36, flops: 1000),
            .init(
                round: 1, loss: 0.5, accuracy: 0.75, validationLoss: nil, validationAccuracy: nil, rate: 0.1,
                parameters: 36, flops: 1000),
        ]
        return network
    }

    func publish(in folder: ArtifactsFolder, pipeline: String = "digits") throws {
        let place = "\(pipeline)/\(name)"
        let own = Tree(
            .map([
                .init(key: "seed", value: Tree(.integer(seed))),
                .init(key: "branch", value: Tree(.text(branch))),
            ]))
        let dataset = try folder.publish(
            "\(place)/dataset", .dataset, stage: "load-dataset", seconds: 1,
            content: Group(datasets: ["numbers": Dataset(.int64([1, 2]), shape: [2], dims: "sample")]))
        let first = try folder.publish(
            "\(place)/seed", .network, stage: "train-seed", inputs: ["dataset": dataset], parameters: own,
            seconds: 2, content: network(widths: widths, trainedBy: [(.seed, 1000)]).content)
        let bottlenecks = try folder.publish(
            "\(place)/bottlenecks-1", .bottlenecks, stage: "compute-bottlenecks",
            inputs: ["dataset": dataset, "network": first], seconds: 4, content: Self.bottlenecks)
        let last = try grow(
            from: first, in: folder, place,
            ["dataset": dataset, "network": first, "bottlenecks": bottlenecks])
        try folder.publish(
            "\(place)/evaluation", .evaluation, stage: "evaluate",
            inputs: ["dataset": dataset, "network": last], seconds: 32, content: evaluation.content)
    }

    private func grow(
        from first: Digest, in folder: ArtifactsFolder, _ place: String, _ inputs: [String: Digest]
    ) throws -> Digest {
        var given = inputs
        given["bottlenecks"] = nil
        guard neurons > 0 else {
            try folder.publishUnchanged(
                "\(place)/grow-1", stage: "grow", inputs: inputs, network: first, seconds: 8)
            try folder.publishUnchanged(
                "\(place)/tune-1", stage: "fine-tune", inputs: given, network: first, seconds: 16)
            return first
        }
        var network = try network(
            widths: [widths[0] + neurons] + widths.dropFirst(),
            trainedBy: [(.seed, 1000), (.bottlenecks, 200), (.grow, 30)])
        network.growth = [
            GrowthRecord(
                round: 1, width: "hidden1", change: .widen, method: "tiny-joint", neurons: neurons,
                amplitude: 0.5,
                predictedDecrease: 0.375, realizedDecrease: realized, lossBefore: 1, bottleneck: 1,
                gradientNorm: 4)
        ]
        given["network"] = try folder.publish(
            "\(place)/grow-1", .network, stage: "grow", inputs: inputs, seconds: 8, content: network.content)
        network.cost[.tune] = 4000
        return try folder.publish(
            "\(place)/tune-1", .network, stage: "fine-tune", inputs: given, seconds: 16,
            content: network.content)
    }

    private var evaluation: Evaluation {
        Evaluation(
            accuracy: Double(correct) / 100, loss: 0.625, samples: 100,
            confusion: [[correct - 30, 90 - correct], [10, 30]],
            predictions: [Int](repeating: 0, count: 100), calibration: Calibration())
    }

    static var bottlenecks: Group {
        var root = Group()
        root[group: "widths"].attributes = [
            "method": #"{"kind":"tiny-joint","refit":true,"ridge":0.5,"taps":"full"}"#,
            "samples": .integer(1000), "order": "hidden2,hidden1",
        ]
        for (width, bottleneck) in [("hidden1", 1.0), ("hidden2", 3.0)] {
            root[group: "widths/\(width)"].attributes = [
                "gradient_norm": .real(4), "bottleneck": .real(bottleneck), "bottleneck_error": .real(0.125),
                "best_update_decrease": .real(4 - bottleneck), "predicted_decrease": .real(5),
            ]
        }
        root["widths/hidden1/singular_values"] = Dataset(.float64([0.5, 0.25]), shape: [2], dims: "neurons")
        root["widths/hidden1/fan_in"] = Dataset(
            .float64([1, 2, 3, 4, 5, 6]), shape: [2, 3], dims: "neurons,in_features")
        return root
    }
}
