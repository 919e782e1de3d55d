import Foundation
import HDF5
import TestSupport
import Testing

@Suite("Writing")
struct WritingTests {
    let folder = TemporaryFolder()

    @Test("an existing file is never overwritten")
    func exists() throws {
        let path = try folder.write(Data("precious".utf8), to: "there.h5")
        #expect(throws: HDF5Error.exists(file: path)) { try HDF5.Group().write(to: path) }
        #expect(try folder.bytes("there.h5") == Data("precious".utf8))
    }

    @Test("a missing folder is an error with the system's reason and exit code 74")
    func noFolder() {
        let path = folder.path("none/new.h5")
        let error = #expect(throws: HDF5Error.self) { try HDF5.Group().write(to: path) }
        #expect(error?.description == "\(path): /: cannot create the file: No such file or directory")
        #expect(error?.exitCode == 74)
    }

    @Test(
        "names a file cannot hold are refused before a file is begun",
        arguments: ["", ".", "..", "a/b", "a\0b", String(repeating: "x", count: 256)])
    func names(_ name: String) throws {
        let dataset = Dataset(.uint8([1]), shape: [1], dims: "n")
        let attribute = name.utf8.contains(0) || name.isEmpty || name.utf8.count > 255
        let trees = [
            HDF5.Group(groups: [name: HDF5.Group()]), HDF5.Group(datasets: [name: dataset]),
            HDF5.Group(groups: ["deep": HDF5.Group(groups: [name: HDF5.Group()])]),
            HDF5.Group(attributes: attribute ? [name: "text"] : ["text": "zero \0 inside"]),
        ]
        for tree in trees {
            let error = #expect(throws: HDF5Error.self) { try tree.write(to: folder.path("new.h5")) }
            #expect(error?.exitCode == 70)
        }
        #expect(folder.names == [])
    }

    @Test("a group and a dataset of one name are refused")
    func conflict() throws {
        var root = HDF5.Group()
        root["same"] = Dataset(.uint8([1]), shape: [1], dims: "n")
        root[group: "same"] = HDF5.Group()
        #expect(throws: HDF5Error.self) { try root.write(to: folder.path("new.h5")) }
    }

    @Test("attributes larger than an object header, and many children, come back equal")
    func large() throws {
        var root = HDF5.Group(attributes: [
            "architecture": .text(String(repeating: "{\"node\": 1},", count: 10_000)),
            "reals": .reals((0..<20_000).map(Double.init)),
        ])
        for index in 0..<1500 { root[group: "node \(index)"].attributes["index"] = .integer(Int64(index)) }
        for index in 0..<1100 { root[group: "node 7"].attributes["a\(index)"] = .integer(Int64(index)) }
        try root.write(to: folder.path("one.h5"))
        try root.write(to: folder.path("two.h5"))
        #expect(try File(reading: folder.path("one.h5")).group() == root)
        #expect(try folder.bytes("one.h5") == folder.bytes("two.h5"))
    }

    @Test("the values stand in the file as they stand in memory: one block, little-endian")
    func layout() throws {
        let values: [Float] = (0..<1000).map { Float($0) * 0.37 }
        var root = HDF5.Group()
        root["values"] = Dataset(.float32(values), shape: [10, 100], dims: "a,b")
        try root.write(to: folder.path("new.h5"))
        let block = Data(values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
        #expect(try folder.bytes("new.h5").range(of: block) != nil)
    }

    @Test("NaN and signed zero keep their bits")
    func bits() throws {
        let values: [Double] = [.nan, -0.0, .signalingNaN, .leastNonzeroMagnitude, -.infinity]
        var root = HDF5.Group()
        root["values"] = Dataset(.float64(values), shape: [5], dims: "n")
        try root.write(to: folder.path("new.h5"))
        let read = try File(reading: folder.path("new.h5")).float64("values", shape: [5]).values
        #expect(read.map(\.bitPattern) == values.map(\.bitPattern))
    }

    @Test("a file may be written and read from many threads")
    func threads() async throws {
        let folder = folder
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for index in 0..<8 {
                tasks.addTask {
                    let path = folder.path("\(index).h5")
                    try RoundTripTests.everything.write(to: path)
                    let equal = try File(reading: path).group() == RoundTripTests.everything
                    #expect(equal)
                }
            }
            try await tasks.waitForAll()
        }
    }
}
