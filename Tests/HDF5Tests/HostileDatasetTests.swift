import CHDF5
import HDF5
import TestSupport
import Testing

/// A dataset "values" that must not be read, and words the refusal must contain.
struct HostileDataset: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var words: [String]
    var make: @Sendable (HostileFile) -> Void

    init(_ name: String, says words: String..., make: @escaping @Sendable (HostileFile) -> Void) {
        self.testDescription = name
        self.words = words
        self.make = make
    }
}

@Suite("Datasets that are refused")
struct HostileDatasetTests {
    let folder = TemporaryFolder()

    static let storage: [HostileDataset] = [
        HostileDataset("chunked", says: "chunked", "contiguous") { file in
            file.dataset { H5Pset_chunk($0, 2, [2, 2]) }
        },
        HostileDataset("chunked and deflated", says: "chunked", "filters") { file in
            file.dataset {
                H5Pset_chunk($0, 2, [2, 2])
                H5Pset_deflate($0, 6)
            }
        },
        HostileDataset("stored in another file", says: "another file", "inside this file") { file in
            file.dataset(writing: false) { H5Pset_external($0, "/etc/passwd", 0, 64) }
        },
        HostileDataset("virtual", says: "virtual", "contiguous") { file in
            file.dataset(writing: false) { creation in
                let space = H5Screate_simple(2, [4, 4], nil)
                H5Pset_virtual(creation, space, "elsewhere.h5", "values", space)
                H5Sclose(space)
            }
        },
        HostileDataset("huge, with nothing stored", says: "at most", "bytes") { file in
            file.dataset(shape: [1 << 40, 1 << 10], writing: false)
        },
        HostileDataset("small, with nothing stored", says: "0 bytes stored", "64 bytes") { file in
            file.dataset(writing: false)
        },
        HostileDataset("under the cap, with nothing stored", says: "0 bytes stored", "4000000000") { file in
            file.dataset(shape: [1_000_000_000], writing: false)
        },
    ]

    static let types: [HostileDataset] = [
        HostileDataset("big-endian", says: "big-endian 32-bit floating point") { file in
            file.dataset(type: HostileFile.reordered(chdf5_float32_little()))
        },
        HostileDataset("16-bit integers", says: "16-bit integer") { file in
            file.dataset(type: HostileFile.resized(chdf5_int64_little(), 2))
        },
        HostileDataset("unsigned 64-bit integers", says: "unsigned 64-bit integer") { file in
            let type = H5Tcopy(chdf5_int64_little())
            H5Tset_sign(type, H5T_SGN_NONE)
            file.dataset(type: type)
        },
        HostileDataset("variable-length strings", says: "variable-length string") { file in
            file.dataset(type: HostileFile.variableLengthString(), writing: false)
        },
        HostileDataset("variable-length sequences", says: "variable-length type") { file in
            file.dataset(type: H5Tvlen_create(chdf5_float32_little()), writing: false)
        },
        HostileDataset("compound", says: "compound") { file in file.dataset(type: HostileFile.compound()) },
        HostileDataset("array elements", says: "array") { file in
            file.dataset(type: H5Tarray_create2(chdf5_float32_little(), 1, [2]))
        },
        HostileDataset("fixed-length strings", says: "string") { file in
            file.dataset(type: HostileFile.resized(chdf5_c_string(), 9))
        },
    ]

    @Test("storage other than bytes inside the file is refused", arguments: storage)
    func refusesStorage(_ hostile: HostileDataset) throws { try check(hostile) }

    @Test("element types other than ours are refused", arguments: types)
    func refusesTypes(_ hostile: HostileDataset) throws { try check(hostile) }

    /// Every way to read it throws the same refusal, with file, path and the words; nothing is ever read.
    private func check(_ hostile: HostileDataset) throws {
        let path = folder.path("hostile.h5")
        HostileFile.make(path, hostile.make)
        let file = try File(reading: path)
        let byType = #expect(throws: HDF5Error.self) { _ = try file.float32("values", shape: [nil, nil]) }
        let whole = #expect(throws: HDF5Error.self) { _ = try file.group() }
        let message = try #require(byType).description
        #expect(try #require(whole).description == message)
        #expect(message.hasPrefix("\(path): /values: found "))
        for word in hostile.words { #expect(message.contains(word)) }
        #expect(byType?.exitCode == 65)
    }

    @Test("contiguous and compact storage are both read")
    func readsCompact() throws {
        let path = folder.path("compact.h5")
        HostileFile.make(path) { file in file.dataset { H5Pset_layout($0, H5D_COMPACT) } }
        let values = try File(reading: path).float32("values", shape: [4, nil])
        #expect(values == Values(values: [Float](repeating: 0, count: 16), shape: [4, 4]))
    }

    @Test("a null dataspace is refused")
    func refusesNullSpace() throws {
        let path = folder.path("null.h5")
        HostileFile.make(path) { file in
            let space = H5Screate(H5S_NULL)
            let id = H5Dcreate2(
                file.file, "values", chdf5_float32_little(), space, chdf5_default(), chdf5_default(),
                chdf5_default())
            H5Dclose(id)
            H5Sclose(space)
        }
        let file = try File(reading: path)
        let error = #expect(throws: HDF5Error.self) { _ = try file.dataset("values") }
        #expect(error?.description.contains("null dataspace") == true)
    }

    @Test(
        "the shape must have the expected rank and extents",
        arguments: [[4], [4, 4, 1], [4, 5], [nil], [], [nil, 3]] as [[Int?]])
    func refusesShape(_ shape: [Int?]) throws {
        let path = folder.path("shape.h5")
        HostileFile.make(path) { file in file.dataset() }
        let file = try File(reading: path)
        let error = #expect(throws: HDF5Error.self) { _ = try file.float32("values", shape: shape) }
        #expect(error?.description.contains("the shape [4, 4]; allowed: [") == true)
    }

    @Test("the element type must be the expected one")
    func refusesOtherType() throws {
        let path = folder.path("type.h5")
        HostileFile.make(path) { file in file.dataset() }
        let file = try File(reading: path)
        #expect(
            throws: HDF5Error.refused(
                file: path, path: "/values", found: "elements of type float32", allowed: "int64")
        ) { _ = try file.int64("values", shape: [4, 4]) }
    }
}
