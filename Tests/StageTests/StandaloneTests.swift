import Foundation
import HDF5
import TestSupport
import Testing

@Suite("Stages on plain files")
struct StandaloneTests {
    @Test("dataset, seed, tune and evaluation run one after the other")
    func chain() throws {
        let bench = try Workbench()
        try bench.makeSeed(epochs: 2)
        let tuned = bench.folder.path("tuned.h5")
        let evaluation = bench.folder.path("evaluation.h5")
        let tune = try Program.run(
            "fine-tune",
            [
                "--dataset", bench.dataset, "--network", bench.seed, "--set", "training.epochs=3", "--output",
                tuned,
            ])
        #expect(tune.status == 0, "\(tune.error)")
        let evaluate = try Program.run(
            "evaluate", ["--dataset", bench.dataset, "--network", tuned, "--output", evaluation])
        #expect(evaluate.status == 0, "\(evaluate.error)")
        let file = try File(reading: evaluation)
        #expect(try file.text("kind") == "evaluation")
        let accuracy = try file.float64("accuracy", shape: []).values[0]
        #expect(accuracy > 0.3 && accuracy <= 1)
        #expect(try file.int64("predictions", shape: [360]).values.allSatisfy { (0..<10).contains($0) })
    }

    @Test("a result does not depend on threads or on where it is written")
    func repeatable() throws {
        let bench = try Workbench()
        try bench.makeDataset()
        var seen: Set<Data> = []
        for threads in ["1", "2", "3"] {
            let result = try Program.run(
                "train-seed",
                [
                    "--dataset", bench.dataset, "--set", "network.widths=[5]", "--set", "training.shards=3",
                    "--threads", threads, "--output", bench.folder.path("seed-\(threads).h5"),
                ])
            #expect(result.status == 0, "\(result.error)")
            seen.insert(try bench.folder.bytes("seed-\(threads).h5"))
        }
        #expect(seen.count == 1)
    }

    @Test("parameters come from a file, and --set goes on top of it")
    func parameterFile() throws {
        let bench = try Workbench()
        try bench.makeDataset()
        let parameters = try bench.folder.write(
            "network: {widths: [6]}\ntraining: {epochs: 2}\n", to: "parameters.yaml")
        let result = try Program.run(
            "train-seed",
            [
                "--dataset", bench.dataset, "--parameters", parameters, "--set", "training.epochs=1",
                "--output",
                bench.seed,
            ])
        #expect(result.status == 0, "\(result.error)")
        let file = try File(reading: bench.seed)
        #expect(try file.float32("parameters/hidden1/weight", shape: [6, 64]).shape == [6, 64])
        #expect(try file.int64("history/epoch", shape: [nil]).values == [1])
    }

    @Test("a network can be trained from scratch in another one's architecture")
    func architecture() throws {
        let bench = try Workbench()
        try bench.makeSeed()
        let large = bench.folder.path("large.h5")
        let result = try Program.run(
            "train-seed",
            [
                "--dataset", bench.dataset, "--architecture", bench.seed, "--set", "seed=5", "--output",
                large,
            ])
        #expect(result.status == 0, "\(result.error)")
        let shape = try File(reading: large).float32("parameters/hidden2/weight", shape: [3, 4]).shape
        #expect(shape == [3, 4])
    }
}
