import Foundation
import HDF5
import TestSupport
import Testing

@Suite("Bad input to stages")
struct BadInputTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func evaluate(network: String) throws -> ProgramResult {
        try Program.run(
            "evaluate",
            [
                "--dataset", bench.dataset, "--network", network, "--output",
                bench.folder.path("evaluation.h5"),
            ])
    }

    @Test("a missing input is named, with status 66")
    func missing() throws {
        try bench.makeDataset()
        let result = try evaluate(network: bench.folder.path("no.h5"))
        #expect(result.status == 66)
        #expect(result.error.hasPrefix("evaluate: error: --network"))
        #expect(result.error.contains("no.h5"))
    }

    @Test("a file that is not HDF5, or is cut off, is refused with status 65")
    func broken() throws {
        try bench.makeSeed()
        let text = try bench.folder.write("not HDF5", to: "text.h5")
        #expect(try evaluate(network: text).status == 65)
        let bytes = try bench.folder.bytes("seed.h5")
        let cut = bench.folder.path("cut.h5")
        try bytes.prefix(bytes.count / 2).write(to: URL(filePath: cut))
        let result = try evaluate(network: cut)
        #expect(result.status == 65)
        #expect(result.error.contains("cut.h5"))
        #expect(!bench.folder.exists("evaluation.h5"))
    }

    @Test(
        "a dataset that is normalised otherwise is refused with both means and a way out",
        arguments: ["evaluate", "fine-tune", "compute-bottlenecks"])
    func otherNormalization(stage: String) throws {
        try bench.makeSeed()
        let other = bench.folder.path("other.h5")
        let load = try Program.run(
            "load-dataset",
            ["--descriptor", Workbench.descriptor, "--set", "validation=300", "--output", other])
        #expect(load.status == 0, "\(load.error)")
        func run(_ dataset: String) throws -> ProgramResult {
            try Program.run(
                stage,
                ["--dataset", dataset, "--network", bench.seed, "--output", bench.folder.path("out.h5")])
        }
        let means = try [bench.dataset, other].map {
            try File(reading: $0).float32("normalization/mean", shape: [1]).values[0]
        }
        let result = try run(other)
        #expect(result.status == 65 && !bench.folder.exists("out.h5"))
        for part in [
            "trained on images with mean \(means[0])", "the dataset's have \(means[1])", "`validation`",
            "train a seed on this one",
        ] {
            #expect(result.error.contains(part), "\(result.error)")
        }
        #expect(try run(bench.dataset).status == 0)
    }

    @Test("a descriptor and parameters that are no text are refused with status 65")
    func binary() throws {
        let bytes = Data([0x89, 0x48, 0xff, 0xfe, 0x00])
        for name in ["digits.yaml", "parameters.json"] {
            try bytes.write(to: URL(filePath: bench.folder.path(name)))
        }
        let output = bench.folder.path("dataset.h5")
        let described = try Program.run(
            "load-dataset", ["--descriptor", bench.folder.path("digits.yaml"), "--output", output])
        #expect(described.status == 65)
        #expect(described.error.contains("digits.yaml:1: the text is not UTF-8"), "\(described.error)")
        let given = try Program.run(
            "load-dataset",
            [
                "--descriptor", Workbench.descriptor, "--parameters", bench.folder.path("parameters.json"),
                "--output", output,
            ])
        #expect(given.status == 65)
        #expect(given.error.contains("parameters.json:1: the text is not UTF-8"), "\(given.error)")
    }

    @Test("a network that does not fit the images is refused with the node and status 65")
    func doesNotFit() throws {
        try bench.makeDataset()
        let result = try Program.run(
            "train-seed",
            [
                "--dataset", bench.dataset, "--set", "network={kind: vgg, stages: [[1], [1], [1], [1]]}",
                "--output", bench.seed,
            ])
        #expect(result.status == 65)
        #expect(result.error.hasPrefix("train-seed: error: node 'stage4-pool'"), "\(result.error)")
        #expect(!bench.folder.exists("seed.h5"))
    }

    @Test("an HDF5 file of somebody else is refused")
    func foreign() throws {
        try bench.makeDataset()
        let path = bench.folder.path("foreign.h5")
        try Group(attributes: ["title": "something"]).write(to: path)
        let result = try evaluate(network: path)
        #expect(result.status == 65)
        #expect(result.error.contains("format"))
    }

    @Test("an artifact of another kind is refused, with both kinds named")
    func otherKind() throws {
        try bench.makeDataset()
        let result = try evaluate(network: bench.dataset)
        #expect(result.status == 65)
        #expect(result.error.contains("dataset") && result.error.contains("network"))
    }

    @Test("bottlenecks of another network are refused, though its shapes are the same")
    func otherOrigin() throws {
        try bench.makeSeed()
        let measured = bench.folder.path("bottlenecks.h5")
        let compute = try Program.run(
            "compute-bottlenecks",
            ["--dataset", bench.dataset, "--network", bench.seed, "--output", measured])
        #expect(compute.status == 0, "\(compute.error)")
        let other = bench.folder.path("other.h5")
        let train = try Program.run(
            "train-seed",
            [
                "--dataset", bench.dataset, "--set", "network.widths=[4, 3]", "--set", "seed=9", "--output",
                other,
            ])
        #expect(train.status == 0, "\(train.error)")
        func grow(_ network: String, _ more: [String] = []) throws -> ProgramResult {
            try Program.run(
                "grow",
                [
                    "--dataset", bench.dataset, "--network", network, "--bottlenecks", measured, "--output",
                    bench.folder.path("grown.h5"),
                ] + more)
        }
        let refused = try grow(other)
        #expect(refused.status == 65)
        #expect(refused.error.contains("another network"), "\(refused.error)")
        let tooMany = try grow(bench.seed, ["--set", "neurons=100"])
        #expect(tooMany.status == 65)
        #expect(tooMany.error.contains("useful directions"), "\(tooMany.error)")
        #expect(!bench.folder.exists("grown.h5"))
        #expect(try grow(bench.seed).status == 0)
    }

    @Test("an output that is an input, or a folder, is refused before any work")
    func outputs() throws {
        try bench.makeSeed()
        let before = try bench.folder.bytes("seed.h5")
        func tune(output: String) throws -> ProgramResult {
            try Program.run(
                "fine-tune", ["--dataset", bench.dataset, "--network", bench.seed, "--output", output])
        }
        #expect(try tune(output: bench.seed).status == 64)
        #expect(try bench.folder.bytes("seed.h5") == before)
        let folder = try tune(output: bench.folder.path)
        #expect(folder.status == 74)
        #expect(folder.error.contains("folder"))
    }

    @Test("a loss that becomes NaN stops training, says where, and keeps nothing")
    func divergence() throws {
        try bench.makeDataset()
        let result = try Program.run(
            "train-seed",
            [
                "--dataset", bench.dataset, "--set", "network.widths=[8]", "--set",
                "network.activation=identity",
                "--set", "loss.kind=mean-squared-error", "--set", "training.optimizer.rate=1000", "--set",
                "training.epochs=20", "--output", bench.seed,
            ])
        #expect(result.status == 65)
        #expect(
            result.error.contains("NaN") && result.error.contains("epoch") && result.error.contains("rate"))
        #expect(!bench.folder.exists("seed.h5"))
    }

    @Test("an output that cannot be written is an I/O error")
    func unwritable() throws {
        try bench.makeSeed()
        let result = try Program.run(
            "evaluate",
            ["--dataset", bench.dataset, "--network", bench.seed, "--output", "/proc/none/evaluation.h5"])
        #expect(result.status == 74)
        #expect(result.error.contains("/proc/none"))
    }

    @Test("data that cannot be found names every place that was tried, with status 66")
    func noData() throws {
        let descriptor = try String(
            contentsOf: Program.packageFolder.appending(path: "data/fashion-mnist.yaml"), encoding: .utf8
        ).replacing("/usr/share/datasets/fashion-mnist", with: bench.folder.path("nowhere"))
        let path = try bench.folder.write(descriptor, to: "data/fashion-mnist.yaml")
        let result = try Program.run(
            "load-dataset", ["--descriptor", path, "--output", bench.dataset],
            environment: ["OFFLINE": "1", "DATA_MIRROR": bench.folder.path("mirror")])
        #expect(result.status == 66)
        for place in ["nowhere", "mirror", "data/cache"] {
            #expect(result.error.contains(place), "\(result.error)")
        }
    }
}
