import TestSupport
import Testing

@testable import Datasets

@Suite("IDX files")
struct IDXTests {
    let folder: TemporaryFolder

    init() throws { folder = TemporaryFolder() }

    /// A file that is wrong, the byte where it is found out, and what the message must say.
    struct Broken: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var offset: Int
        var found: String
        var testDescription: String { name }
    }

    static let broken: [Broken] = [
        Broken(name: "empty", bytes: [], offset: 0, found: "the end of the content"),
        Broken(name: "half a magic number", bytes: [0, 0, 8], offset: 3, found: "the end of the content"),
        Broken(name: "text", bytes: Array("<html>".utf8), offset: 0, found: "3c 68 74 6d"),
        Broken(name: "big-endian PNG", bytes: [0x89, 0x50, 0x4e, 0x47], offset: 0, found: "89 50 4e 47"),
        Broken(
            name: "reals", bytes: idx([1, 1, 1], [0], type: 0x0d), offset: 2,
            found: "element type 0d (32-bit real)"),
        Broken(name: "no type", bytes: idx([1, 1, 1], [0], type: 0x77), offset: 2, found: "element type 77"),
        Broken(name: "labels for images", bytes: idx([3], [0, 1, 2]), offset: 3, found: "1 dimensions"),
        Broken(name: "rank 0", bytes: idx([], [0]), offset: 3, found: "0 dimensions"),
        Broken(name: "rank 255", bytes: idx([3], [], rank: 255), offset: 3, found: "255 dimensions"),
        Broken(
            name: "half the extents", bytes: idx([3, 2], [], rank: 3), offset: 12,
            found: "the end of the content"),
        Broken(name: "no images", bytes: idx([0, 2, 2], []), offset: 4, found: "an extent of 0 (0 x 2 x 2)"),
        Broken(
            name: "no columns", bytes: idx([3, 2, 0], []), offset: 12, found: "an extent of 0 (3 x 2 x 0)"),
        Broken(
            name: "one value missing", bytes: idx([2, 2, 2], [1, 2, 3, 4, 5, 6, 7]), offset: 4,
            found: "2 x 2 x 2 values"),
        Broken(
            name: "one value too many", bytes: idx([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9]), offset: 24,
            found: "more bytes"),
        Broken(
            name: "overflow", bytes: idx([0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [1]), offset: 4,
            found: "4294967295 x 4294967295 x 4294967295 values"),
    ]

    @Test("each wrong file is refused with its byte and what was found", arguments: broken)
    func refused(file: Broken) throws {
        let path = try folder.write(file.bytes, to: "images")
        let error = datasetError { _ = try IDXArray(reading: path, ranks: 3...4) }
        guard case .brokenIDX(let named, let offset, let found, _) = error else {
            Issue.record("expected brokenIDX, found \(String(describing: error))")
            return
        }
        #expect(named == path)
        #expect(offset == file.offset)
        #expect(found == file.found)
        #expect(error?.exitCode == 65)
    }

    @Test("a compressed file with a value missing says how many")
    func missingValues() throws {
        let path = try folder.write(gzip(idx([2, 2, 2], [1, 2, 3, 4, 5])), to: "images.gz")
        let error = datasetError { _ = try IDXArray(reading: path, ranks: 3...3) }
        #expect(
            error?.description == "\(path), byte 21 of the content: found the end of the content, "
                + "expected 3 values more: the header declares 2 x 2 x 2")
    }

    @Test(
        "shape and values are those of the file, last dimension fastest",
        arguments: [[2, 1, 3], [2, 1, 1, 3]])
    func values(shape: [Int]) throws {
        let array = try IDXArray(
            reading: folder.write(idx(shape, [1, 2, 3, 4, 5, 6]), to: "images"), ranks: 3...4)
        #expect(array.shape == shape)
        #expect(array.values == [1, 2, 3, 4, 5, 6])
    }
}
