import Foundation
import TestSupport
import Testing

/// A folder with a small dataset and a seed network in it, made by the stages themselves.
struct Workbench {
    let folder: TemporaryFolder

    init() throws { folder = TemporaryFolder() }

    var dataset: String { folder.path("dataset.h5") }
    var seed: String { folder.path("seed.h5") }
    static let descriptor = Program.packageFolder.appending(path: "data/digits.yaml").path

    func makeDataset() throws {
        let result = try Program.run(
            "load-dataset",
            ["--descriptor", Self.descriptor, "--set", "validation=200", "--output", dataset])
        try #require(result.status == 0, "\(result.error)")
    }

    func makeSeed(epochs: Int = 1) throws {
        try makeDataset()
        let result = try Program.run(
            "train-seed",
            [
                "--dataset", dataset, "--set", "network.widths=[4, 3]", "--set", "training.epochs=\(epochs)",
                "--output", seed,
            ])
        try #require(result.status == 0, "\(result.error)")
    }
}
