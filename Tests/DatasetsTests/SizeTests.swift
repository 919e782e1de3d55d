import Foundation
import Parameters
import TestSupport
import Testing

@testable import Datasets

@Suite("Sizes")
struct SizeTests {
    let folder: TemporaryFolder
    var small = SmallDataset()

    init() throws { folder = TemporaryFolder() }

    private func load(_ small: SmallDataset) throws -> Dataset {
        try loadDataset(
            small.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment(mirror: folder.path("mirror")))
    }

    /// Extents and counts of a descriptor.
    struct Sizes: Sendable, CustomTestStringConvertible {
        var image: String
        var train = 1
        var test = 1
        var testDescription: String { "\(image) x (\(train) + \(test))" }
    }

    static let tooLarge = [
        Sizes(image: "[65536, 65536, 65536]", train: 32_768),
        Sizes(image: "[65536, 65536, 65536]", train: 100_000_000, test: 100_000_000),
        Sizes(image: "[65536, 65536, 65536]"),
        Sizes(image: "[65536, 65536, 1]"),
        Sizes(image: "[1, 65536, 32768]", train: 1, test: 2),
        Sizes(image: "[8, 8, 1]", train: 100_000_000),
        Sizes(image: "[8, 8, 1]", test: 100_000_000),
    ]

    @Test("images of more than 4 GiB in all are refused where the descriptor is read", arguments: tooLarge)
    func descriptor(sizes: Sizes) throws {
        var small = small
        (small.image, small.train, small.test) = (sizes.image, sizes.train, sizes.test)
        let error = #expect(throws: ParameterError.self) { try small.descriptor(in: folder) }
        let text = error?.description ?? ""
        for part in [":7: image", "\(sizes.train) + \(sizes.test) samples", "4 GiB"] {
            #expect(text.contains(part), "\(text)")
        }
    }

    @Test(
        "the largest that are allowed overflow nothing",
        arguments: [
            Sizes(image: "[65536, 32768, 1]"), Sizes(image: "[1, 1, 1]", train: 100_000_000),
            Sizes(image: "[8, 8, 1]", train: 60_000_000, test: 7_000_000),
        ])
    func largest(sizes: Sizes) throws {
        var small = small
        (small.image, small.train, small.test) = (sizes.image, sizes.train, sizes.test)
        try small.writeFiles(to: folder, "mirror")
        let descriptor = try small.descriptor(in: folder)
        #expect(descriptor.contentSize <= DatasetDescriptor.largestContent)
        #expect(descriptor.largestArchive > descriptor.contentSize)
        #expect(datasetError { _ = try load(small) }?.exitCode == 65)
    }

    @Test(
        "what a file declares is held against the descriptor before its values are read",
        arguments: [
            ("train-images", [7, 2, 2], "train", "7 images"),
            ("train-images", [5, 2, 2], "train", "5 images"),
            ("train-images", [6, 2, 3], "image", "images of 2 x 3 x 1"),
            ("train-images", [6, 2, 2, 3], "image", "images of 2 x 2 x 3"),
            ("test-images", [3, 2, 2], "test", "3 images"), ("train-labels", [7], "train", "7 labels"),
            ("test-labels", [1], "test", "1 labels"), ("train-labels", [6, 65], "column", "columns 0...64"),
        ])
    func declared(file: String, shape: [Int], key: String, holds: String) throws {
        var small = small
        // A header alone: who reads on finds the end of the content.
        small.files[file] = idx(shape, [])
        try small.writeFiles(to: folder, "mirror")
        let error = datasetError { _ = try load(small) }
        guard case .descriptorDisagrees(_, key, _, folder.path("mirror/\(file).idx.gz"), holds) = error else {
            Issue.record("expected descriptorDisagrees for \(key), found \(String(describing: error))")
            return
        }
    }

    @Test("what is packed tighter than images can be is hashed before its header is believed")
    func bomb() throws {
        var small = small
        (small.image, small.train) = ("[512, 512, 1]", 300)
        for (name, bytes) in small.files { try folder.write(xz(bytes), to: "mirror/\(name).idx.xz") }
        // Whoever reads it before hashing finds an image too many.
        let content = idx([301, 512, 512], [UInt8](repeating: 0, count: 301 << 18))
        let path = try folder.write(xz(content), to: "mirror/train-images.idx.xz")
        guard case .wrongDigest(path, _, _) = datasetError({ _ = try load(small) }) else {
            Issue.record("expected wrongDigest")
            return
        }
    }

    @Test("hashing stops where a content is longer than it can be", arguments: ["plain", "gzip", "xz"])
    func hashing(format: String) throws {
        let bytes = [UInt8](repeating: 1, count: 50_000)
        let path = try folder.write(
            format == "gzip" ? gzip(bytes) : format == "xz" ? xz(bytes) : bytes, to: "x")
        func hash(limit: Int) throws -> String {
            var stream = try ByteStream(opening: path)
            return try stream.digest(limit: limit)
        }
        #expect(try hash(limit: 50_000).count == 64)
        #expect(datasetError { _ = try hash(limit: 49_999) } == .tooLarge(file: path, limit: 49_999))
    }

    @Test("an archive is not unpacked beyond what the dataset can need", arguments: [0o7777_7777, 1 << 32])
    func archive(size: Int) throws {
        let digits = Array(String(size, radix: 8).utf8)
        let huge = tarEntry("other", []) { header in
            let field = [UInt8](repeating: 0x30, count: 11 - digits.count) + digits
            header.replaceSubrange(124..<135, with: field)
        }
        let path = try folder.write(huge + [UInt8](repeating: 7, count: 5000), to: "a.tar")
        let archive = try TarArchive(opening: path, limit: 1 << 20)
        #expect(datasetError { _ = try archive.next() } == .tooLarge(file: path, limit: 1 << 20))
    }

    @Test("holding samples out keeps the others in their order", arguments: [1, 5, 19])
    func heldOut(count: Int) throws {
        let split = Split(
            shape: ImageShape(height: 1, width: 3, channels: 1), images: (0..<60).map { UInt8($0) },
            labels: (0..<20).map { Int32($0) })
        let (rest, heldOut) = try split.holdingOut(count, seed: 4)
        #expect(rest == split.selecting(rest.labels.map(Int.init)))
        #expect(heldOut == split.selecting(heldOut.labels.map(Int.init)))
        #expect(rest.labels == rest.labels.sorted() && heldOut.labels == heldOut.labels.sorted())
        #expect(Set(rest.labels + heldOut.labels).count == 20)
    }
}
