import Files
import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite("Gzip files")
struct GzipTests {
    let folder: TemporaryFolder
    let content = idx([40], (0..<40).map { UInt8($0) })

    init() throws { folder = TemporaryFolder() }

    private func read(_ bytes: [UInt8], as name: String = "labels.gz") throws -> IDXArray<Int32> {
        try readLabels(folder.write(bytes, to: name))
    }

    @Test(
        "the content is read from plain and compressed files alike, whatever their names",
        arguments: ["labels", "labels.gz", "labels.xz", "labels.idx"], [true, false])
    func alike(name: String, compressed: Bool) throws {
        let array = try read(compressed ? gzip(content) : content, as: name)
        #expect(array.header.shape == [40])
        #expect(array.values == (0..<40).map { Int32($0) })
        // hashlib.sha256(bytes([0, 0, 8, 1, 0, 0, 0, 40] + list(range(40)))).hexdigest()
        #expect(array.digest == "be2f3c789e3a2942021523bad993868b4d225efbea6b220953363f8a1b2369da")
    }

    @Test("two members in a row are one content")
    func members() throws {
        #expect(try read(gzip(Array(content[..<13])) + gzip(Array(content[13...]))).values.count == 40)
    }

    @Test("every truncated file is refused, with the byte where it ends", arguments: 3..<71)
    func truncated(length: Int) throws {
        let whole = gzip(content)
        #expect(whole.count == 71)
        let error = datasetError { _ = try read(Array(whole[..<length])) }
        guard case .brokenCompression(let file, let offset, let problem) = error else {
            Issue.record("expected brokenCompression, found \(String(describing: error))")
            return
        }
        #expect(file == "\(folder.path)/labels.gz")
        #expect(offset == length)
        #expect(problem.contains("ends in the middle"))
    }

    @Test("every damaged byte of the data and the check sum is refused", arguments: 10..<71)
    func corrupt(position: Int) throws {
        var bytes = gzip(content)
        bytes[position] ^= 0x02
        let error = datasetError { _ = try read(bytes) }
        #expect(error != nil)
        #expect(error?.exitCode == 65)
    }

    @Test(
        "bytes after the end are refused, with the place where they begin, behind zeros too",
        arguments: [[65, 66], [0x1f], [0, 0, 65], [0x1f, 0x8b, 0x08]])
    func trailing(garbage: [UInt8]) throws {
        let error = datasetError { _ = try read(gzip(content) + garbage) }
        guard case .brokenCompression(_, let offset, let problem) = error else {
            Issue.record("expected brokenCompression, found \(String(describing: error))")
            return
        }
        if garbage[0] != 0x1f {
            let zeros = garbage.prefix { $0 == 0 }.count
            #expect(offset == 71 + zeros)
            #expect(
                problem.hasPrefix(
                    "there are \(garbage.count - zeros) bytes after the end of the gzip data: 41"))
        }
    }

    @Test(
        "zeros after the end do not count, nor between members", arguments: [1, 511, 512, 300_000, 1 << 20])
    func padding(count: Int) throws {
        let zeros = [UInt8](repeating: 0, count: count)
        #expect(try read(gzip(content) + zeros).values.count == 40)
        #expect(
            try read(gzip(Array(content[..<13])) + zeros + gzip(Array(content[13...]))).values.count == 40)
    }

    @Test("more zeros than fill up any block are refused")
    func longPadding() throws {
        let error = datasetError {
            _ = try read(gzip(content) + [UInt8](repeating: 0, count: 1 << 20 + 5))
        }
        #expect(error?.description.contains("there are 5 bytes after the end") == true)
    }

    @Test("what was packed twice is named, gzip or xz in either", arguments: ["gzip", "xz"], ["gzip", "xz"])
    func twice(outer: String, inner: String) throws {
        func packed(_ bytes: [UInt8], _ name: String) -> [UInt8] { name == "gzip" ? gzip(bytes) : xz(bytes) }
        let bytes = packed(packed(content, inner), outer)
        let error = datasetError { _ = try read(bytes) }
        #expect(
            error == .packedTwice(file: folder.path("labels.gz"), outer: outer, inner: inner))
        #expect(error?.description.contains("unpack it once") == true)
    }

    @Test("a file that declares more than it can hold is refused before it is inflated")
    func bombs() throws {
        let error = datasetError { _ = try read(gzip(idx([100_000_000], []))) }
        #expect(error?.description.contains("a file of this size can hold") == true)
    }

    @Test("content that goes on after what is declared is refused at the first byte too many")
    func longer() throws {
        let error = datasetError { _ = try read(gzip(content + [UInt8](repeating: 1, count: 60_000))) }
        guard case .brokenIDX(_, 48, "more bytes", _) = error else {
            Issue.record("expected brokenIDX at byte 48, found \(String(describing: error))")
            return
        }
    }

    @Test("a folder and a missing file cannot be read, and the message says so")
    func unreadable() throws {
        #expect(throws: FileError.notAFile(path: folder.path, found: "a folder")) {
            try readLabels(folder.path)
        }
        #expect(throws: FileError.missing(path: "/nowhere/x")) { try readLabels("/nowhere/x") }
        #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
        for path in ["/dev/zero", folder.path("pipe")] {
            #expect(throws: FileError.notAFile(path: path, found: "a pipe, socket or device")) {
                try readLabels(path)
            }
        }
    }
}
