import Foundation
import HDF5
import TestSupport
import Testing

@Suite("What is written is read back")
struct RoundTripTests {
    let folder = TemporaryFolder()

    static let everything: Group = {
        var root = Group(attributes: [
            "format": "meristem", "empty": "", "title": "naïve 🌱 seed", "count": .integer(.min),
            "rate": .real(-0.0625), "names": .texts(["a", "", "longer ü"]), "none": .texts([]),
            "sizes": .integers([1, -2, .max]), "no sizes": .integers([]), "ratios": .reals([0.5, .infinity]),
        ])
        root["u8/vector"] = Dataset(.uint8([0, 127, 255]), shape: [3], dims: "n")
        root["i64/matrix"] = Dataset(.int64([1, -2, .max, .min, 5, 6]), shape: [2, 3], dims: "rows,columns")
        root["f32/cube"] = Dataset(
            .float32((0..<24).map { Float($0) / 7 }), shape: [2, 3, 4], dims: "a,b,c", units: "nats",
            longName: "a cube")
        root["f64/scalar"] = Dataset(.float64([.pi]), shape: [], dims: "")
        root["empty/rows"] = Dataset(.float32([]), shape: [0, 7], dims: "n,features")
        root["empty/columns"] = Dataset(.uint8([]), shape: [7, 0], dims: "n,features")
        root[group: "empty/group"] = Group()
        root["f64/one"] = Dataset(.float64([1]), shape: [1], dims: "n", attributes: ["signal": "loss"])
        return root
    }()

    @Test("a tree of every type, shape and attribute comes back equal")
    func everythingComesBack() throws {
        let path = folder.path("all.h5")
        try Self.everything.write(to: path)
        let file = try File(reading: path)
        #expect(try file.group() == Self.everything)
    }

    @Test("equal content gives equal bytes, whatever the order of insertion")
    func equalBytes() throws {
        let names = (0..<40).map { "name \($0)" }
        func tree(_ names: [String]) -> Group {
            var root = Group()
            for name in names {
                root.attributes[name] = .text(name)
                root[group: name].attributes[name] = .real(1)
                root[name + "/values"] = Dataset(.float32([1, 2]), shape: [2], dims: "n")
                root["values of " + name] = Dataset(.uint8([7]), shape: [], dims: "")
            }
            return root
        }
        try tree(names).write(to: folder.path("forwards.h5"))
        try tree(names.reversed()).write(to: folder.path("backwards.h5"))
        let bytes = try folder.bytes("forwards.h5")
        #expect(try folder.bytes("backwards.h5") == bytes)
        #expect(bytes.count > 0)
    }
}
