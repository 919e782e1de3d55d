import Files
import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite("Files under other names")
struct NearMissTests {
    let folder: TemporaryFolder
    let small = SmallDataset()

    init() throws { folder = TemporaryFolder() }

    private func load(_ small: SmallDataset) throws -> Dataset {
        try loadDataset(
            small.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment(mirror: folder.path("mirror")))
    }

    private func load(_ cifar: SmallCIFAR) throws -> Dataset {
        try loadDataset(
            cifar.descriptor(in: folder), parameters: DatasetParameters(dataset: "small"),
            environment: DataEnvironment(mirror: folder.path("mirror")))
    }

    /// Where a file lies instead, by the name of its role.
    struct Place: Sendable, CustomTestStringConvertible {
        var pattern: String
        var testDescription: String { pattern }
        func path(_ role: String) -> String {
            let capital = role.prefix(1).uppercased() + role.dropFirst()
            return pattern.replacingOccurrences(of: "ROLE", with: role)
                .replacingOccurrences(of: "DOTS", with: role.replacingOccurrences(of: "-", with: "."))
                .replacingOccurrences(of: "LINES", with: role.replacingOccurrences(of: "-", with: "_"))
                .replacingOccurrences(of: "CAPITAL", with: capital)
        }
    }

    static let found = [
        "DOTS.idx", "DOTS-idx", "LINES.idx.gz", "CAPITAL.IDX", "LINES idx", "ROLE.idx.gz.gz", "ROLE.idx.GZ",
        "ROLE.idx (1).gz", "ROLE(2).idx",
        "ROLE.idx/ROLE.idx", "ROLE.idx/DOTS.idx.gz", "ROLE.idx.gz/ROLE.idx", "raw/ROLE.idx", "RAW/DOTS.idx",
        "small/ROLE.idx", "Small/raw/ROLE.idx.gz", "SMALL/ROLE-idx", "s-mall/raw/ROLE.idx",
    ].map { Place(pattern: $0) }

    @Test("what unpackers and other programs make of names and folders is found", arguments: found)
    func finds(place: Place) throws {
        for (role, bytes) in small.files { try folder.write(bytes, to: "mirror/" + place.path(role)) }
        #expect(try load(small).test.labels == [2, 0])
    }

    @Test("the exact name comes before others, and a folder's own files before deeper ones")
    func order() throws {
        try small.writeFiles(to: folder, "mirror")
        for name in ["mirror/test_labels.idx", "mirror/raw/test-labels.idx"] {
            try folder.write([0], to: name)
        }
        #expect(try load(small).test.labels == [2, 0])
    }

    @Test("what lies elsewhere is named, and not read", arguments: ["MNIST/raw", "other", "a/b"])
    func elsewhere(place: String) throws {
        try small.writeFiles(to: folder, "mirror/\(place)")
        let error = datasetError { _ = try load(small) }
        #expect(error?.exitCode == 66)
        let text = error?.description ?? ""
        #expect(
            text.contains("\(folder.path)/mirror/\(place) has test-images.idx, test-labels.idx"), "\(text)")
        #expect(text.contains("`places`"))
    }

    @Test("what lies in a folder is named in place of what is missing")
    func listed() throws {
        for name in ["readme.txt", "archive.zip", "t1", "t2", "t3", "t4", "t5", ".hidden"] {
            try folder.write([0], to: "mirror/\(name)")
        }
        let text = datasetError { _ = try load(small) }?.description ?? ""
        #expect(text.contains("there are archive.zip, readme.txt, t1, t2, t3, t4 and 1 more"), "\(text)")
    }

    @Test(
        "other versions of CIFAR are recognised, packed, unpacked and renamed",
        arguments: [
            ("cifar-10-python.tar.gz", "Python"), ("cifar-100-python/train", "Python"),
            ("cifar-10-batches-py/data_batch_1", "Python"), ("one", "Python"),
            ("cifar-10-matlab.tar.gz", "MATLAB"), ("cifar-10-batches-mat/x.mat", "MATLAB"),
        ])
    func versions(name: String, version: String) throws {
        try folder.write([0x80, 2], to: "mirror/\(name)")
        var small = SmallCIFAR()
        small.extra = "url: https://example.org/bin"
        let text = datasetError { _ = try load(small) }?.description ?? ""
        let there = name.split(separator: "/")[0]
        let expected =
            "\(there) is of the \(version) version, which is not read; the binary version is needed, "
            + "small.tar from https://example.org/bin/"
        #expect(text.contains(expected), "\(text)")
    }

    @Test(
        "the Python version under the archive's name is recognised by what it holds, and a pickle by its bytes"
    )
    func pickles() throws {
        let archive = tarEntry("cifar-10-batches-py/data_batch_1", [0x80, 2]) + tarEnd()
        try folder.write(gzip(archive), to: "mirror/small.tar.gz")
        let text = datasetError { _ = try load(SmallCIFAR()) }?.description ?? ""
        #expect(text.contains("cifar-10-batches-py/data_batch_1 is of the Python version"), "\(text)")
        let other = TemporaryFolder()
        for name in ["one.bin", "two.bin", "test.bin"] {
            try other.write([0x80, 3, 0x7d] + [UInt8](repeating: 9, count: 50), to: name)
        }
        let environment = DataEnvironment(mirror: other.path)
        let error = datasetError {
            _ = try loadDataset(
                SmallCIFAR().descriptor(in: other), parameters: DatasetParameters(dataset: "small"),
                environment: environment)
        }
        #expect(error?.description.contains("(the file begins like a Python pickle)") == true)
    }

    @Test(
        "what a file is instead is named",
        arguments: [
            ("<!DOCTYPE html>", "a web page"), ("<html>", "a web page"), ("PK\u{3}\u{4}", "a ZIP archive"),
            ("BZh9", "bzip2 data"), ("version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        ])
    func kinds(start: String, name: String) throws {
        let bytes = Array(start.utf8) + [UInt8](repeating: 32, count: 600)
        #expect(FileKind.name(of: bytes)?.hasPrefix(name) == true)
        try small.writeFiles(to: folder, "mirror")
        try folder.write(bytes, to: "mirror/train-images.idx.gz")
        let text = datasetError { _ = try load(small) }?.description ?? ""
        #expect(text.contains("train-images.idx.gz, byte 0 of the content"), "\(text)")
        try folder.write(bytes, to: "mirror/small.tar")
        let archive = datasetError { _ = try load(SmallCIFAR()) }?.description ?? ""
        #expect(archive.contains("it begins like \(name)"), "\(archive)")
    }

    @Test("links that lead nowhere or round in circles are named as such")
    func links() throws {
        try small.writeFiles(to: folder, "mirror")
        let path = folder.path("mirror/test-labels.idx.gz")
        for (target, found) in [
            ("/nowhere/x", "a link to '/nowhere/x' (nothing is there)"),
            ("test-labels.idx.gz", "a link to 'test-labels.idx.gz'"),
        ] {
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
            #expect(throws: FileError.notAFile(path: path, found: found)) { try load(small) }
        }
        let loop = folder.path("mirror/raw")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: ".")
        try FileManager.default.removeItem(atPath: path)
        #expect(datasetError { _ = try load(small) }?.exitCode == 66)
    }

    @Test("a missing permission is named as such", .enabled(if: geteuid() != 0, "root may read everything"))
    func permissions() throws {
        try small.writeFiles(to: folder, "mirror")
        let file = folder.path("mirror/test-labels.idx.gz")
        #expect(chmod(file, 0) == 0)
        #expect(throws: FileError.system(operation: "read", path: file, code: EACCES)) { try load(small) }
        #expect(chmod(folder.path("mirror"), 0) == 0)
        defer { chmod(folder.path("mirror"), 0o700) }
        let text = datasetError { _ = try load(small) }?.description ?? ""
        #expect(text.contains("mirror ($DATA_MIRROR): permission denied"), "\(text)")
    }
}
