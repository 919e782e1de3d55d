import TestSupport
import Testing

@testable import Datasets

@Suite("Xz files")
struct XZTests {
    let folder: TemporaryFolder
    let content = idx([400], (0..<400).map { UInt8(truncatingIfNeeded: $0 * $0) })

    init() throws { folder = TemporaryFolder() }

    private func read(_ bytes: [UInt8], as name: String = "labels.xz") throws -> IDXArray<Int32> {
        try readLabels(folder.write(bytes, to: name))
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
        for length in 6..<whole.count {
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
        // What does not begin like xz is read as it is, and is no IDX file.
        for position in whole.indices {
            var bytes = whole
            bytes[position] ^= 0x02
            let error = datasetError { _ = try read(bytes) }
            #expect(error?.exitCode == 65, "byte \(position): \(String(describing: error))")
        }
    }

    @Test(
        "bytes after the end are refused, with the place where they begin",
        arguments: [[1], [0xfd, 0x37], [65, 66]])
    func trailing(garbage: [UInt8]) throws {
        let whole = xz(content)
        let error = datasetError { _ = try read(whole + garbage) }
        guard case .brokenCompression(_, let offset, let problem) = error else {
            Issue.record("expected brokenCompression, found \(String(describing: error))")
            return
        }
        if garbage[0] != 0xfd {
            #expect(
                offset == whole.count && problem.contains("\(garbage.count) bytes after the end of the xz"))
        }
    }

    @Test("zeros after the end do not count, nor between streams", arguments: [1, 4, 512])
    func padding(count: Int) throws {
        let zeros = [UInt8](repeating: 0, count: count)
        #expect(try read(xz(content) + zeros).values.count == 400)
        #expect(try read(xz(Array(content[..<13])) + zeros + xz(Array(content[13...]))).values.count == 400)
    }

    @Test("the best that xz can do stays within the bound that is used for sizes")
    func ratio() {
        let size = 20_000_000
        #expect(size / xz([UInt8](repeating: 0, count: size)).count < XZCodec.largestRatio)
    }
}
