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
        Broken(
            name: "big-endian PNG", bytes: [0x89, 0x50, 0x4e, 0x47], offset: 0,
            found: "89 50 4e 47 (a PNG image)"),
        Broken(
            name: "half a value", bytes: idx([1, 1, 1], [0, 0, 0], type: 0x0c), offset: 4,
            found: "1 x 1 x 1 values"),
        Broken(
            name: "ZIP", bytes: Array("PK\u{3}\u{4}".utf8), offset: 0, found: "50 4b 03 04 (a ZIP archive)"),
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
        let error = datasetError { _ = try readImages(path) }
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
        let error = datasetError { _ = try readImages(path, ranks: 3...3) }
        #expect(
            error?.description == "\(path), byte 21 of the content: found the end of the content, "
                + "expected 3 values more: the header declares 2 x 2 x 2")
    }

    @Test(
        "shape and values are those of the file, last dimension fastest",
        arguments: [[2, 1, 3], [2, 1, 1, 3]])
    func values(shape: [Int]) throws {
        let array = try readImages(folder.write(idx(shape, [1, 2, 3, 4, 5, 6]), to: "images"))
        #expect(array.header.shape == shape)
        #expect(array.values == [1, 2, 3, 4, 5, 6])
    }

    @Test("whole numbers are read from every type", arguments: IDXType.allCases)
    func types(type: IDXType) throws {
        let numbers: [Double] = [0, 1, 2, 100, 7, 127]
        let labels = try readLabels(
            folder.write(idx([6], encoded(numbers, as: type), type: type.rawValue), to: "labels"))
        #expect(labels.values == [0, 1, 2, 100, 7, 127])
        #expect(labels.offset(of: 2) == 8 + 2 * type.width)
        guard !type.isReal else { return }
        let images = try readImages(
            folder.write(idx([1, 2, 3], encoded(numbers, as: type), type: type.rawValue), to: "images"))
        #expect(images.values == [0, 1, 2, 100, 7, 127])
    }

    @Test("images of reals stand for shares of 255", arguments: [IDXType.real32, .real64])
    func reals(type: IDXType) throws {
        let bytes = encoded([0, 1, 0.5, 1.0 / 255, 0.0019], as: type)
        let images = try readImages(folder.write(idx([1, 1, 5], bytes, type: type.rawValue), to: "images"))
        #expect(images.values == [0, 255, 128, 1, 0])
    }

    @Test(
        "values that no image has are refused with their byte",
        arguments: [
            (IDXType.signedByte, -1.0), (.integer16, 256), (.integer32, -70_000), (.real32, 2),
            (.real64, -0.25), (.real32, Double.nan), (.real64, .infinity),
        ])
    func outside(type: IDXType, value: Double) throws {
        let bytes = encoded([0, 1, value, 0], as: type)
        let path = try folder.write(idx([1, 2, 2], bytes, type: type.rawValue), to: "images")
        guard
            case .brokenIDX(path, let offset, let found, let allowed) = datasetError({
                _ = try readImages(path)
            })
        else {
            Issue.record("expected brokenIDX")
            return
        }
        #expect(offset == 16 + 2 * type.width)
        #expect(found.hasPrefix("the \(type)") && allowed.contains(type.isReal ? "0...1" : "0...255"))
    }

    @Test("labels that are no whole numbers are refused", arguments: [0.5, 1e300, -.infinity])
    func partialLabels(value: Double) throws {
        let path = try folder.write(idx([2], encoded([0, value], as: .real64), type: 0x0e), to: "labels")
        guard case .brokenIDX(path, 16, _, "a whole number") = datasetError({ _ = try readLabels(path) })
        else {
            Issue.record("expected brokenIDX at byte 16")
            return
        }
    }

    @Test("a column of labels of rank 2 is read, the first or another", arguments: 0..<3)
    func column(index: Int) throws {
        let numbers: [Double] = [0, 10, 20, 1, 11, 21]
        let path = try folder.write(idx([2, 3], encoded(numbers, as: .integer32), type: 0x0c), to: "labels")
        let labels = try readLabels(path, column: index)
        #expect(labels.values == [Int32(10 * index), Int32(10 * index + 1)])
        #expect(labels.offset(of: 1) == 12 + 4 * (3 + index))
    }

    @Test("more values than fit a piece are all read", arguments: [IDXType.unsignedByte, .integer16])
    func pieces(type: IDXType) throws {
        let count = (1 << 20) + 3
        let values = (0..<count).map { Double($0 % 101) }
        let path = try folder.write(
            idx([count], encoded(values, as: type), type: type.rawValue), to: "labels")
        #expect(try readLabels(path).values == values.map { Int32($0) })
    }

    @Test("zeros behind the values do not count, up to 1 MiB of them")
    func padding() throws {
        let content = idx([2], [1, 2])
        let plain = try readLabels(folder.write(content, to: "labels"))
        for count in [1, 512, 1 << 20] {
            let padded = try folder.write(content + [UInt8](repeating: 0, count: count), to: "padded")
            #expect(try readLabels(padded).digest == plain.digest)
        }
        let long = try folder.write(content + [UInt8](repeating: 0, count: 1 << 20 + 1), to: "padded")
        #expect(datasetError { _ = try readLabels(long) }?.description.contains("found more bytes") == true)
        let garbage = try folder.write(content + [0, 0, 7], to: "padded")
        #expect(
            datasetError { _ = try readLabels(garbage) }?.description.contains("byte 12 of the content")
                == true)
    }
}
