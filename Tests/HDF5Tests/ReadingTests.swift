import HDF5
import TestSupport
import Testing

@Suite("Reading")
struct ReadingTests {
    let folder = TemporaryFolder()

    private func sample() throws -> String {
        let path = folder.path("sample.h5")
        try RoundTripTests.everything.write(to: path)
        return path
    }

    @Test("names are listed sorted, groups and datasets apart")
    func listing() throws {
        let file = try File(reading: sample())
        #expect(try file.groups() == ["empty", "f32", "f64", "i64", "u8"])
        #expect(try file.datasets() == [])
        #expect(try file.datasets(in: "/f64") == ["one", "scalar"])
        #expect(try file.groups(in: "empty") == ["group"])
        #expect(try file.has("f64/one"))
        #expect(try !file.has("f64/two"))
        #expect(try !file.has("none/two"))
    }

    @Test("each element type has its reader, with any or given extents")
    func typed() throws {
        let file = try File(reading: sample())
        #expect(try file.uint8("u8/vector", shape: [nil]) == Values(values: [0, 127, 255], shape: [3]))
        #expect(try file.int64("/i64/matrix", shape: [2, nil]).values == [1, -2, .max, .min, 5, 6])
        #expect(try file.float32("f32/cube", shape: [nil, nil, nil]).shape == [2, 3, 4])
        #expect(try file.float64("f64/scalar", shape: []).values == [.pi])
        #expect(try file.float32("empty/rows", shape: [nil, 7]) == Values(values: [], shape: [0, 7]))
    }

    @Test("a dataset brings its meaning along")
    func meaning() throws {
        let cube = try File(reading: sample()).dataset("f32/cube")
        #expect(cube.dims == "a,b,c")
        #expect(cube.units == "nats")
        #expect(cube.longName == "a cube")
    }

    @Test("a missing object or attribute is named, with what is there")
    func missing() throws {
        let path = try sample()
        let file = try File(reading: path)
        #expect(throws: HDF5Error.missing(file: path, path: "/f64/two", present: ["one", "scalar"])) {
            _ = try file.dataset("f64/two")
        }
        #expect(
            throws: HDF5Error.missing(
                file: path, path: "/f32/cube@unit", present: ["dims", "long_name", "units"])
        ) { _ = try file.text("unit", of: "f32/cube") }
        let error = #expect(throws: HDF5Error.self) { _ = try file.group("f64/two") }
        #expect(
            error?.description == "\(path): /f64/two: is missing; present: 'one', 'scalar'")
    }

    @Test("attributes have readers by kind, and another kind is refused")
    func attributes() throws {
        let path = try sample()
        let file = try File(reading: path)
        #expect(try file.text("title") == "naïve 🌱 seed")
        #expect(try file.text("empty") == "")
        #expect(try file.integer("count") == .min)
        #expect(try file.real("rate") == -0.0625)
        #expect(try file.attribute("names") == .texts(["a", "", "longer ü"]))
        #expect(
            throws: HDF5Error.refused(
                file: path, path: "/@rate", found: "an attribute of kind real", allowed: "integer")
        ) { _ = try file.integer("rate") }
    }

    @Test("a group is not read as a dataset, nor a dataset as a group")
    func kinds() throws {
        let path = try sample()
        let file = try File(reading: path)
        #expect(throws: HDF5Error.refused(file: path, path: "/u8", found: "a group", allowed: "a dataset")) {
            _ = try file.uint8("u8", shape: [nil])
        }
        #expect(
            throws: HDF5Error.refused(
                file: path, path: "/u8/vector", found: "a dataset", allowed: "a group, to hold 'x'")
        ) { _ = try file.uint8("u8/vector/x", shape: [nil]) }
    }

    @Test("a group has the required children, perhaps optional ones, and no others")
    func require() throws {
        let path = try sample()
        let file = try File(reading: path)
        try file.require(["one"], optional: ["scalar", "other"], in: "f64")
        #expect(
            throws: HDF5Error.unexpectedChildren(
                file: path, path: "/f64", missing: ["two"], unexpected: ["scalar"])
        ) { try file.require(["one", "two"], in: "f64") }
    }

    @Test("subscripts make the groups on the way and find them again")
    func subscripts() throws {
        var root = HDF5.Group()
        let dataset = Dataset(.int64([1]), shape: [1], dims: "n")
        root["/a/b/c"] = dataset
        root[group: "a"].attributes["k"] = "v"
        #expect(root.groups["a"]?.groups["b"]?.datasets["c"] == dataset)
        #expect(root["a/b/c"] == dataset)
        #expect(root["a/x/c"] == nil)
        #expect(root[group: "a"].attributes == ["k": "v"])
        root["a/b/c"] = nil
        root["x/y"] = nil
        #expect(root.groups.keys.sorted() == ["a"])
        #expect(root[group: "a/b"].datasets.isEmpty)
    }

    @Test("the library says which version it is")
    func version() {
        #expect(File.libraryVersion.split(separator: ".").count == 3)
    }
}
