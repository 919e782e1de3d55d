import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite("Labels and images in other orders")
struct LabelTests {
    let folder: TemporaryFolder
    var small = SmallDataset()

    init() throws { folder = TemporaryFolder() }

    private func load(_ small: SmallDataset) throws -> Dataset {
        try small.writeFiles(to: folder, "cache/small")
        return try loadDataset(
            small.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment())
    }

    @Test("labels may begin at any number", arguments: [1, 2, 200])
    func first(number: Int) throws {
        var small = small
        small.files["train-labels"] = idx([6], [0, 1, 2, 0, 1, 2].map { UInt8($0 + number) })
        small.files["test-labels"] = idx([2], [2, 0].map { UInt8($0 + number) })
        let error = datasetError { _ = try load(small) }
        guard case .labelOutOfRange(_, _, _, 0...2, number) = error else {
            Issue.record("expected labelOutOfRange, found \(String(describing: error))")
            return
        }
        #expect(error?.description.contains("write `first-label: \(number)`") == true)
        small.extra = "first-label: \(number)"
        let dataset = try load(small)
        #expect(dataset.train.labels == [0, 1, 2, 0, 1, 2] && dataset.test.labels == [2, 0])
    }

    @Test("a label too many is no reason to begin elsewhere; one below the first is refused")
    func outOfRange() throws {
        var small = small
        small.files["train-labels"] = idx([6], [0, 1, 2, 3, 1, 2])
        let path = folder.path("cache/small/train-labels.idx.gz")
        #expect(
            datasetError { _ = try load(small) }
                == .labelOutOfRange(file: path, offset: 11, label: 3, allowed: 0...2))
        small.files["train-labels"] = idx([6], [1, 0, 2, 0, 1, 2])
        small.files["test-labels"] = idx([2], [2, 1])
        small.extra = "first-label: 1"
        #expect(
            datasetError { _ = try load(small) }
                == .labelOutOfRange(file: path, offset: 9, label: 0, allowed: 1...3, first: 0))
    }

    @Test("negative labels, of a type that has them")
    func negative() throws {
        var small = small
        small.files["train-labels"] = idx([6], encoded([-1, 0, 1, -1, 0, 1], as: .signedByte), type: 0x09)
        small.files["test-labels"] = idx([2], encoded([1, -1], as: .integer16), type: 0x0b)
        small.extra = "first-label: -1"
        #expect(try load(small).test.labels == [2, 0])
    }

    @Test("labels of rank 2 have the class in their first column, or in the one that is named")
    func columns() throws {
        var small = small
        func rows(_ labels: [Double]) -> [UInt8] {
            idx(
                [labels.count, 4], encoded(labels.flatMap { [$0, 9, 2 - $0, 7] }, as: .integer32), type: 0x0c)
        }
        small.files["train-labels"] = rows([0, 1, 2, 0, 1, 2])
        small.files["test-labels"] = rows([2, 0])
        #expect(try load(small).test.labels == [2, 0])
        small.extra = "column: 2"
        #expect(try load(small).test.labels == [0, 2])
        small.extra = "column: 1"
        let path = folder.path("cache/small/test-labels.idx.gz")
        #expect(
            datasetError { _ = try load(small) }
                == .labelOutOfRange(file: path, offset: 16, label: 9, allowed: 0...2))
        small.extra = "column: 4"
        guard case .descriptorDisagrees(_, "column", "4", _, _) = datasetError({ _ = try load(small) }) else {
            Issue.record("expected descriptorDisagrees for column")
            return
        }
    }

    @Test("a column per class is not taken for the number of a class, unless the descriptor says so")
    func oneHot() throws {
        var small = small
        small.files["test-labels"] = idx([2, 3], [0, 0, 1, 1, 0, 0])
        #expect(
            datasetError { _ = try load(small) }?.description.contains(
                "3 columns, as many as there are classes")
                == true)
        small.files["train-labels"] = idx([6, 3], (0..<18).map { UInt8($0 % 3) })
        small.files["test-labels"] = idx([2, 3], [0, 1, 2, 0, 1, 0])
        small.extra = "column: 2"
        #expect(try load(small).test.labels == [2, 0])
    }

    @Test("images are transposed, of IDX files and of CIFAR's")
    func transposed() throws {
        var small = small
        small.extra = "transpose: true"
        #expect(try load(small).test.images == [9, 7, 8, 6, 5, 3, 4, 2])
        var cifar = SmallCIFAR()
        (cifar.image, cifar.extra) = ("[3, 2, 3]", "transpose: true")
        for (name, bytes) in cifar.files { try folder.write(bytes, to: "cache/small/\(name)") }
        let dataset = try loadDataset(
            cifar.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment())
        #expect(dataset.shape == ImageShape(height: 3, width: 2, channels: 3))
        let image = SmallCIFAR.image(5)
        let expected = [0, 3, 1, 4, 2, 5].flatMap { image[3 * $0..<3 * $0 + 3] }
        #expect(Array(dataset.test.images.prefix(18)) == expected)
    }

    @Test("how files are read is among the inputs, and only where it is not as usual")
    func inputs() throws {
        let plain = try small.descriptor(in: folder).inputs["descriptor"]
        var seen = Set([plain])
        for extra in [
            "first-label: 1", "first-label: 2", "transpose: true", "column: 1", "column: 1\nfirst-label: 1",
        ] {
            var small = small
            small.extra = extra
            #expect(try seen.insert(small.descriptor(in: folder).inputs["descriptor"]).inserted, "\(extra)")
        }
        for extra in ["first-label: 0", "transpose: false", "column: 0"] {
            var small = small
            small.extra = extra
            #expect(try small.descriptor(in: folder).inputs["descriptor"] == plain, "\(extra)")
        }
    }
}
