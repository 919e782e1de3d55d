import TestSupport
import Testing

@testable import Datasets

@Suite("Gzip files")
struct GzipTests {
    let folder: TemporaryFolder
    let content = idx([40], (0..<40).map { UInt8($0) })

    init() throws { folder = TemporaryFolder() }

    private func read(_ bytes: [UInt8], as name: String = "labels.gz", limit: Int = 1000) throws -> IDXArray {
        try IDXArray(reading: folder.write(bytes, to: name), ranks: 1...1, limit: limit)
    }

    @Test(
        "the content is read from plain and compressed files alike",
        arguments: ["labels", "labels.gz", "labels.idx"])
    func alike(name: String) throws {
        let array = try read(name == "labels" ? content : gzip(content), as: name)
        #expect(array.shape == [40])
        #expect(array.values == (0..<40).map { UInt8($0) })
        // hashlib.sha256(bytes([0, 0, 8, 1, 0, 0, 0, 40] + list(range(40)))).hexdigest()
        #expect(array.digest == "be2f3c789e3a2942021523bad993868b4d225efbea6b220953363f8a1b2369da")
    }

    @Test("two members in a row are one content")
    func members() throws {
        #expect(try read(gzip(Array(content[..<13])) + gzip(Array(content[13...]))).values.count == 40)
    }

    @Test("every truncated file is refused, with the byte where it ends", arguments: 0..<71)
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
        "bytes after the end are refused, with the place where they begin",
        arguments: [[0], [0, 0, 0], [65, 66], [0x1f]])
    func trailing(garbage: [UInt8]) throws {
        let error = datasetError { _ = try read(gzip(content) + garbage) }
        guard case .brokenCompression(_, let offset, let problem) = error else {
            Issue.record("expected brokenCompression, found \(String(describing: error))")
            return
        }
        if garbage[0] != 0x1f {
            #expect(offset == 71)
            #expect(problem.contains("\(garbage.count) bytes after the end"))
        }
    }

    @Test("a name that ends in .gz promises gzip")
    func notGzip() throws {
        let error = datasetError { _ = try read(content) }
        guard case .brokenCompression(_, 0, let problem) = error else {
            Issue.record("expected brokenCompression at byte 0, found \(String(describing: error))")
            return
        }
        #expect(problem.contains("not gzip data"))
    }

    @Test("a file that declares more than it can hold, or than is allowed, is refused before it is inflated")
    func bombs() throws {
        let declaresMuch = gzip(idx([100_000_000], []))
        let tooMuchForItsSize = datasetError { _ = try read(declaresMuch, limit: .max) }
        #expect(tooMuchForItsSize?.description.contains("a file of this size can hold") == true)
        let tooMuch = datasetError { _ = try read(gzip(content), limit: 39) }
        #expect(tooMuch?.description.contains("found 40 values, expected at most 39 values") == true)
    }

    @Test("content that goes on after what is declared is refused at the first byte too many")
    func longer() throws {
        let error = datasetError { _ = try read(gzip(content + [UInt8](repeating: 0, count: 60_000))) }
        guard case .brokenIDX(_, 48, "more bytes", _) = error else {
            Issue.record("expected brokenIDX at byte 48, found \(String(describing: error))")
            return
        }
    }

    @Test("a folder and a missing file cannot be read, and the message says so")
    func unreadable() throws {
        #expect(throws: DatasetError.unreadable(file: folder.path, reason: "it is not a regular file")) {
            try IDXArray(reading: folder.path, ranks: 1...1)
        }
        #expect(throws: DatasetError.unreadable(file: "/nowhere/x", reason: "No such file or directory")) {
            try IDXArray(reading: "/nowhere/x", ranks: 1...1)
        }
    }
}
