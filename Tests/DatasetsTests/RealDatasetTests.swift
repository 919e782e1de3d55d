import Foundation
import Testing

@testable import Datasets

private let fashionFolder = "/usr/share/datasets/fashion-mnist"
private let mirror = ProcessInfo.processInfo.environment["DATA_MIRROR"]

/// Whether some place has the files of CIFAR-10.
private let hasCIFAR: Bool = {
    let environment = DataEnvironment(mirror: mirror, offline: true)
    let descriptor = try? DatasetDescriptor(reading: "\(dataFolder)/cifar-10.yaml")
    return descriptor?.locate(environment).found.isEmpty == false
}()

@Suite("The datasets themselves")
struct RealDatasetTests {
    private func load(_ name: String, validation: Int = 0) throws -> Dataset {
        try loadDataset(
            DatasetDescriptor(reading: "\(dataFolder)/\(name).yaml"),
            parameters: DatasetParameters(dataset: name, validation: validation),
            environment: DataEnvironment(mirror: mirror, offline: true))
    }

    @Test("digits: counts, classes, values and statistics are those of the table")
    func digits() throws {
        let digits = try load("digits")
        #expect(digits.train.count == 1437 && digits.validation.count == 0 && digits.test.count == 360)
        #expect(digits.shape == ImageShape(height: 8, width: 8, channels: 1))
        #expect(digits.train.images.max() == 16)
        // The first line of the table, and the last.
        #expect(digits.train.images[..<8] == [0, 0, 5, 13, 9, 1, 0, 0] && digits.train.labels[0] == 0)
        #expect(digits.test.images.suffix(8) == [0, 1, 8, 12, 14, 12, 1, 0] && digits.test.labels.last == 8)
        // Python's exact integers, over the first 1,437 lines.
        #expect(abs(digits.normalization.mean[0] - 0.0191614816) < 1e-8)
        #expect(abs(digits.normalization.standardDeviation[0] - 0.0235612304) < 1e-8)
    }

    @Test("digits: what is held out is not in the statistics")
    func digitsValidation() throws {
        let digits = try load("digits", validation: 200)
        #expect(digits.train.count == 1237 && digits.validation.count == 200)
        #expect(digits.normalization == Normalization(measuring: digits.train))
        #expect(try digits.normalization != load("digits").normalization)
    }

    @Test(
        "Fashion-MNIST: the pinned bytes, 6,000 and 1,000 per class, the known statistics",
        .enabled(if: FileManager.default.fileExists(atPath: fashionFolder), "needs dataset-fashion-mnist"))
    func fashion() throws {
        let fashion = try load("fashion-mnist", validation: 0)
        #expect(fashion.train.labels.prefix(10) == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5])
        for label: Int32 in 0..<10 {
            #expect(fashion.train.labels.count { $0 == label } == 6000)
            #expect(fashion.test.labels.count { $0 == label } == 1000)
        }
        #expect(abs(fashion.normalization.mean[0] - 0.2860) < 5e-5)
        #expect(abs(fashion.normalization.standardDeviation[0] - 0.3530) < 5e-5)
    }

    @Test(
        "MNIST: the pinned bytes and the known statistics",
        .enabled(if: mirror != nil, "needs DATA_MIRROR"))
    func mnist() throws {
        let mnist = try load("mnist")
        #expect(mnist.train.labels.prefix(10) == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
        #expect(mnist.test.labels.prefix(5) == [7, 2, 1, 0, 4])
        #expect(abs(mnist.normalization.mean[0] - 0.1307) < 5e-5)
        #expect(abs(mnist.normalization.standardDeviation[0] - 0.3081) < 5e-5)
    }

    @Test(
        "CIFAR-10: the pinned bytes, 5,000 and 1,000 per class, the known labels and statistics",
        .enabled(if: hasCIFAR, "needs cifar-10-binary.tar, .gz or .xz, in DATA_MIRROR or data/cache/cifar-10")
    )
    func cifar() throws {
        let cifar = try load("cifar-10")
        #expect(cifar.shape == ImageShape(height: 32, width: 32, channels: 3))
        #expect(cifar.train.labels.prefix(10) == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3])
        #expect(cifar.test.labels.prefix(10) == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1])
        for label: Int32 in 0..<10 {
            #expect(cifar.train.labels.count { $0 == label } == 5000)
            #expect(cifar.test.labels.count { $0 == label } == 1000)
        }
        for (channel, mean, deviation) in [(0, 0.4914, 0.2470), (1, 0.4822, 0.2435), (2, 0.4465, 0.2616)] {
            #expect(abs(Double(cifar.normalization.mean[channel]) - mean) < 6e-5)
            #expect(abs(Double(cifar.normalization.standardDeviation[channel]) - deviation) < 6e-5)
        }
    }
}
