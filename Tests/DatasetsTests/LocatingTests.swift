import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Datasets

/// Lines that a `DataEnvironment` logged.
private final class Log: Sendable {
    private let stored = Mutex<[String]>([])
    var lines: [String] { stored.withLock { $0 } }
    func append(_ line: String) { stored.withLock { $0.append(line) } }
}

@Suite("Finding the files")
struct LocatingTests {
    let folder: TemporaryFolder
    var small = SmallDataset()

    init() throws { folder = TemporaryFolder() }

    private func load(
        _ small: SmallDataset, mirror: String? = nil, offline: Bool = true, log: Log = Log()
    ) throws -> Dataset {
        try loadDataset(
            small.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment(
                mirror: mirror.map { "\(folder.path)/\($0)" }, offline: offline, log: log.append))
    }

    @Test(
        "every place is found, compressed or not",
        arguments: ["places", "mirror/small", "mirror", "cache/small"], [true, false])
    func places(place: String, compressed: Bool) throws {
        var small = small
        small.extra = "places: [nowhere, places]"
        try small.writeFiles(to: folder, place, compressed: compressed)
        let dataset = try load(small, mirror: "mirror")
        #expect(dataset.train.count == 6 && dataset.test.labels == [2, 0])
        #expect(dataset.test.images == [9, 8, 7, 6, 5, 4, 3, 2])
    }

    @Test("the descriptor's places come first, then the mirror, then the cache")
    func order() throws {
        var small = small
        small.extra = "places: [places]"
        for place in ["cache/small", "mirror", "mirror/small", "places"] {
            try small.writeFiles(to: folder, place)
            let log = Log()
            _ = try load(small, mirror: "mirror", log: log)
            #expect(log.lines == ["read small from \(folder.path)/\(place)"])
        }
    }

    @Test("files that are nowhere: every place with its reason, and what helps")
    func nowhere() throws {
        var small = small
        small.extra = "places: [/nowhere/small, half]\npackage: dataset-small\nurl: https://example.org/small"
        try folder.write([0], to: "half/train-images.idx")
        try folder.write([0], to: "half/train-labels.idx.gz")
        try folder.write([0], to: "cache/small")
        let error = datasetError { _ = try load(small) }
        #expect(error?.exitCode == 66)
        let text = error?.description ?? ""
        for part in [
            "the files of small", "/nowhere/small: no such folder", "lacks test-images.idx, test-labels.idx",
            "$DATA_MIRROR: not set", "\(folder.path)/cache/small: not a folder",
            "apt-get install dataset-small",
            "unset OFFLINE", "https://example.org/small/", "DATA_MIRROR to the folder above it",
        ] { #expect(text.contains(part), "\(text) lacks \(part)") }
    }

    @Test("a file with other bytes is refused with both digests")
    func wrongDigest() throws {
        try small.writeFiles(to: folder, "cache/small", compressed: false)
        let path = try folder.write(idx([2], [1, 0]), to: "cache/small/test-labels.idx")
        let descriptor = try small.descriptor(in: folder)
        let expected = try #require(descriptor.members[.testLabels]?.first).sha256
        let error = datasetError { _ = try load(small) }
        guard case .wrongDigest(path, expected, let found) = error else {
            Issue.record("expected wrongDigest of \(path), found \(String(describing: error))")
            return
        }
        #expect(found.count == 64 && found != expected)
        #expect(error?.exitCode == 65)
    }

    @Test("another dataset's files in a shared mirror are passed over, and the log says so")
    func passedOver() throws {
        var other = small
        other.files["test-labels"] = idx([2], [1, 0])
        try other.writeFiles(to: folder, "mirror")
        try small.writeFiles(to: folder, "cache/small")
        let log = Log()
        #expect(try load(small, mirror: "mirror", log: log).test.labels == [2, 0])
        #expect(log.lines.count == 2 && log.lines[0].hasPrefix("passing over \(folder.path)/mirror: "))
    }

    @Test("a truncated, a swapped and a lying file are each refused, by name")
    func brokenFiles() throws {
        try small.writeFiles(to: folder, "cache/small")
        let whole = gzip(small.files["train-images"] ?? [])
        let path = try folder.write(Array(whole.dropLast(9)), to: "cache/small/train-images.idx.gz")
        #expect(
            datasetError { _ = try load(small) }
                == .brokenCompression(
                    file: path, offset: whole.count - 9,
                    problem: "the file ends in the middle of its gzip data"))
        try folder.write(gzip(small.files["train-labels"] ?? []), to: "cache/small/train-images.idx.gz")
        #expect(datasetError { _ = try load(small) }?.description.contains("found 1 dimensions") == true)
        try folder.write(
            gzip(idx([7, 2, 2], [UInt8](repeating: 0, count: 28))), to: "cache/small/train-images.idx.gz")
        #expect(datasetError { _ = try load(small) }?.description.contains("train: says 6, but") == true)
    }

    @Test("labels out of range are found behind right digests, and counts before")
    func wrongContent() throws {
        var labels = small
        labels.files["train-labels"] = idx([6], [0, 1, 2, 3, 1, 2])
        try labels.writeFiles(to: folder, "cache/small")
        let path = "\(folder.path)/cache/small/train-labels.idx.gz"
        #expect(
            datasetError { _ = try load(labels) }
                == .labelOutOfRange(file: path, offset: 11, label: 3, allowed: 0...2))
        var counts = small
        counts.files["train-labels"] = idx([5], [0, 1, 2, 0, 1])
        try counts.writeFiles(to: folder, "cache/small")
        #expect(datasetError { _ = try load(counts) }?.description.contains("holds 5 labels") == true)
    }

    @Test("a descriptor that is wrong about sizes is named with the key", arguments: ["train", "image"])
    func sizes(key: String) throws {
        var small = small
        if key == "train" { small.train = 7 } else { small.image = "[1, 4, 1]" }
        try small.writeFiles(to: folder, "cache/small")
        guard case .descriptorDisagrees(_, key, _, _, _) = datasetError({ _ = try load(small) }) else {
            Issue.record("expected descriptorDisagrees for \(key)")
            return
        }
    }

    @Test("parameters of another dataset, or that hold out everything, are refused")
    func parameters() throws {
        let descriptor = try small.descriptor(in: folder)
        let environment = DataEnvironment()
        #expect(
            datasetError {
                _ = try loadDataset(
                    descriptor, parameters: .init(dataset: "digits"), environment: environment)
            }?.exitCode == 64)
        #expect(
            datasetError {
                _ = try loadDataset(
                    descriptor, parameters: .init(dataset: "small", validation: 6), environment: environment)
            } == .validationTooLarge(requested: 6, available: 6))
    }

    @Test(
        "the environment is DATA_MIRROR and OFFLINE",
        arguments: [("1", true), ("yes", true), ("0", false), ("", false)])
    func environment(value: String, offline: Bool) {
        let read = DataEnvironment.process(["OFFLINE": value, "DATA_MIRROR": "/mirror"])
        #expect(read.offline == offline && read.mirror == "/mirror")
        #expect(DataEnvironment.process(["DATA_MIRROR": ""]).mirror == nil)
        #expect(!DataEnvironment.process([:]).offline)
    }
}

@Suite("Downloads")
struct DownloadTests {
    let folder: TemporaryFolder
    var small = SmallDataset()

    init() throws {
        folder = TemporaryFolder()
        small.extra = "url: file://\(folder.path)/remote"
    }

    private func load(offline: Bool = false) throws -> Dataset {
        try loadDataset(
            small.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment(offline: offline))
    }

    private var cached: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/cache/small")) ?? [])
            .filter { $0 != ".lock" }.sorted()
    }

    @Test("files that are nowhere are downloaded into the cache, once")
    func downloads() throws {
        try small.writeFiles(to: folder, "remote")
        #expect(try load().train.count == 6)
        #expect(
            cached == [
                "test-images.idx.gz", "test-labels.idx.gz", "train-images.idx.gz", "train-labels.idx.gz",
            ])
        try FileManager.default.removeItem(atPath: "\(folder.path)/remote")
        #expect(try load().train.count == 6)
    }

    @Test(
        "a partial download is continued; one that does not fit is begun again",
        arguments: [0, 1, 20, 57, 58, 200])
    func resumes(length: Int) throws {
        try small.writeFiles(to: folder, "remote")
        let whole = gzip(small.files["train-images"] ?? [])
        let partial = length <= whole.count ? Array(whole[..<length]) : [UInt8](repeating: 0, count: length)
        try folder.write(partial, to: "cache/small/train-images.idx.part.gz")
        #expect(try load().train.count == 6)
        #expect(cached.count == 4)
    }

    @Test("OFFLINE downloads nothing")
    func offline() throws {
        try small.writeFiles(to: folder, "remote")
        #expect(datasetError { _ = try load(offline: true) }?.exitCode == 66)
        #expect(!folder.exists("cache"))
    }

    @Test("a wrong file is not kept, and the message has the URL, the digests and what else helps")
    func wrongFile() throws {
        try small.writeFiles(to: folder, "remote")
        try folder.write(gzip(Array("<html>".utf8)), to: "remote/test-labels.idx.gz")
        let error = datasetError { _ = try load() }
        #expect(error?.exitCode == 74)
        let text = error?.description ?? ""
        for part in ["remote/test-labels.idx.gz could not be downloaded", "SHA-256", "DATA_MIRROR"] {
            #expect(text.contains(part), "\(text) lacks \(part)")
        }
        #expect(!cached.contains { $0.hasPrefix("test-labels") })
    }

    @Test("a server that has no such file is reported with curl's words")
    func absent() {
        let error = datasetError { _ = try load() }
        #expect(error?.exitCode == 74)
        #expect(error?.description.contains("curl: (37)") == true)
        #expect(cached.isEmpty)
    }
}
