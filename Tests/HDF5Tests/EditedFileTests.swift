import Foundation
import TestSupport
import Testing

@testable import HDF5

@Suite("Files changed on purpose, with checksums that fit")
struct EditedFileTests {
    let folder = TemporaryFolder()

    private func whole(_ root: HDF5.Group = RoundTripTests.everything) throws -> Data {
        let path = folder.path("whole.h5")
        if !folder.exists("whole.h5") { try root.write(to: path) }
        return try folder.bytes("whole.h5")
    }

    /// The file with other bytes, opened as if its checksums had been made to fit.
    private func editing(_ bytes: Data, _ change: (inout Data) -> Void) throws -> File {
        var limits = Limits.standard
        limits.verifiesChecksums = false
        var bytes = bytes
        change(&bytes)
        return try File(reading: folder.write(bytes, to: "edited.h5"), limits: limits)
    }

    @Test("a thousand random edits give an error or values, never a crash", arguments: 0..<4 as Range<UInt64>)
    func random(_ part: UInt64) throws {
        _ = try whole()
        let edits = try FileEdits(of: folder.path("whole.h5"))
        var outcomes = (read: 0, refused: 0)
        for number in part * 250..<(part + 1) * 250 {
            let path = folder.path("edited-\(part).h5")
            try edits.write(number, to: path)
            do {
                _ = try File(reading: path).group()
                outcomes.read += 1
            } catch is HDF5Error { outcomes.refused += 1 }
        }
        #expect(outcomes.read > 10 && outcomes.refused > 50)
    }

    @Test("edits of heaps and of the trees that lead there are survived")
    func heaps() throws {
        _ = try whole(.withHeaps)
        let edits = try FileEdits(of: folder.path("whole.h5"))
        for number in 0..<12 as Range<UInt64> {
            try edits.write(number, to: folder.path("edited.h5"))
            do { _ = try File(reading: folder.path("edited.h5")).group() } catch is HDF5Error {}
        }
    }

    @Test("the checksum is that of HDF5, and edits keep it right")
    func checksum() throws {
        #expect(metadataChecksum([]) == 0xdead_beef)
        #expect(metadataChecksum(Array("Four score and seven years ago".utf8)[...]) == 0x1777_0551)
        _ = try whole()
        let edits = try FileEdits(of: folder.path("whole.h5"))
        var fitting = 0
        for number in 0..<200 as Range<UInt64> {
            try edits.write(number, to: folder.path("edited.h5"))
            do {
                _ = try File(reading: folder.path("edited.h5")).group()
                fitting += 1
            } catch let error as HDF5Error {
                if !error.description.contains("checksum") { fitting += 1 }
            }
        }
        #expect(fitting > 190)
    }

    @Test("an object header that continues in itself is refused")
    func endlessHeader() throws {
        let bytes = try whole()
        let header = try #require(bytes.firstRange(of: Data("OHDR".utf8))).lowerBound
        // Version 2, one byte of size: the first message becomes a continuation that leads to a block which names itself.
        let file = try editing(bytes) { bytes in
            let block = bytes.count
            func continuation(_ count: Int) -> [UInt8] {
                [16, 16, 0, 0] + number(block) + number(count)
            }
            bytes[header + 5] = 0
            bytes[header + 6] = 20
            bytes.replaceSubrange(header + 7..<header + 27, with: continuation(28))
            bytes += Array("OCHK".utf8) + continuation(28) + [0, 0, 0, 0]
            bytes.replaceSubrange(28..<36, with: number(bytes.count))
        }
        let error = #expect(throws: HDF5Error.self) { _ = try file.groups() }
        #expect(error?.description.contains("some overlap") == true)
    }

    @Test("datasets that share their bytes are refused: a small file must not take much memory")
    func sharedBytes() throws {
        let values = Dataset(.float64((0..<1000).map(Double.init)), shape: [1000], dims: "n")
        var root = HDF5.Group(datasets: ["a": values, "b": values])
        root["c"] = Dataset(.float64([7]), shape: [1], dims: "n")
        let bytes = try whole(root)
        let blocks = try dataAddresses(of: ["a", "b"])
        let file = try editing(bytes) { bytes in
            let place = bytes.firstRange(of: number(blocks[1]) + number(8000))?.lowerBound ?? 0
            bytes.replaceSubrange(place..<place + 8, with: number(blocks[0]))
            bytes.removeLast(7000)
            bytes.replaceSubrange(28..<36, with: number(bytes.count))
        }
        #expect(throws: HDF5Error.self) { _ = try file.group() }
    }

    private func dataAddresses(of names: [String]) throws -> [Int] {
        let file = try File(reading: folder.path("whole.h5"))
        return try names.map { name in
            guard case .contiguous(let address?, _)? = try file.open(name).content.elements?.storage else {
                return 0
            }
            return Int(address)
        }
    }

    private func number(_ value: Int) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }

    @Test(
        "what a superblock may not say is refused: base addresses, extensions, another size of addresses, no root"
    )
    func superblock() throws {
        let bytes = try whole()
        let changes: [(Range<Int>, [UInt8], String)] = [
            (8..<9, [4], "version 4"), (9..<10, [4], "addresses of 4"),
            (12..<20, number(512), "base address"),
            (20..<28, number(8), "object header does not begin with OHDR"), (36..<44, number(-1), "no root"),
            (36..<44, number(1 << 40), "is not in a file"), (28..<36, number(1 << 40), "superblock tells"),
            (28..<36, number(-1), "count of"),
        ]
        for (place, new, words) in changes {
            let error = #expect(throws: HDF5Error.self) {
                _ = try editing(bytes) { $0.replaceSubrange(place, with: new) }.groups()
            }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }

    @Test("a file that a program has open for writing is refused")
    func consistency() throws {
        let bytes = try whole()
        let error = #expect(throws: HDF5Error.self) {
            _ = try editing(bytes) { bytes in
                bytes[8] = 3
                bytes[11] = 5
            }
        }
        #expect(error?.description.contains("open for writing") == true)
    }

    @Test("extents that only a zero keeps from overflowing are refused")
    func hugeExtents() throws {
        var root = HDF5.Group()
        root["n"] = Dataset(.float32([]), shape: [0, 1 << 40, 1 << 40], dims: "a,b,c")
        try root.write(to: folder.path("huge.h5"))
        let file = try File(reading: folder.path("huge.h5"))
        let error = #expect(throws: HDF5Error.self) { _ = try file.group() }
        #expect(error?.description.contains("the shape [0, 1099511627776, 1099511627776]") == true)
    }

    @Test("a second link to a dataset is refused, by whatever path")
    func secondLink() throws {
        let path = folder.path("linked.h5")
        HostileFile.make(path) { file in
            file.dataset("one")
            file.link("one", as: "two")
        }
        let file = try File(reading: path)
        #expect(try file.float32("one", shape: [4, 4]).values.count == 16)
        let error = #expect(throws: HDF5Error.self) { _ = try file.float32("two", shape: [4, 4]) }
        #expect(
            error?.description.contains("/two: found a second link to an object met before, at /one") == true)
    }
}
