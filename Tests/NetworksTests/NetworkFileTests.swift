import HDF5
import Parameters
import Tensors
import TestSupport
import Testing

@testable import Networks

/// A change of a good network's content, and what the refusal must mention.
struct Hostility: Sendable, CustomTestStringConvertible {
    var name: String
    var expected: String
    var change: @Sendable (inout Group) -> Void

    var testDescription: String { name }

    init(_ name: String, expect expected: String, _ change: @escaping @Sendable (inout Group) -> Void) {
        self.name = name
        self.expected = expected
        self.change = change
    }

    private static func floats(_ values: [Float], _ shape: [Int]) -> HDF5.Dataset {
        HDF5.Dataset(
            .float32(values), shape: shape, dims: shape.indices.map { "axis\($0)" }.joined(separator: ","))
    }

    static let parameters = [
        Hostility("a missing parameter", expect: "missing hidden2/bias") {
            $0["parameters/hidden2/bias"] = nil
        },
        Hostility("a missing node", expect: "missing output/bias, output/weight") {
            $0[group: "parameters"].groups["output"] = nil
        },
        Hostility("a parameter of no node", expect: "hidden9/weight") {
            $0["parameters/hidden9/weight"] = floats([1], [1, 1])
        },
        Hostility("an extra parameter of a node", expect: "hidden1/scale") {
            $0["parameters/hidden1/scale"] = floats([1], [1])
        },
        Hostility("a group among the parameters of a node", expect: "'more'") {
            $0[group: "parameters/hidden1/more"] = Group()
        },
        Hostility("a dataset among the nodes", expect: "'stray'") {
            $0["parameters/stray"] = floats([1], [1])
        },
        Hostility("a wrong shape", expect: "hidden1/weight") {
            $0["parameters/hidden1/weight"] = floats([Float](repeating: 0, count: 12), [4, 3])
        },
        Hostility("a wrong rank", expect: "hidden1/bias") {
            $0["parameters/hidden1/bias"] = floats([0, 0, 0], [3, 1])
        },
        Hostility("another type", expect: "hidden1/bias") {
            $0["parameters/hidden1/bias"] = HDF5.Dataset(.float64([0, 0, 0]), shape: [3], dims: "axis0")
        },
        Hostility("NaN", expect: "hidden1/bias holds a value that is not finite") {
            $0["parameters/hidden1/bias"] = floats([0, .nan, 0], [3])
        },
        Hostility("an infinity in the optimiser's state", expect: "output/bias/momentum holds a value") {
            $0["optimizer/output/bias/momentum"] = floats([0, .infinity], [2])
        },
        Hostility("a slot of whatever name with a wrong shape", expect: "output/bias/inertia") {
            $0["optimizer/output/bias/inertia"] = floats([0, 0, 0], [3])
        },
        Hostility("state of no parameter", expect: "output/scale/momentum") {
            $0["optimizer/output/scale/momentum"] = floats([0, 0], [2])
        },
        Hostility("state of a wrong shape", expect: "output/bias/momentum") {
            $0["optimizer/output/bias/momentum"] = floats([0, 0, 0], [3])
        },
        Hostility("a dataset among the optimiser's nodes", expect: "'stray'") {
            $0["optimizer/stray"] = floats([1], [1])
        },
    ]

    static let lags = [
        Hostility("an average of no parameter", expect: "lag/hidden1/scale") {
            $0["lag/hidden1/scale"] = floats([1], [1])
        },
        Hostility("an average of a wrong shape", expect: "lag/hidden1/bias") {
            $0["lag/hidden1/bias"] = floats([1], [1])
        },
        Hostility("an average that is not finite", expect: "lag/hidden1/bias holds a value that is not") {
            $0["lag/hidden1/bias"] = floats([0, .nan, 0], [3])
        },
    ]

    static let data = [
        Hostility("no data", expect: "'data'") { $0.groups["data"] = nil },
        Hostility("no deviations", expect: "'std'") { $0["data/std"] = nil },
        Hostility("fewer deviations than channels", expect: "data/std") {
            $0["data/std"] = floats([1], [1])
        },
        Hostility("a mean above white", expect: "data/mean: 1.5 is not in 0...1") {
            $0["data/mean"] = floats([0, 1.5], [2])
        },
        Hostility("a deviation that is not a number", expect: "data/std: nan is not in 0...1") {
            $0["data/std"] = floats([.nan, 1], [2])
        },
        Hostility("a class too many", expect: "data@classes: 3 names, but the network has 2 outputs") {
            $0[group: "data"].attributes["classes"] = .texts(["a", "b", "c"])
        },
        Hostility("classes that are numbers", expect: "data@classes") {
            $0[group: "data"].attributes["classes"] = .integers([0, 1])
        },
        Hostility("another image", expect: "data@image: [2, 2, 2] [rows") {
            $0[group: "data"].attributes["image"] = .integers([2, 2, 2])
        },
        Hostility("an image whose extents overflow", expect: "data@image") {
            $0[group: "data"].attributes["image"] = .integers([1 << 40, 1 << 40, 1 << 40])
        },
        Hostility("an image of negative extents", expect: "data@image") {
            $0[group: "data"].attributes["image"] = .integers([-2, -1, 2])
        },
        Hostility("an image without channels", expect: "data@image") {
            $0[group: "data"].attributes["image"] = .integers([2, 2])
        },
        Hostility("a dataset that is no data", expect: "'stray'") { $0["data/stray"] = floats([1], [1]) },
    ]

    private static func rounds(_ rounds: [Int64]) -> HDF5.Dataset {
        HDF5.Dataset(.int64(rounds), shape: [rounds.count], dims: "axis0")
    }

    static let births = [
        Hostility("no births", expect: "'births'") { $0.groups["births"] = nil },
        Hostility("no births of a node", expect: "'output'") { $0[group: "births"].groups["output"] = nil },
        Hostility("births of no node", expect: "'hidden9'") { $0[group: "births/hidden9"] = Group() },
        Hostility("no columns", expect: "'columns'") { $0["births/output/columns"] = nil },
        Hostility("births of a third axis", expect: "'taps'") { $0["births/output/taps"] = rounds([0]) },
        Hostility("a birth too many", expect: "births/output/rows") {
            $0["births/output/rows"] = rounds([0, 0, 10])
        },
        Hostility("births that are no whole numbers", expect: "births/output/rows") {
            $0["births/output/rows"] = floats([0, 0], [2])
        },
        Hostility("a birth before the seed", expect: "births/output/rows: -1 is not a round in 0...10") {
            $0["births/output/rows"] = rounds([0, -1])
        },
        Hostility("a birth after the last growth", expect: "births/output/rows: 11 is not a round in 0...10")
        {
            $0["births/output/rows"] = rounds([11, 0])
        },
    ]

    static let records = [
        Hostility("no history", expect: "'history'") { $0.groups["history"] = nil },
        Hostility("a group of another kind", expect: "'widths'") { $0[group: "widths"] = Group() },
        Hostility("curves of two lengths", expect: "history/accuracy") {
            $0["history/accuracy"] = HDF5.Dataset(.float64([1]), shape: [1], dims: "epoch")
        },
        Hostility("a negative count of updates", expect: "output/bias/steps: -1.0 is not a count") {
            $0["optimizer/output/bias/steps"] = floats([3, -1], [2])
        },
        Hostility("a broken count of updates", expect: "output/bias/steps: 0.5 is not a count") {
            $0["optimizer/output/bias/steps"] = floats([0.5, 3], [2])
        },
        Hostility("a count of updates beyond Float32", expect: "output/bias/steps: 1e+20 is not a count") {
            $0["optimizer/output/bias/steps"] = floats([3, 1e20], [2])
        },
        Hostility("FLOPs that overflow when added", expect: "is not a count") {
            $0[group: "cost"].attributes["training_flops_grow"] = .integer(.max)
        },
        Hostility("a round that is no number", expect: "a round is a positive number") {
            $0[group: "growth/first"] = $0[group: "growth/2"]
        },
        Hostility("the same round twice", expect: "a round is a positive number") {
            $0[group: "growth/02"] = $0[group: "growth/2"]
        },
        Hostility("a negative number of neurons", expect: "-3 is not a number of neurons") {
            $0[group: "growth/2/hidden1"].attributes["neurons"] = .integer(-3)
        },
        Hostility("a change that does not exist", expect: "'grow' is not one of widen, deepen, shrink, none")
        {
            $0[group: "growth/2/hidden1"].attributes["change"] = "grow"
        },
        Hostility("a dataset among the rounds", expect: "'stray'") { $0["growth/stray"] = floats([1], [1]) },
        Hostility("a negative parity", expect: "ratios are not negative") {
            $0[group: "parity/2/output"].attributes["gradient"] = .real(-1)
        },
        Hostility("a parity of no round", expect: "ratios are not negative") {
            $0[group: "parity/02/output"] = $0[group: "parity/2/output"]
        },
        Hostility("no graph", expect: "graph") { $0[group: "architecture"].attributes = [:] },
        Hostility("a graph that is no JSON", expect: "1") {
            $0[group: "architecture"].attributes["graph"] = "{"
        },
        Hostility("an unknown operation", expect: "did you mean 'linear'?") {
            $0.edit("linear", "lynear")
        },
        Hostility("a name used twice", expect: "used twice") {
            $0.edit("\"name\":\"output\"", "\"name\":\"hidden1\"")
        },
        Hostility("a forward reference", expect: "is not an earlier node") {
            $0.edit("[\"input\"]", "[\"output\"]")
        },
        Hostility("a width of 0", expect: "width") { $0.edit("\"width\":5", "\"width\":0") },
        Hostility("another width", expect: "hidden2") { $0.edit("\"width\":5", "\"width\":6") },
        Hostility("an enormous sample", expect: "more than") {
            $0.edit("\"input\":[4]", "\"input\":[1048576,1048576,1048576,1048576]")
        },
    ]
}

extension Group {
    /// Replaces a part of the graph's JSON, which must be there.
    fileprivate mutating func edit(_ old: String, _ new: String) {
        guard case .text(let json) = self[group: "architecture"].attributes["graph"], json.contains(old)
        else {
            preconditionFailure("the graph has no \(old)")
        }
        self[group: "architecture"].attributes["graph"] = .text(json.replacing(old, with: new))
    }
}

@Suite("Network artifacts", .serialized)
struct NetworkFileTests {
    private func read(_ content: Group) throws -> Network {
        let folder = TemporaryFolder()
        try content.write(to: folder.path("network.h5"))
        return try Network(reading: File(reading: folder.path("network.h5")))
    }

    @Test("a network read back is the network written, with all its records")
    func roundTrip() throws {
        let network = try fullNetwork()
        let again = try read(network.content)
        #expect(again == network)
        let folder = TemporaryFolder()
        try network.content.write(to: folder.path("first.h5"))
        try again.content.write(to: folder.path("second.h5"))
        #expect(try folder.bytes("first.h5") == folder.bytes("second.h5"))
    }

    @Test("a network without records reads back too")
    func bare() throws {
        var network = try Network(
            initializing: NetworkParameters(widths: [2]).architecture(sample: [3], outputs: 2), seed: 0)
        network.data = convention(image: [3, 1, 1], classes: 2)
        #expect(try read(network.content) == network)
    }

    /// A network with a batch normalisation, whose state differs from where it starts.
    private func normalized() throws -> Network {
        let architecture = try Architecture(
            inputShape: [3],
            nodes: [
                .init("hidden", Linear(width: 4), inputs: ["input"]),
                .init("norm", BatchNormalization(), inputs: ["hidden"]),
            ])
        var network = try Network(initializing: architecture, seed: 0)
        #expect(network.state["norm/running_mean"]?.values == [0, 0, 0, 0])
        #expect(network.state["norm/running_var"]?.values == [1, 1, 1, 1])
        network.state["norm/running_mean"] = Tensor(shape: [4], values: [1, 2, 3, 4])
        network.data = convention(image: [1, 3, 1], classes: 4)
        return network
    }

    @Test("the state of normalisations is kept, a network without any has no group for it")
    func state() throws {
        let network = try normalized()
        #expect(network.content["state/norm/running_mean"]?.shape == [4])
        #expect(try read(network.content) == network)
        #expect(try fullNetwork().content.groups["state"] == nil)
    }

    @Test(
        "state that does not belong to the architecture is refused",
        arguments: [
            Hostility("no state", expect: "'state'") { $0.groups["state"] = nil },
            Hostility("a missing mean", expect: "missing norm/running_mean") {
                $0["state/norm/running_mean"] = nil
            },
            Hostility("state of no node", expect: "state/hidden/running_mean") {
                $0["state/hidden/running_mean"] = $0["state/norm/running_mean"]
            },
            Hostility("a wrong shape", expect: "norm/running_var") {
                $0["state/norm/running_var"] = HDF5.Dataset(.float32([1]), shape: [1], dims: "axis0")
            },
            Hostility("NaN", expect: "norm/running_var holds a value that is not finite") {
                $0["state/norm/running_var"] = HDF5.Dataset(
                    .float32([1, 1, .nan, 1]), shape: [4], dims: "axis0")
            },
        ])
    func hostileState(given: Hostility) throws {
        var content = try normalized().content
        given.change(&content)
        do {
            _ = try read(content)
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".contains(given.expected), "\(error)")
        }
        var plain = try fullNetwork().content
        plain[group: "state"] = Group()
        #expect(throws: HDF5Error.self) { try read(plain) }
    }

    @Test("weights are [out, in] datasets under their node, the counts stand as attributes")
    func layout() throws {
        let content = try fullNetwork().content
        #expect(content["parameters/hidden1/weight"]?.shape == [3, 4])
        #expect(content["optimizer/hidden2/bias/first_moment"]?.shape == [5])
        #expect(
            content[group: "parameters"].attributes["count"] == .integer(47))
        #expect(content[group: "cost"].attributes["training_flops"] == .integer(1_099_511_628_776))
        #expect(content[group: "growth/10/hidden2"].attributes["neurons"] == .integer(2))
        #expect(content["data/mean"]?.values == .float32([0.25, 0.375]))
        #expect(content["births/hidden2/rows"]?.values == .int64([0, 0, 0, 10, 10]))
        #expect(content["births/output/columns"]?.values == .int64([0, 0, 0, 10, 10]))
        #expect(content[group: "data"].attributes["classes"] == .texts(["class 0", "class 1"]))
        #expect(content[group: "data"].attributes["image"] == .integers([1, 2, 2]))
    }

    @Test(
        "hostile content is refused with a clear error",
        arguments: Hostility.parameters + Hostility.lags + Hostility.data + Hostility.births
            + Hostility.records)
    func hostile(given: Hostility) throws {
        var content = try fullNetwork().content
        given.change(&content)
        do {
            _ = try read(content)
            Issue.record("nothing was thrown")
        } catch {
            let exitCode = (error as? any ReportableError)?.exitCode ?? (error as? HDF5Error)?.exitCode
            #expect(exitCode == 65)
            #expect("\(error)".contains(given.expected), "\(error)")
            #expect("\(error)".contains("network.h5"), "\(error)")
        }
    }

    @Test("normalisations have births of channels alone")
    func birthsOfChannels() throws {
        var network = try normalized()
        network.births["norm"]?.rows = [0, 1, 0, 1]
        network.growth = [
            GrowthRecord(
                round: 1, width: "hidden", change: .widen, method: "tiny", neurons: 2, amplitude: 1,
                predictedDecrease: nil,
                realizedDecrease: 0, lossBefore: 1, bottleneck: 1, gradientNorm: 1)
        ]
        #expect(network.content["births/norm/columns"] == nil)
        #expect(try read(network.content) == network)
    }

    @Test("in memory, parameters must be those of the architecture")
    func validation() throws {
        let network = try fullNetwork()
        var parameters = network.parameters
        parameters["output/bias"] = nil
        #expect(
            throws: NetworkError.parameterNames(missing: ["output/bias"], unexpected: [], source: "here")
        ) { try Network(network.architecture, parameters: parameters, source: "here") }
        parameters["output/bias"] = Tensor(shape: [3], values: [1, 2, 3])
        #expect(
            throws: NetworkError.parameterShape(
                name: "output/bias", found: [3], expected: [2], source: "here")
        ) { try Network(network.architecture, parameters: parameters, source: "here") }
    }
}
