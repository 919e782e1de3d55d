import TestSupport
import Testing

@testable import Datasets

@Suite("Xz files")
struct XZTests {
    let folder: TemporaryFolder
    let content = idx([400], (0..<400).map { UInt8(truncatingIfNeeded: $0 * $0) })

    init() throws { folder = TemporaryFolder() }

    private func read(_ bytes: [UInt8], as name: String = "labels.xz", limit: Int = 1000) throws -> IDXArray {
        try IDXArray(reading: folder.write(bytes, to: name), ranks: 1...1, limit: limit)
    }

    @Test("the content is that of the plain file, whatever its name", arguments: ["labels", "labels.xz"])
    func alike(name: String) throws {
        #expect(try read(xz(content), as: name).values == read(content, as: "plain").values)
    }

    @Test("two streams in a row are one content")
    func streams() throws {
        #expect(try read(xz(Array(content[..<13])) + xz(Array(content[13...]))).values.count == 400)
    }

    @Test("every truncated file is refused, with the byte where it ends")
    func truncated() throws {
        let whole = xz(content)
        for length in 0..<whole.count {
            let error = datasetError { _ = try read(Array(whole[..<length])) }
            #expect(
                error
                    == .brokenCompression(
                        file: folder.path("labels.xz"), offset: length,
                        problem: "the file ends in the middle of its xz data"))
        }
    }

    @Test("every damaged byte is refused")
    func corrupt() throws {
        let whole = xz(content)
        for position in whole.indices {
            var bytes = whole
            bytes[position] ^= 0x02
            let error = datasetError { _ = try read(bytes) }
            #expect(error?.exitCode == 65, "byte \(position): \(String(describing: error))")
        }
    }

    @Test(
        "bytes after the end are refused, with the place where they begin",
        arguments: [[0], [0, 0, 0, 0], [65, 66]])
    func trailing(garbage: [UInt8]) throws {
        let whole = xz(content)
        #expect(
            datasetError { _ = try read(whole + garbage) }
                == .brokenCompression(
                    file: folder.path("labels.xz"), offset: whole.count,
                    problem: "there are \(garbage.count) bytes after the end of the xz data"))
    }

    @Test("a name that ends in .xz promises xz")
    func notXZ() throws {
        guard case .brokenCompression(_, 0, let problem) = datasetError({ _ = try read(content) }) else {
            Issue.record("expected brokenCompression at byte 0")
            return
        }
        #expect(problem == "it is not xz data, which begins with the bytes fd 37 7a 58 5a 00")
    }

    @Test("the best that xz can do stays within the bound that is used for sizes")
    func ratio() {
        let size = 20_000_000
        #expect(size / xz([UInt8](repeating: 0, count: size)).count < XZCodec.largestRatio)
    }
}
