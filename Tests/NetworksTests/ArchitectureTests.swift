import Parameters
import Tensors
import Testing

@testable import Networks

@Suite("Architectures")
struct ArchitectureTests {
    /// A graph's JSON with these nodes, each "name operation inputs…" and what its operation needs.
    private func read(_ nodes: String, input: String = "[4]") throws -> Architecture {
        try Architecture(
            tree: Tree(json: #"{"input": \#(input), "nodes": [\#(nodes)]}"#, file: "net"), file: "net")
    }

    private static let linear =
        #"{"name": "a", "operation": "linear", "inputs": ["input"], "width": 3, "bias": true}"#

    @Test("784-8-8-10 has the parameters and FLOPs counted by hand")
    func counts() throws {
        let architecture = try NetworkParameters(widths: [8, 8]).architecture(sample: [784], outputs: 10)
        #expect(ParameterLayout(architecture).parameterCount == 784 * 8 + 8 + 8 * 8 + 8 + 8 * 10 + 10)
        #expect(try Network(initializing: architecture, seed: 0).parameterCount == 6442)
        // Products and biases 2·784·8 + 8, 2·64 + 8, 2·80 + 10; activations 8 + 8.
        let forward = 12_552 + 8 + 136 + 8 + 170
        #expect(architecture.flopsPerSample.inference == forward)
        // Parameter gradients cost as much as the layers; input gradients the products, not for the first layer.
        let backward = (12_552 + 136 + 170) + (8 + 128 + 8 + 160)
        #expect(architecture.flopsPerSample.training == forward + backward)
        #expect(forward + backward == 26_036)
    }

    @Test("without biases only the products count")
    func withoutBias() throws {
        let architecture = try NetworkParameters(widths: [3], activation: .relu, bias: false)
            .architecture(sample: [5], outputs: 2)
        #expect(ParameterLayout(architecture).parameterCount == 21)
        #expect(architecture.flopsPerSample == (30 + 3 + 12, 30 + 3 + 12 + 30 + 12 + 3 + 12))
    }

    @Test("an MLP's nodes follow each other, with dropout where asked")
    func mlp() throws {
        let architecture = try NetworkParameters(widths: [6, 4], activation: .tanh, dropout: 0.5)
            .architecture(sample: [3], outputs: 2)
        #expect(
            architecture.nodes.map(\.name) == [
                "hidden1", "activation1", "dropout1", "hidden2", "activation2", "dropout2", "output",
            ])
        #expect(architecture.shapes == [[6], [6], [6], [4], [4], [4], [2]])
        #expect(architecture.consumers(of: "dropout1").map(\.name) == ["hidden2"])
        #expect(architecture.initializationGain(after: "hidden1") == 5.0 / 3)
        #expect(architecture.initializationGain(after: "output") == 1)
    }

    @Test("a graph read from its own tree is the same")
    func roundTrip() throws {
        let architecture = try NetworkParameters(
            widths: [6, 4], activation: .gelu, dropout: 0.1, bias: false
        )
        .architecture(sample: [3], outputs: 2)
        let json = architecture.tree.canonicalJSON
        #expect(try Architecture(tree: Tree(json: json, file: "net"), file: "net") == architecture)
        #expect(try architecture != architecture.replacing("hidden1", by: Linear(width: 6)))
    }

    @Test(
        "a graph that is none is refused, with a message that names the trouble",
        arguments: [
            ("", "[4]", "nodes"),
            (linear, "[]", "input"),
            (linear, "[0]", "input"),
            (linear, "[1048576, 1048576, 1048576, 1048576]", "more than 16777216 values"),
            (linear, "[4, 4]", "a row of features"),
            (linear.replacing("linear", with: "liner"), "[4]", "linear, pooling; did you mean 'linear'?"),
            (linear.replacing("\"width\": 3", with: "\"width\": 0"), "[4]", "width"),
            (linear.replacing("\"width\": 3", with: "\"width\": 1e9"), "[4]", "width"),
            (linear.replacing("\"width\"", with: "\"widht\""), "[4]", "width"),
            (linear.replacing("\"a\"", with: "\"a/b\""), "[4]", "letters, digits"),
            (linear.replacing("\"a\"", with: "\"\""), "[4]", "letters, digits"),
            (linear.replacing("\"a\"", with: "\"input\""), "[4]", "used twice"),
            (linear + "," + linear, "[4]", "used twice"),
            (linear.replacing("[\"input\"]", with: "[\"b\"]"), "[4]", "'b' is not an earlier node"),
            (linear.replacing("[\"input\"]", with: "[\"a\"]"), "[4]", "'a' is not an earlier node"),
            (linear.replacing("[\"input\"]", with: "[]"), "[4]", "one input"),
            (linear.replacing("[\"input\"]", with: "[\"input\", \"input\"]"), "[4]", "one input"),
            (linear.replacing("[\"input\"]", with: "[3]"), "[4]", "node names"),
            (#"{"name": "a", "operation": "dropout", "inputs": ["input"], "rate": 1}"#, "[4]", "rate"),
            (
                #"{"name": "a", "operation": "activation", "inputs": ["input"], "function": "sin"}"#, "[4]",
                "relu"
            ),
        ])
    func refused(nodes: String, input: String, expected: String) {
        do {
            _ = try read(nodes, input: input)
            Issue.record("nothing was thrown")
        } catch let error as any ReportableError {
            #expect(error.exitCode == 65)
            #expect("\(error)".contains(expected), "\(error)")
        } catch {
            Issue.record("\(error) has no exit code")
        }
    }

    @Test("initialisation has the variance of its gain, zero biases, and depends on the seed alone")
    func initialization() throws {
        let architecture = try NetworkParameters(widths: [300], activation: .relu)
            .architecture(sample: [200], outputs: 50)
        let network = try Network(initializing: architecture, seed: 1)
        #expect(try network == Network(initializing: architecture, seed: 1))
        #expect(try network != Network(initializing: architecture, seed: 2))
        #expect(network.parameters["hidden1/bias"]?.values == [Float](repeating: 0, count: 300))
        for (name, variance) in [("hidden1/weight", 2.0 / 200), ("output/weight", 1.0 / 300)] {
            let values = try #require(network.parameters[name]).values
            let found = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
            #expect(abs(found / variance - 1) < 0.05, "\(name)")
        }
    }

    /// The graph with a node put in before "hidden2", which reads it.
    private func inserting(
        _ operation: any Operation, into architecture: Architecture
    ) throws -> Architecture {
        var nodes = architecture.nodes
        let place = try #require(architecture.index(of: "hidden2"))
        nodes.insert(.init("extra", operation, inputs: nodes[place].inputs), at: place)
        nodes[place + 1].inputs = ["extra"]
        return try Architecture(inputShape: architecture.inputShape, nodes: nodes)
    }

    @Test("a node that is put in takes the next free identity, and takes no numbers from the others")
    func identities() throws {
        let start = try NetworkParameters(widths: [6, 4], dropout: 0.5).architecture(sample: [3], outputs: 2)
        #expect(start.identities == Array(0..<7))
        #expect(!start.tree.canonicalJSON.contains("identity"))
        let longer = try inserting(Linear(width: 6), into: start)
        #expect(longer.identities == [0, 1, 2, 7, 3, 4, 5, 6])
        let again = try Architecture(tree: Tree(json: longer.tree.canonicalJSON, file: "net"), file: "net")
        #expect(again == longer && again.identities == longer.identities)
        #expect(longer.original == start && start.original == start)
        let (before, after) = try (
            Network(initializing: start, seed: 5), Network(initializing: longer, seed: 5)
        )
        #expect(before.parameters.allSatisfy { after.parameters[$0.key] == $0.value })
        #expect(after.parameters["extra/weight"]?.shape == [6, 6])
        #expect(after.parameters.count == before.parameters.count + 2)
    }

    @Test("without a block that was put in, a graph is what it was")
    func original() throws {
        let start = try NetworkParameters(widths: [6, 4]).architecture(sample: [3], outputs: 2)
        var nodes = start.nodes
        nodes[2].inputs = ["sum"]
        nodes.insert(
            contentsOf: [
                .init("inner", Linear(width: 5), inputs: ["activation1"]),
                .init("outer", Linear(width: 6), inputs: ["inner"]),
                .init("sum", Add(), inputs: ["activation1", "outer"]),
            ], at: 2)
        let longer = try Architecture(inputShape: [3], nodes: nodes)
        #expect(longer.identities == [0, 1, 5, 6, 7, 2, 3, 4])
        #expect(longer.original == start)
    }

    @Test("dropout behind a node that is put in draws the same masks")
    func masks() throws {
        let start = try NetworkParameters(widths: [6, 4], activation: .identity, dropout: 0.5)
            .architecture(sample: [3], outputs: 2)
        func outputs(_ architecture: Architecture) throws -> [Float] {
            let network = try Network(initializing: architecture, seed: 5)
            let executor = Executor(
                architecture, parameters: ParameterArena(ParameterLayout(architecture), network.parameters),
                capacity: 20, purpose: .inference)
            executor.writeRows(of: Architecture.inputName, rows: 20, from: randomValues(60, index: 1))
            executor.forward(rows: 20, mode: .training(seed: 3, epoch: 1, firstSample: 0))
            var values = [Float](repeating: 0, count: 80)
            executor.readRows(of: "dropout2", .value, rows: 20, into: &values)
            return values
        }
        let expected = try outputs(start)
        #expect(expected.contains(0) && expected.contains { $0 != 0 })
        #expect(try outputs(inserting(Activation(.identity), into: start)) == expected)
    }

    @Test("identities that repeat or are out of range are refused, as is what is put in beyond the last")
    func refusedIdentities() throws {
        let second = #"{"name": "b", "operation": "linear", "inputs": ["a"], "width": 3, "identity": 0}"#
        for (identities, expected) in [("0", "identity 0"), ("16777217", "identity"), ("-1", "identity")] {
            #expect {
                try read(
                    Self.linear.replacing("\"width\"", with: "\"identity\": 0, \"width\"") + ","
                        + second.replacing("\"identity\": 0", with: "\"identity\": \(identities)"))
            } throws: { "\($0)".contains(expected) }
        }
        let last = Self.linear.replacing("\"width\"", with: "\"identity\": 16777216, \"width\"")
        #expect(throws: NetworkError.self) {
            try read(last + "," + second.replacing(#", "identity": 0"#, with: ""))
        }
    }

    @Test("every parameter begins at a cache line and comes back as it went in")
    func arena() throws {
        let architecture = try NetworkParameters(widths: [3, 17]).architecture(sample: [5], outputs: 2)
        let network = try Network(initializing: architecture, seed: 1)
        let layout = ParameterLayout(architecture)
        #expect(layout.entries.allSatisfy { $0.offset % 16 == 0 })
        #expect(ParameterArena(layout, network.parameters).tensors() == network.parameters)
        let zeros = ParameterArena(layout, [:], suffix: "/momentum").tensors(suffix: "/momentum")
        #expect(zeros.keys.sorted() == network.parameters.keys.map { $0 + "/momentum" }.sorted())
        #expect(zeros.values.allSatisfy { $0.values.allSatisfy { $0 == 0 } })
    }

    @Test("a few bytes of JSON cannot ask for all memory: values and parameters of all nodes are limited")
    func limits() throws {
        func window(_ name: String, _ input: String, _ operation: String, _ fields: String) -> String {
            #"{"name": "\#(name)", "operation": "\#(operation)", "inputs": ["\#(input)"], \#(fields)}"#
        }
        // Each doubles the channels of the one before.
        let doubling = (0..<90).map { index in
            let input = index == 0 ? "input" : "n\(index - 1)"
            return
                #"{"name": "n\#(index)", "operation": "concatenation", "inputs": ["\#(input)", "\#(input)"]}"#
        }
        let wide = window("c0", "input", "convolution", #""width": 65536, "kernel": 1024, "padding": 1024"#)
        // Nothing at many positions, and then something.
        let padded =
            (0..<40).map { index in
                window(
                    "c\(index)", index == 0 ? "input" : "c\(index - 1)", "convolution",
                    #""width": 0, "kernel": 1, "padding": 1024"#)
            } + [window("last", "c39", "convolution", #""width": 1, "kernel": 1"#)]
        let cases = [
            (doubling.joined(separator: ","), "[64]", "values for one sample"),
            (wide, "[1, 4, 4]", "values for one sample"),
            (padded.joined(separator: ","), "[1, 4, 4]", "values for one sample"),
            (
                window("c", "input", "convolution", #""width": 65536, "kernel": 1024"#), "[16, 1024, 1024]",
                "parameters"
            ),
        ]
        for (nodes, input, words) in cases {
            let error = #expect(throws: NetworkError.self) { _ = try read(nodes, input: input) }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }
}
