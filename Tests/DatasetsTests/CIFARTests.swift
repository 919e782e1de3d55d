import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite("CIFAR files")
struct CIFARTests {
    let folder: TemporaryFolder

    init() throws { folder = TemporaryFolder() }

    private func load(_ small: SmallCIFAR) throws -> Dataset {
        try loadDataset(
            small.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment())
    }

    private func write(_ small: SmallCIFAR, to place: String = "cache/small") throws {
        for (name, bytes) in small.files { try folder.write(bytes, to: "\(place)/\(name)") }
    }

    @Test("planes become interleaved images, and the last label byte is the class", arguments: [1, 2])
    func layout(labelBytes: Int) throws {
        let small = SmallCIFAR(labelBytes: labelBytes)
        try write(small)
        let dataset = try load(small)
        #expect(dataset.shape == ImageShape(height: 2, width: 3, channels: 3))
        #expect(dataset.train.labels == [0, 1, 2, 3, 0] && dataset.test.labels == [1, 2])
        #expect(dataset.train.images == (0...4).flatMap(SmallCIFAR.image))
        #expect(dataset.test.images == (5...6).flatMap(SmallCIFAR.image))
    }

    @Test("parts of a split stand in the descriptor's order, wherever they were found")
    func order() throws {
        var swapped = SmallCIFAR()
        (swapped.files["one.bin"], swapped.files["two.bin"]) = (
            swapped.files["two.bin"], swapped.files["one.bin"]
        )
        try write(swapped)
        #expect(try load(swapped).train.labels == [3, 0, 0, 1, 2])
    }

    @Test(
        "a file that does not end with a record is refused at the record it breaks off in",
        arguments: [1, 18])
    func truncated(lacking: Int) throws {
        let small = SmallCIFAR()
        try write(small)
        let bytes = try #require(small.files["one.bin"])
        let path = try folder.write(bytes.dropLast(lacking), to: "cache/small/one.bin")
        #expect(
            datasetError { _ = try load(small) }
                == .brokenCIFAR(
                    file: path, offset: 38, found: "\(19 - lacking) bytes and then the end of the content",
                    allowed: "records of 19 bytes: 1 of labels, 2 x 3 x 3 of image"))
    }

    @Test("an empty file is refused")
    func empty() throws {
        let small = SmallCIFAR()
        try write(small)
        let path = try folder.write([UInt8](), to: "cache/small/test.bin")
        let text = datasetError { _ = try load(small) }?.description ?? ""
        #expect(text.hasPrefix("\(path), byte 0 of the content: found 0 bytes"))
    }

    @Test(
        "a file with more records than its split has is refused, compressed or not",
        arguments: ["", ".gz", ".xz"])
    func tooLong(suffix: String) throws {
        var small = SmallCIFAR()
        small.files["test.bin"]? += [UInt8](repeating: 1, count: small.record)
        try write(small)
        try FileManager.default.removeItem(atPath: folder.path("cache/small/test.bin"))
        let bytes = small.files["test.bin"] ?? []
        try folder.write(
            suffix == "" ? bytes : suffix == ".gz" ? gzip(bytes) : xz(bytes),
            to: "cache/small/test.bin\(suffix)")
        let error = datasetError { _ = try load(small) }
        guard case .brokenCIFAR(_, 38, "more bytes", let allowed) = error else {
            Issue.record("expected brokenCIFAR at byte 38, found \(String(describing: error))")
            return
        }
        #expect(allowed.hasPrefix("at most 2 records of 19 bytes"))
    }

    @Test("a label that is no class is refused with its byte", arguments: [1, 2])
    func labels(labelBytes: Int) throws {
        var small = SmallCIFAR(labelBytes: labelBytes)
        let offset = small.record + labelBytes - 1
        small.files["two.bin"]?[offset] = 4
        try write(small)
        #expect(
            datasetError { _ = try load(small) }
                == .labelOutOfRange(
                    file: folder.path("cache/small/two.bin"), offset: offset, label: 4, allowed: 0...3))
    }

    @Test("other bytes than the pinned ones are refused with both digests, before their labels are looked at")
    func digest() throws {
        let small = SmallCIFAR()
        try write(small)
        var bytes = small.files["one.bin"] ?? []
        bytes[0] = 200
        let path = try folder.write(bytes, to: "cache/small/one.bin")
        guard case .wrongDigest(path, _, _) = datasetError({ _ = try load(small) }) else {
            Issue.record("expected wrongDigest of \(path)")
            return
        }
    }

    @Test("a descriptor that is wrong about the number of samples is named")
    func counts() throws {
        var small = SmallCIFAR()
        small.train = 6
        try write(small)
        guard
            case .descriptorDisagrees(_, "train", "6", _, "5 samples") = datasetError({ _ = try load(small) })
        else {
            Issue.record("expected descriptorDisagrees for train")
            return
        }
    }
}
