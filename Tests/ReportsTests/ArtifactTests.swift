import Artifacts
import Files
import Foundation
import HDF5
@testable import Networks
import Testing

@testable import Reports

@Suite("Looking at artifacts")
struct ArtifactTests {
    let folder: ArtifactsFolder

    init() throws {
        folder = try ArtifactsFolder()
        try SmallChain().publish(in: folder)
    }

    private func locate(_ argument: String) throws -> ArtifactLocation {
        try ArtifactLocation(argument, artifacts: folder.path)
    }

    private func summary(_ argument: String) throws -> String {
        try ArtifactSummary(of: locate(argument)).text
    }

    // MARK: Finding

    @Test("A step, its link, its object and the object's first digits are the same artifact")
    func naming() throws {
        let step = try locate("digits/tiny-joint-0/tune-1")
        #expect(step.step == "digits/tiny-joint-0/tune-1")
        let link = try locate(folder.path + "/digits/tiny-joint-0/tune-1.h5")
        #expect(link.step == step.step && link.digest == step.digest && link.root == folder.path)
        let object = try locate(folder.store.objectPath(step.digest))
        #expect(object.digest == step.digest && object.root == folder.path)
        #expect(try locate(step.digest.short).digest == step.digest)
    }

    @Test(
        "A name that is nothing suggests a step",
        arguments: ["digits/tiny-joint-0/tune-9", "ab", "0123456789"])
    func unknownName(argument: String) throws {
        #expect {
            try locate(argument)
        } throws: { error in
            guard case .noSuchArtifact(argument, _, let suggestion)? = error as? ReportError else {
                return false
            }
            return suggestion?.hasPrefix("digits/tiny-joint-0/") == true
        }
    }

    @Test("A link whose object is gone says which command makes it again")
    func goneObject() throws {
        let digest = try locate("digits/tiny-joint-0/seed").digest
        try FileManager.default.removeItem(atPath: folder.store.objectPath(digest))
        #expect(
            throws: ArtifactError.missingObject(
                digest, store: folder.store.objects, remedy: "make digits/tiny-joint-0/seed")
        ) { try locate("digits/tiny-joint-0/seed") }
    }

    // MARK: Showing

    @Test("A network is shown with its layers, training, growth and where it comes from")
    func network() throws {
        let text = try summary("digits/tiny-joint-0/tune-1")
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.first == "digits/tiny-joint-0/tune-1: network, made by fine-tune")
        #expect(lines.contains("hidden1 linear 4 20 36"))
        #expect(lines.contains("activation1 activation selu 4 4"))
        #expect(lines.contains("total 36 70"))
        #expect(lines.contains("mean 0.25") && lines.contains("deviation 0.5"))
        #expect(lines.contains("classes 2: no, yes"))
        #expect(lines.contains("training loss 0.75 0.5 2 0.5 █▁"))
        #expect(lines.contains("1 hidden1 widen tiny-joint +1 0.5 0.375 0.25 1 0.25"))
        let chain = ["tune-1", "grow-1", "bottlenecks-1", "seed", "dataset"]
        let origins = lines.drop { !$0.hasPrefix("provenance") }.dropFirst(2)
        #expect(origins.map { $0.split(separator: " ")[2] } == chain.map { "digits/tiny-joint-0/\($0)" })
        #expect(origins.map { $0.split(separator: " ")[3] } == ["16.0", "8.00", "4.00", "2.00", "1.00"])
    }

    @Test("A network that has grown shows how many of its parameters were born in which round")
    func births() throws {
        var network = try SmallChain().network(widths: [3, 2], trainedBy: [])
        network.births["hidden2"]?.rows = [0, 1]
        network.births["output"]?.columns = [0, 1]
        network.growth = [
            GrowthRecord(
                round: 1, width: "hidden2", change: .widen, method: "tiny", neurons: 1, amplitude: 1,
                predictedDecrease: 0.5,
                realizedDecrease: 0.25, lossBefore: 1, bottleneck: 1, gradientNorm: 1)
        ]
        try folder.publish(
            "digits/grown-0/grow-1", .network, stage: "grow", seconds: 1, content: network.content)
        let lines = try summary("digits/grown-0/grow-1").split(separator: "\n")
            .map { $0.split(separator: " ").joined(separator: " ") }
        let shares = lines.drop { $0 != "parameters by the round they were born in" }.dropFirst(1).prefix(3)
        #expect(shares.contains { $0.hasPrefix("0 23 █") } && shares.contains { $0.hasPrefix("1 6 █") })
        #expect(try !summary("digits/tiny-joint-0/seed").contains("born"))
    }

    @Test("A residual network's table has a row per node, with its inputs where they are not the row above")
    func residual() throws {
        let architecture = try NetworkParameters(ResNet(depth: 8, width: 4, inner: .widths([2, 0, 3])))
            .architecture(sample: [1, 8, 8], outputs: 40)
        var network = try Network(initializing: architecture, seed: 1)
        let classes = (0..<40).map { "a class \($0)" }
        network.data = DataConvention(
            image: [8, 8, 1], mean: [0.25], standardDeviation: [0.5], classes: classes)
        try folder.publish(
            "digits/other-0/seed", .network, stage: "train-seed", seconds: 1, content: network.content)
        let text = try summary("digits/other-0/seed")
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        for line in [
            "input 1 × 8 × 8", "stem convolution 3 × 3 4 × 8 × 8 36 4,608",
            "stage1-block1-add add …-norm2, stem-activation 4 × 8 × 8 256",
            "stage2-block1-conv1 convolution 3 × 3 stride 2 0 × 4 × 4 0",
            "stage2-block1-shortcut convolution 1 × 1 stride 2 stage1-block1-activation2 8 × 4 × 4 32 1,024",
            "stage2-block1-add add …-norm2, …-shortcut-norm 8 × 4 × 4 128",
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 140 })
    }

    @Test("Steps that passed their input on share the object of the step that made it")
    func idleRound() throws {
        try SmallChain(branch: "idle", neurons: 0).publish(in: folder)
        let lines = try summary("digits/idle-0/tune-1").split(separator: "\n")
            .map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.first == "digits/idle-0/tune-1: network, made by train-seed")
        let origin = try #require(lines.drop { !$0.hasPrefix("provenance") }.dropFirst(2).first)
        #expect(origin.contains(" train-seed digits/idle-0/tune-1 (+ 2) 2.00 dataset "))
    }

    @Test("Bottlenecks are bars as long as their part of the gradient")
    func bottlenecks() throws {
        let text = try summary("digits/tiny-joint-0/bottlenecks-1")
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        func bar(_ full: Int) -> String {
            String(repeating: "█", count: full) + String(repeating: "·", count: 32 - full)
        }
        let first = lines.firstIndex { $0.hasPrefix("width ") }.map { $0 + 1 } ?? 0
        #expect(lines[first] == "hidden2 \(bar(24)) 0.75 3 ± 0.12 4 1 5 0")
        #expect(lines[first + 1] == "hidden1 \(bar(8)) 0.25 1 ± 0.12 4 3 5 2")
        #expect(
            text.contains("measured on 1,000 samples; candidates of method {kind: tiny-joint, refit: true, "))
        #expect(text.contains("refit: true, ridge: 0.5, taps: full}\n"))
        #expect(text.contains("hidden1: 0.5, 0.25  █▁"))
    }

    @Test("Bottlenecks without a needed number are refused")
    func incompleteBottlenecks() throws {
        var content = SmallChain.bottlenecks
        content[group: "widths/hidden1"].attributes["bottleneck"] = .real(.nan)
        try folder.publish(
            "digits/x-0/bottlenecks-1", .bottlenecks, stage: "compute-bottlenecks", seconds: 1,
            content: content)
        #expect(throws: ReportError.self) { try summary("digits/x-0/bottlenecks-1") }
    }

    @Test("An evaluation is shown with its worst confusions first")
    func evaluation() throws {
        let lines = try summary("digits/tiny-joint-0/evaluation").split(separator: "\n")
            .map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("accuracy 80.00 %"))
        let confusions = lines.drop { $0 != "most frequent confusions" }.dropFirst(2).prefix(2)
        #expect(Set(confusions) == ["10 60 class 0 class 1", "10 40 class 1 class 0"])
    }

    @Test("A plain file is shown with what it says of itself")
    func plainFile() throws {
        let copy = try locate("digits/tiny-joint-0/seed").export(to: folder.path + "/out")
        let text = try ArtifactSummary(of: ArtifactLocation(copy, artifacts: "nowhere")).text
        #expect(text.contains("provenance (not in a store: what the file says itself)"))
        #expect(text.contains("train-seed"))
    }

    @Test("A file that is no artifact is refused")
    func noArtifact() throws {
        let path = folder.path + "/plain.h5"
        try Group(attributes: ["title": "something else"]).write(to: path)
        #expect(throws: ArtifactError.self) { try summary(path) }
        try PlainFile.write("text", to: folder.path + "/text.h5")
        #expect(throws: HDF5Error.self) { try summary(folder.path + "/text.h5") }
    }

    // MARK: Comparing

    private func differences(_ first: String, _ second: String) throws -> ArtifactDifferences {
        try ArtifactDifferences(between: locate(first), and: locate(second))
    }

    @Test("An artifact does not differ from its copy")
    func equal() throws {
        let copy = try locate("digits/tiny-joint-0/seed").export(to: folder.path + "/out")
        #expect(try differences("digits/tiny-joint-0/seed", copy).isEmpty)
    }

    @Test("Parameters by path, nodes of the architecture and values are told apart")
    func different() throws {
        try SmallChain(seed: 1, widths: [3, 5]).publish(in: folder)
        let found = try differences("digits/tiny-joint-0/seed", "digits/tiny-joint-1/seed")
        #expect(!found.isEmpty)
        func description(_ path: String) -> String? {
            found.differences.first { $0.path == path }?.description
        }
        #expect(description("parameters.seed") == "0 → 1")
        #expect(description("/architecture@graph.nodes.2.width") == "2 → 5")
        #expect(description("/parameters/hidden2/weight") == "float32 [2, 3] → float32 [5, 3]")
        #expect(
            description("/parameters/hidden1/weight")?.hasPrefix("12 of 12 elements differ, at most by")
                == true)
        #expect(description("/history/loss") == nil)
    }

    @Test("Artifacts of two kinds differ in what only one of them has")
    func kinds() throws {
        let found = try differences("digits/tiny-joint-0/seed", "digits/tiny-joint-0/evaluation")
        #expect(
            found.differences.contains { $0.path == "/accuracy" && $0.description == "absent → float64 []" })
        #expect(found.differences.contains { $0.path == "/history" && $0.description == "a group → absent" })
    }

    @Test("Distances are the largest, absolute and relative, and two NaN are equal")
    func distances() throws {
        let left = Dataset.Values.float64([1, .nan, 100, 0])
        #expect(Distance(left, left) == nil)
        let found = try #require(Distance(left, .float64([1.5, .nan, 101, 0])))
        #expect(found.different == 2)
        #expect(found.absolute == 1)
        #expect(found.relative == 0.5 / 1.5)
        let infinite = try #require(Distance(left, .float64([.nan, .nan, 100, 0])))
        #expect(infinite.absolute == .infinity)
    }

    // MARK: Exporting

    @Test("An export has a readable name, the same bytes, and overwrites nothing")
    func export() throws {
        let step = try locate("digits/tiny-joint-0/tune-1")
        let path = try step.export(to: folder.path + "/out")
        #expect(path == folder.path + "/out/digits_tiny-joint-0_tune-1.h5")
        #expect(try Digest(ofFile: path) == step.digest)
        #expect(FileManager.default.isWritableFile(atPath: path))
        #expect(throws: ReportError.alreadyThere(path: path)) { try step.export(to: folder.path + "/out") }
        #expect(throws: ReportError.notAStep(argument: path)) {
            try locate(path).export(to: folder.path + "/other")
        }
    }
}
