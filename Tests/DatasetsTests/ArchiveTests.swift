import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite("Archives")
struct ArchiveTests {
    let folder: TemporaryFolder
    let small = SmallCIFAR()

    init() throws { folder = TemporaryFolder() }

    private func load(_ small: SmallCIFAR, offline: Bool = true) throws -> Dataset {
        try loadDataset(
            small.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment(mirror: folder.path("mirror"), offline: offline))
    }

    private static func packed(_ bytes: [UInt8], _ suffix: String) -> [UInt8] {
        suffix == ".gz" ? gzip(bytes) : suffix == ".xz" ? xz(bytes) : bytes
    }

    /// Reads `bytes` as an archive: the names and contents of its files.
    private func read(_ bytes: [UInt8], as name: String = "a.tar") throws -> [String: [UInt8]] {
        let archive = try TarArchive(opening: folder.write(bytes, to: name), limit: 1 << 22)
        var files: [String: [UInt8]] = [:]
        while let entry = try archive.next() {
            var stream = ByteStream(entry, of: archive)
            files[entry.name] = try stream.read(entry.size + 1)
        }
        return files
    }

    @Test(
        "a dataset is read from an archive in every place, plain, gzip or xz",
        arguments: ["mirror/small", "mirror", "cache/small"], ["", ".gz", ".xz"])
    func places(place: String, suffix: String) throws {
        try folder.write(Self.packed(small.archive, suffix), to: "\(place)/small.tar\(suffix)")
        let dataset = try load(small)
        #expect(dataset.train.labels == [0, 1, 2, 3, 0])
        #expect(dataset.train.images == (0...4).flatMap(SmallCIFAR.image))
        #expect(dataset.test.images == (5...6).flatMap(SmallCIFAR.image))
    }

    @Test(
        "files in the archive's folder, unpacked, are found, also compressed", arguments: ["", ".gz", ".xz"])
    func unpacked(suffix: String) throws {
        for (name, bytes) in small.files {
            try folder.write(Self.packed(bytes, suffix), to: "mirror/small-bin/\(name)\(suffix)")
        }
        #expect(try load(small).test.labels == [1, 2])
    }

    @Test("a broken archive is passed over for a good one further on, and named if there is none")
    func passedOver() throws {
        let path = try folder.write(small.archive.dropLast(1024), to: "mirror/small.tar")
        #expect(datasetError { _ = try load(small) }?.description.contains(path) == true)
        try folder.write(small.archive, to: "cache/small/small.tar")
        #expect(try load(small).train.count == 5)
    }

    @Test("an archive without one of the files is refused, with its name")
    func missing() throws {
        let bytes =
            tarEntry("small-bin/one.bin", small.files["one.bin"] ?? [])
            + tarEntry("two.bin", small.files["two.bin"] ?? []) + tarEnd()
        let path = try folder.write(bytes, to: "mirror/small.tar")
        #expect(
            datasetError { _ = try load(small) }
                == .membersMissing(
                    archive: path, members: ["small-bin/test.bin", "small-bin/two.bin"],
                    note: "it holds two.bin; fetch the file again"))
    }

    @Test("a wrong file in an archive is refused with the archive's and its own name")
    func wrongMember() throws {
        var other = small
        other.files["two.bin"]?[5] ^= 1
        let path = try folder.write(xz(other.archive), to: "mirror/small.tar.xz")
        let error = datasetError { _ = try load(small) }
        guard case .wrongDigest("\(path): small-bin/two.bin", _, _) = error else {
            Issue.record("expected wrongDigest, found \(String(describing: error))")
            return
        }
        var short = small
        short.files["one.bin"]?.removeLast()
        try folder.write(xz(short.archive), to: "mirror/small.tar.xz")
        let text = datasetError { _ = try load(small) }?.description ?? ""
        #expect(text.hasPrefix("\(path): small-bin/one.bin, byte 38 of the content: found 18 bytes"))
    }

    @Test("an archive is downloaded and kept; a wrong one is not")
    func downloads() throws {
        var small = small
        small.extra = "url: file://\(folder.path)/remote"
        var other = small
        other.files["two.bin"]?[5] ^= 1
        try folder.write(gzip(other.archive), to: "remote/small.tar.gz")
        let error = datasetError { _ = try load(small, offline: false) }
        #expect(error?.exitCode == 74 && error?.description.contains("SHA-256") == true)
        #expect(!folder.exists("cache/small/small.tar.gz"))
        try folder.write(gzip(small.archive), to: "remote/small.tar.gz")
        #expect(try load(small, offline: false).train.count == 5)
        try FileManager.default.removeItem(atPath: folder.path("remote"))
        #expect(try load(small, offline: false).train.count == 5)
    }

    @Test("files that are nowhere: the message names the archive too")
    func nowhere() throws {
        try folder.write([0], to: "mirror/small/one.bin")
        let text = datasetError { _ = try load(small) }?.description ?? ""
        for part in [
            "lacks small.tar, and test.bin, two.bin (plain, .gz or .xz)", "put small.tar, or test.bin",
        ] {
            #expect(text.contains(part), "\(text) lacks \(part)")
        }
    }

    @Test("names, prefixes and headers of both tar formats are read, and folders passed over")
    func formats() throws {
        let pax = Array("20 comment=whatever\n27 mtime=1700000000.5\n".utf8)
        let bytes =
            tarEntry("d/", [], type: "5") + tarEntry("./d/a", [1, 2, 3])
            + tarEntry("b", [], prefix: "long/path")
            + tarEntry(
                "c", [UInt8](repeating: 7, count: 512), type: "\u{0}", prefix: "not a path", isGNU: true)
            + tarEntry("pax", pax, type: "x") + tarEntry("e", [4]) + tarEnd(20)
        let zeros = [UInt8](repeating: 7, count: 512)
        #expect(try read(bytes) == ["d/a": [1, 2, 3], "long/path/b": [], "c": zeros, "e": [4]])
    }

    @Test(
        "every truncated archive is refused, with the byte where it ends",
        arguments: [
            0, 1, 511, 512, 513, 600, 1023, 1024, 1025, 1536, 1537, 2047,
        ])
    func truncated(length: Int) throws {
        let whole = tarEntry("a", [UInt8](repeating: 9, count: 300)) + tarEnd()
        #expect(whole.count == 2048)
        let error = datasetError { _ = try read(Array(whole[..<length])) }
        guard case .brokenTar(let file, let offset, let problem) = error else {
            Issue.record("expected brokenTar, found \(String(describing: error))")
            return
        }
        #expect(file == folder.path("a.tar") && offset == length && problem.contains("the archive ends"))
    }

    @Test("bytes after the end are refused, with the place of the first", arguments: [1536, 2048, 2600])
    func trailing(position: Int) throws {
        var bytes = tarEntry("a", [1]) + tarEnd(4)
        bytes[position] = 1
        #expect(
            datasetError { _ = try read(bytes) }
                == .brokenTar(
                    file: folder.path("a.tar"), offset: position,
                    problem: "there are bytes after the end of the archive"))
    }

    @Test("every damaged byte of a header is refused", arguments: 0..<512)
    func damaged(position: Int) throws {
        var bytes = tarEntry("one", [1]) + tarEntry("two", [2]) + tarEnd()
        bytes[1024 + position] ^= 0x01
        let error = datasetError { _ = try read(bytes) }
        guard case .brokenTar(_, 1024, _) = error else {
            Issue.record("expected brokenTar at byte 1024, found \(String(describing: error))")
            return
        }
    }

    /// An entry that is not read, and what the message says.
    struct Refused: Sendable, CustomTestStringConvertible {
        var says: String
        var bytes: [UInt8]
        var testDescription: String { says }
    }

    static let refusals: [Refused] = [
        Refused(says: "'link' is of type '2'", bytes: tarEntry("link", [], type: "2")),
        Refused(says: "'long' is of type 'L'", bytes: tarEntry("long", [65], type: "L")),
        Refused(says: "changes 'path'", bytes: tarEntry("x", Array("10 path=b\n".utf8), type: "x")),
        Refused(says: "changes 'size'", bytes: tarEntry("x", Array("9 size=4\n".utf8), type: "g")),
        Refused(
            says: "too long", bytes: tarEntry("x", [UInt8](repeating: 10, count: 1 << 20 + 1), type: "x")),
        Refused(says: "size is not an octal", bytes: tarEntry("x", [], edit: { $0[130] = 0x39 })),
        Refused(says: "size is not an octal", bytes: tarEntry("x", [], edit: { $0[124] = 0x80 })),
        Refused(says: "no tar header", bytes: [UInt8](repeating: 65, count: 512)),
    ]

    @Test("what is no file or folder, or would change names and sizes, is refused", arguments: refusals)
    func refused(given: Refused) throws {
        let error = datasetError { _ = try read(tarEntry("a", [1]) + given.bytes + tarEnd()) }
        guard case .brokenTar(_, 1024, let problem) = error else {
            Issue.record("expected brokenTar at byte 1024, found \(String(describing: error))")
            return
        }
        #expect(problem.contains(given.says))
        #expect(error?.exitCode == 65)
    }

    @Test("what tar itself packs is read", arguments: ["ustar", "gnu", "pax"])
    func real(format: String) throws {
        for (name, bytes) in small.files { try folder.write(bytes, to: "in/small-bin/\(name)") }
        let result = try Program.system(
            "tar",
            ["--format=\(format)", "-C", folder.path("in"), "-cf", folder.path("out.tar"), "small-bin"])
        #expect(result.status == 0, "\(result.error)")
        let found = try read(Array(folder.bytes("out.tar")), as: "again.tar")
        #expect(found == Dictionary(uniqueKeysWithValues: small.files.map { ("small-bin/\($0)", $1) }))
    }
}
