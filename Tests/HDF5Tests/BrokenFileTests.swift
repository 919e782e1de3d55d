import Foundation
import HDF5
import TestSupport
import Testing

@Suite("Files that are missing, broken or something else")
struct BrokenFileTests {
    let folder = TemporaryFolder()

    private func error(reading path: String) throws -> HDF5Error {
        try #require(#expect(throws: HDF5Error.self) { _ = try File(reading: path).group() })
    }

    @Test("a missing file is told apart: exit code 66")
    func missing() throws {
        let path = folder.path("none.h5")
        #expect(try error(reading: path) == .noSuchFile(file: path))
        #expect(try error(reading: path).exitCode == 66)
    }

    @Test("a folder and a device are refused without being read")
    func notRegular() throws {
        for path in [folder.path(""), "/dev/zero"] {
            #expect(
                try error(reading: path).description.hasPrefix("\(path): /: found a folder, pipe or device"))
        }
    }

    @Test(
        "a file that is not HDF5 is named, with what it starts with",
        arguments: [
            ("", "nothing (it is empty)"), ("PK", "PK"), ("\u{1F}not gzip, not HDF5", "\\x1fnot gzi"),
            ("\n\n\n\n\n\n\n\n\n", "\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a\\x0a"),
        ])
    func notHDF5(_ content: String, _ start: String) throws {
        let path = try folder.write(Data(content.utf8), to: "other.h5")
        #expect(try error(reading: path) == .notHDF5(file: path, found: start))
    }

    @Test("a signature with nothing behind it is broken")
    func onlySignature() throws {
        let path = try folder.write(
            Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 2]), to: "start.h5")
        let text = try error(reading: path).description
        #expect(text.hasPrefix("\(path): /: cannot open the file, the file is truncated or corrupt"))
    }

    @Test("the format without checksums, the default of h5py, is refused with the way out")
    func oldFormat() throws {
        let path = folder.path("old.h5")
        HostileFile.make(path, oldFormat: true) { file in file.dataset() }
        let text = try error(reading: path).description
        #expect(text.hasPrefix("\(path): /: found a superblock of version 0"))
        #expect(text.contains("h5repack --low=1 -l CONTI"))
    }

    @Test("a file cut off anywhere is refused")
    func truncated() throws {
        try RoundTripTests.everything.write(to: folder.path("whole.h5"))
        let whole = try folder.bytes("whole.h5")
        for count in Array(stride(from: 9, to: whole.count, by: 97)) + [whole.count - 1] {
            let path = try folder.write(whole.prefix(count), to: "cut.h5")
            guard case .cannotRead(path, "/", "open the file", let reason) = try error(reading: path) else {
                Issue.record("cut at \(count) gives another error")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test("a file that is cut off says how many bytes it has, and how many it should have")
    func reason() throws {
        try RoundTripTests.everything.write(to: folder.path("whole.h5"))
        let whole = try folder.bytes("whole.h5")
        let path = try folder.write(whole.dropLast(), to: "cut.h5")
        let text = try error(reading: path).description
        #expect(text.contains("the file has \(whole.count - 1) bytes, of \(whole.count)"))
    }

    @Test("no flipped byte of the superblock goes unnoticed")
    func superblock() throws {
        try RoundTripTests.everything.write(to: folder.path("whole.h5"))
        let whole = try folder.bytes("whole.h5")
        for position in 0..<48 {
            var bytes = whole
            bytes[position] ^= 0xff
            let path = try folder.write(bytes, to: "flipped.h5")
            #expect(throws: HDF5Error.self, "byte \(position)") { _ = try File(reading: path) }
        }
    }

    @Test("any flipped bytes give an error or values, never a crash", arguments: 1...4 as ClosedRange<UInt64>)
    func flipped(_ seed: UInt64) throws {
        try RoundTripTests.everything.write(to: folder.path("whole.h5"))
        let whole = try folder.bytes("whole.h5")
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<100 {
            var bytes = whole
            for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(next(256)) }
            let path = try folder.write(bytes, to: "flipped-\(seed).h5")
            do { _ = try File(reading: path).group() } catch is HDF5Error { refused += 1 }
        }
        #expect(refused > 20)
    }
}
