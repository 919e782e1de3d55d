import Foundation
import HDF5
import TestSupport
import Testing

@testable import Datasets

@Suite("Dataset artifacts")
struct ArtifactContentTests {
    let folder: TemporaryFolder
    let dataset: Datasets.Dataset

    init() throws {
        folder = TemporaryFolder()
        let shape = ImageShape(height: 2, width: 3, channels: 2)
        func split(_ n: Int) -> Split {
            Split(
                shape: shape, images: (0..<n * 12).map { UInt8($0 * 7 % 256) },
                labels: (0..<n).map { Int32($0 % 3) })
        }
        dataset = Datasets.Dataset(
            identity: .init(name: "small", title: "Small", licence: "CC0-1.0", citation: "Žák, 2001"),
            classes: ["a", "β", "a longer name"], train: split(7), validation: split(2), test: split(4))
    }

    private func file(_ content: HDF5.Group) throws -> String {
        let path = "\(folder.path)/\(UUID().uuidString).h5"
        try content.write(to: path)
        return path
    }

    @Test("what is written is read back, with and without validation", arguments: [true, false])
    func roundTrip(validation: Bool) throws {
        let written = Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: validation ? dataset.validation : .empty(dataset.shape), test: dataset.test)
        let path = try file(written.content())
        #expect(try Datasets.Dataset(reading: HDF5.File(reading: path)) == written)
    }

    @Test("equal datasets are equal bytes")
    func bytes() throws {
        let first = try Data(contentsOf: URL(filePath: file(dataset.content())))
        let second = try Data(contentsOf: URL(filePath: file(dataset.content())))
        #expect(first == second)
    }

    @Test("the header of an artifact may stand beside the content")
    func header() throws {
        var content = dataset.content()
        content.attributes = ["format": "meristem", "kind": "dataset"]
        #expect(try Datasets.Dataset(reading: HDF5.File(reading: file(content))) == dataset)
    }

    @Test("shapes, names and counts are as documented")
    func layout() {
        let content = dataset.content()
        #expect(content["train/images"]?.shape == [7, 2, 3, 2])
        #expect(content["train/images"]?.dims == "sample,row,column,channel")
        #expect(content["test/labels"]?.values == .int64([0, 1, 2, 0]))
        #expect(content["classes"]?.values == .int64([3, 2, 2]))
        #expect(content["classes"]?.attributes["names"] == .texts(["a", "β", "a longer name"]))
        #expect(content["normalization/std"]?.shape == [2])
        #expect(content[group: "source"].attributes["citation"] == "Žák, 2001")
    }

    /// One thing changed in a good artifact, and what the refusal must say.
    struct Damage: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var says: [String]
        var change: @Sendable (inout HDF5.Group) -> Void

        init(_ name: String, says: [String], _ change: @escaping @Sendable (inout HDF5.Group) -> Void) {
            testDescription = name
            self.says = says
            self.change = change
        }
    }

    static let damages: [Damage] = [
        Damage("no test split", says: ["'test'"]) { $0.groups["test"] = nil },
        Damage("an extra group", says: ["'extra'"]) { $0.groups["extra"] = HDF5.Group() },
        Damage("an extra dataset", says: ["/train", "'more'"]) {
            $0["train/more"] = HDF5.Dataset(.uint8([1]), shape: [1], dims: "x")
        },
        Damage("images of rank 3", says: ["/train/images"]) {
            $0["train/images"] = HDF5.Dataset(
                .uint8([UInt8](repeating: 0, count: 84)), shape: [7, 2, 6], dims: "a,b,c")
        },
        Damage("images of another type", says: ["/train/images"]) {
            $0["train/images"] = HDF5.Dataset(
                .float32([Float](repeating: 0, count: 84)), shape: [7, 2, 3, 2], dims: "a,b,c,d")
        },
        Damage("test images of another shape", says: ["/test/images"]) {
            $0["test/images"] = HDF5.Dataset(
                .uint8([UInt8](repeating: 0, count: 48)), shape: [4, 3, 2, 2], dims: "a,b,c,d")
        },
        Damage("a label short", says: ["/train/labels"]) {
            $0["train/labels"] = HDF5.Dataset(.int64([0, 1, 2, 0, 1, 2]), shape: [6], dims: "sample")
        },
        Damage("a label too large", says: ["/test/labels", "label 3 at position 2", "0...2"]) {
            $0["test/labels"] = HDF5.Dataset(.int64([0, 1, 3, 0]), shape: [4], dims: "sample")
        },
        Damage("a label below 0", says: ["/test/labels", "label -1 at position 0"]) {
            $0["test/labels"] = HDF5.Dataset(.int64([-1, 1, 2, 0]), shape: [4], dims: "sample")
        },
        Damage("a label beyond 32 bits", says: ["/test/labels", "label 4294967296"]) {
            $0["test/labels"] = HDF5.Dataset(.int64([0, 1, 2, 4_294_967_296]), shape: [4], dims: "sample")
        },
        Damage("no images, of extents whose product overflows", says: ["/train/images", "at most"]) {
            $0["train/images"] = HDF5.Dataset(
                .uint8([]), shape: [0, 1 << 31, 1 << 31, 1 << 31], dims: "a,b,c,d")
            $0["train/labels"] = HDF5.Dataset(.int64([]), shape: [0], dims: "sample")
        },
        Damage("an empty test split", says: ["/test", "no samples"]) {
            $0["test/images"] = HDF5.Dataset(.uint8([]), shape: [0, 2, 3, 2], dims: "a,b,c,d")
            $0["test/labels"] = HDF5.Dataset(.int64([]), shape: [0], dims: "sample")
        },
        Damage("images without columns", says: ["/train/images", "images of 2 x 0 x 2"]) {
            $0["train/images"] = HDF5.Dataset(.uint8([]), shape: [7, 2, 0, 2], dims: "a,b,c,d")
        },
        Damage("a name short", says: ["/classes@names", "2 names for 3 classes"]) {
            $0["classes"]?.attributes["names"] = .texts(["a", "b"])
        },
        Damage("no names", says: ["/classes@names"]) { $0["classes"]?.attributes["names"] = nil },
        Damage("names that are no texts", says: ["/classes@names", "integer"]) {
            $0["classes"]?.attributes["names"] = .integer(3)
        },
        Damage("no classes", says: ["/classes@names", "0 classes"]) {
            $0["classes"] = HDF5.Dataset(
                .int64([]), shape: [0], dims: "class", attributes: ["names": .texts([])])
        },
        Damage("a deviation that is no number", says: ["/normalization/std", "nan"]) {
            $0["normalization/std"] = HDF5.Dataset(.float32([0.5, .nan]), shape: [2], dims: "channel")
        },
        Damage("a mean for a channel that is not there", says: ["/normalization/mean"]) {
            $0["normalization/mean"] = HDF5.Dataset(.float32([0.5, 0.5, 0.5]), shape: [3], dims: "channel")
        },
        Damage("a mean outside 0...1", says: ["/normalization/mean", "-0.5"]) {
            $0["normalization/mean"] = HDF5.Dataset(.float32([-0.5, 0.5]), shape: [2], dims: "channel")
        },
        Damage("no licence", says: ["/source", "licence"]) {
            $0[group: "source"].attributes["licence"] = nil
        },
    ]

    @Test("each wrong artifact is refused, with the file and the place in it", arguments: damages)
    func refused(damage: Damage) throws {
        var content = dataset.content()
        damage.change(&content)
        let path = try file(content)
        do {
            _ = try Datasets.Dataset(reading: HDF5.File(reading: path))
            Issue.record("was read")
        } catch {
            let text = "\(error)"
            for part in [path] + damage.says { #expect(text.contains(part), "\(text) lacks \(part)") }
            let code = (error as? DatasetError)?.exitCode ?? (error as? HDF5Error)?.exitCode
            #expect(code == 65)
        }
    }
}
