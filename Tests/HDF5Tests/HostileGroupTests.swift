import CHDF5
import HDF5
import TestSupport
import Testing

@Suite("Links, names and attributes that are refused")
struct HostileGroupTests {
    let folder = TemporaryFolder()

    private func reading(_ make: (HostileFile) -> Void) throws -> (String, HDF5.Group) {
        let path = folder.path("hostile.h5")
        HostileFile.make(path, make)
        return (path, try File(reading: path).group())
    }

    private func message(_ make: (HostileFile) -> Void) throws -> String {
        let error = #expect(throws: HDF5Error.self) { _ = try reading(make) }
        let message = try #require(error).description
        #expect(message.hasPrefix(folder.path("hostile.h5") + ": /"))
        #expect(error?.exitCode == 65)
        return message
    }

    @Test("a soft link is refused, wherever it stands in the path")
    func softLink() throws {
        let path = folder.path("soft.h5")
        HostileFile.make(path) { file in
            H5Gclose(H5Gcreate2(file.file, "real", chdf5_default(), chdf5_default(), chdf5_default()))
            file.dataset("real/values")
            H5Lcreate_soft("/real", file.file, "soft", chdf5_default(), chdf5_default())
        }
        let file = try File(reading: path)
        #expect(try file.float32("real/values", shape: [4, 4]).values.count == 16)
        for walk in ["soft", "soft/values"] {
            #expect(
                throws: HDF5Error.refused(
                    file: path, path: "/soft", found: "a soft link",
                    allowed: "hard links (objects inside this file)")
            ) { _ = try file.attributes(of: walk) }
        }
        #expect(throws: HDF5Error.self) { _ = try file.groups() }
        #expect(throws: HDF5Error.self) { _ = try file.has("soft") }
    }

    @Test("an external link is refused, though its target is there")
    func externalLink() throws {
        let target = folder.path("target.h5")
        HostileFile.make(target) { file in file.dataset() }
        let text = try message { file in
            H5Lcreate_external(target, "/values", file.file, "values", chdf5_default(), chdf5_default())
        }
        #expect(text.contains("/values: found an external link"))
    }

    @Test("a loop of hard links is refused")
    func loop() throws {
        let text = try message { file in
            let group = H5Gcreate2(file.file, "a", chdf5_default(), chdf5_default(), chdf5_default())
            H5Lcreate_hard(file.file, "/", group, "again", chdf5_default(), chdf5_default())
            H5Gclose(group)
        }
        #expect(text.contains("/a/again: found a second link"))
    }

    @Test("a named datatype is refused")
    func namedType() throws {
        let text = try message { file in
            let type = H5Tcopy(chdf5_float32_little())
            H5Tcommit2(file.file, "type", type, chdf5_default(), chdf5_default(), chdf5_default())
            H5Tclose(type)
        }
        #expect(text.contains("/type: found a named datatype"))
    }

    @Test("more children than the limit are refused, as are long names and deep nesting")
    func limits() throws {
        let path = folder.path("limits.h5")
        var root = HDF5.Group()
        for index in 0..<10 { root[group: "g\(index)"] = HDF5.Group() }
        root[group: "g1/two/three"] = HDF5.Group()
        try root.write(to: path)
        func error(_ change: (inout Limits) -> Void) -> HDF5Error? {
            var limits = Limits.standard
            change(&limits)
            return #expect(throws: HDF5Error.self) { _ = try File(reading: path, limits: limits).group() }
        }
        #expect(error { $0.children = 9 }?.description.contains("more than 9 children") == true)
        #expect(error { $0.nameBytes = 4 }?.description.contains("too long") == true)
        #expect(error { $0.depth = 2 }?.description.contains("deeper than 2 levels") == true)
        #expect(error { $0.fileBytes = 100 }?.description.contains("at most 100 bytes") == true)
    }

    @Test("attributes of other types and shapes are refused, by name")
    func attributes() throws {
        try Library.exclusively { try refuseAttributes() }
    }

    private func refuseAttributes() throws {
        let scalar = H5Screate(H5S_SCALAR)
        let plane = H5Screate_simple(2, [2, 2], nil)
        let empty = H5Screate(H5S_NULL)
        let cases: [(hid_t, hid_t, String)] = [
            (HostileFile.variableLengthString(), scalar, "variable-length string"),
            (HostileFile.compound(), scalar, "compound"),
            (HostileFile.reordered(chdf5_int64_little()), scalar, "big-endian 64-bit integer"),
            (HostileFile.resized(chdf5_int64_little(), 4), scalar, "32-bit integer"),
            (chdf5_float64_little(), plane, "rank 2"),
            (chdf5_float64_little(), empty, "null dataspace"),
        ]
        for (type, space, words) in cases {
            let text = try message { file in file.attribute("odd", type: type, space: space) }
            #expect(text.contains(": /@odd: found "))
            #expect(text.contains(words))
        }
    }

    @Test("texts are read however they are padded, and only if they are UTF-8")
    func texts() throws {
        try Library.exclusively { try readTexts() }
    }

    private func readTexts() throws {
        let scalar = H5Screate(H5S_SCALAR)
        func text(_ padding: H5T_str_t, _ bytes: [UInt8]) throws -> Attribute? {
            let type = HostileFile.resized(chdf5_c_string(), bytes.count)
            H5Tset_strpad(type, padding)
            return try reading { file in file.attribute("text", type: type, space: scalar, value: bytes) }
                .1.attributes["text"]
        }
        let (a, b, zero, space) = (UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(0), UInt8(ascii: " "))
        #expect(try text(H5T_STR_NULLTERM, [a, zero, b, b]) == "a")
        #expect(try text(H5T_STR_NULLPAD, [a, b, zero, zero]) == "ab")
        #expect(try text(H5T_STR_SPACEPAD, [a, space, b, space]) == "a b")
        #expect(throws: HDF5Error.self) { _ = try text(H5T_STR_NULLPAD, [a, 0xff, 0xfe, b]) }
        #expect(throws: HDF5Error.self) { _ = try text(H5T_STR_NULLPAD, [a, zero, b, b]) }
    }

    @Test("an attribute larger than the limit is refused before it is read")
    func largeAttribute() throws {
        let path = folder.path("large.h5")
        try HDF5.Group(attributes: ["text": .text(String(repeating: "x", count: 1000))]).write(to: path)
        var limits = Limits.standard
        limits.attributeBytes = 999
        let file = try File(reading: path, limits: limits)
        #expect(
            throws: HDF5Error.refused(
                file: path, path: "/@text", found: "an attribute of 1 x 1000 bytes",
                allowed: "at most 999 bytes")
        ) { _ = try file.text("text") }
    }
}
