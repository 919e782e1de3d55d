import Tensors
import Testing

@testable import Networks

/// A residual network with every kind of node that may work in place or share a value.
func residualNetwork(width: Int = 18, side: Int = 6, classes: Int = 3) throws -> Architecture {
    let three = Window(kernel: Extent(square: 3), padding: Extent(square: 1))
    let half = Window(kernel: Extent(square: 3), stride: Extent(square: 2), padding: Extent(square: 1))
    return try Architecture(
        inputShape: [3, side, side],
        nodes: [
            .init("stem", Convolution(width: width, window: three, bias: false), inputs: ["input"]),
            .init("norm0", BatchNormalization(), inputs: ["stem"]),
            .init("relu0", Activation(.relu), inputs: ["norm0"]),
            .init("conv1", Convolution(width: width, window: three, bias: false), inputs: ["relu0"]),
            .init("norm1", BatchNormalization(), inputs: ["conv1"]),
            .init("relu1", Activation(.relu), inputs: ["norm1"]),
            .init("drop1", Dropout(rate: 0.2), inputs: ["relu1"]),
            .init("conv2", Convolution(width: width, window: three), inputs: ["drop1"]),
            .init("norm2", BatchNormalization(), inputs: ["conv2"]),
            .init("sum2", Add(), inputs: ["norm2", "relu0"]),
            .init("relu2", Activation(.relu), inputs: ["sum2"]),
            .init("conv3", Convolution(width: width + 3, window: half, bias: false), inputs: ["relu2"]),
            .init("norm3", GroupNormalization(groups: 3), inputs: ["conv3"]),
            .init("gelu3", Activation(.gelu), inputs: ["norm3"]),
            .init(
                "short",
                Convolution(
                    width: width + 3, window: Window(kernel: Extent(square: 1), stride: Extent(square: 2))),
                inputs: ["relu2"]),
            .init("deep", DepthwiseConvolution(window: three), inputs: ["gelu3"]),
            .init("sum3", Add(), inputs: ["deep", "short", "gelu3"]),
            .init("twice", Add(), inputs: ["sum3", "sum3"]),
            .init("again", Add(), inputs: ["twice", "sum3", "twice"]),
            .init("pool", Pooling(.max, window: Window(kernel: Extent(square: 2))), inputs: ["again"]),
            .init("both", Concatenation(), inputs: ["pool", "pool"]),
            .init("flat", Flatten(), inputs: ["both"]),
            .init("mean", GlobalAveragePooling(), inputs: ["both"]),
            .init("all", Concatenation(), inputs: ["flat", "mean"]),
            .init("output", Linear(width: classes), inputs: ["all"]),
        ])
}

@Suite("Shared memory")
struct MemoryPlanTests {
    private let rows = 4

    private struct Results: Equatable {
        var output: [Float]
        var gradients: [Float]
        var updates: [Float]
        var kept: [[Float]]
    }

    /// Two passes with other data, the second of which counts.
    private func run(
        _ architecture: Architecture, _ purpose: Executor.Purpose, keeping: Set<String>?,
        reading: [String] = []
    ) throws -> Results {
        let network = try Network(initializing: architecture, seed: 1)
        let layout = ParameterLayout(architecture), stateLayout = ParameterLayout.state(architecture)
        let gradients = ParameterArena(layout), updates = ParameterArena(stateLayout)
        let executor = Executor(
            architecture, parameters: ParameterArena(layout, network.parameters), gradients: gradients,
            state: ParameterArena(stateLayout, network.state), stateUpdates: updates, capacity: rows,
            purpose: purpose, keeping: keeping)
        let mode =
            purpose == .training ? ForwardMode.training(seed: 1, epoch: 0, firstSample: 0) : .evaluation
        for pass in 1...2 {
            executor.writeRows(
                of: "input", rows: rows, from: randomValues(rows * architecture.inputCount, index: pass))
            executor.forward(rows: rows, mode: mode)
            guard purpose != .inference else { continue }
            executor.writeRows(
                of: architecture.outputName, .gradient, rows: rows,
                from: randomValues(rows * architecture.outputCount, index: 10 + pass))
            executor.backward(rows: rows, parameterGradients: purpose == .training)
        }
        func read(_ name: String, _ quantity: Executor.Quantity) -> [Float] {
            var values = [Float](
                repeating: 0, count: rows * (architecture.shape(of: name) ?? []).reduce(1, *))
            executor.readRows(of: name, quantity, rows: rows, into: &values)
            return values
        }
        return Results(
            output: read(architecture.outputName, .value), gradients: gradients.buffer.values,
            updates: updates.buffer.values,
            kept: reading.flatMap { name in
                purpose == .inference ? [read(name, .value)] : [read(name, .value), read(name, .gradient)]
            })
    }

    @Test(
        "changes no bit of any result", arguments: [Executor.Purpose.inference, .training, .measurement],
        [18, 33])
    func sameBits(purpose: Executor.Purpose, width: Int) throws {
        let architecture = try residualNetwork(width: width)
        let apart = try run(architecture, purpose, keeping: nil)
        #expect(try run(architecture, purpose, keeping: []) == apart)
        #expect(purpose != .training || apart.gradients.contains { $0 != 0 })
        #expect(purpose != .training || apart.updates.contains { $0 != 0 })
    }

    @Test("leaves each node alone that is kept", arguments: [Executor.Purpose.inference, .measurement])
    func kept(purpose: Executor.Purpose) throws {
        let architecture = try residualNetwork()
        let names = architecture.nodes.map(\.name)
        let apart = try run(architecture, purpose, keeping: nil, reading: names)
        let perNode = purpose == .inference ? 1 : 2
        for (index, name) in names.enumerated() {
            let found = try run(architecture, purpose, keeping: [name], reading: [name])
            #expect(found.kept[...] == apart.kept[index * perNode..<(index + 1) * perNode], "\(name)")
        }
    }

    @Test("is worth it: a deep chain takes no more than a short one when it only runs forward")
    func size() throws {
        func chain(_ depth: Int) throws -> Architecture {
            var nodes = [Architecture.Node("node0", Linear(width: 100), inputs: ["input"])]
            for index in 1..<depth {
                nodes.append(.init("node\(index)", Linear(width: 100), inputs: ["node\(index - 1)"]))
            }
            return try Architecture(inputShape: [100], nodes: nodes)
        }
        func count(_ depth: Int, _ purpose: Executor.Purpose, keeping: Set<String>?) throws -> Int {
            MemoryPlan(Program(try chain(depth), keeping: keeping), capacity: 16, purpose: purpose).count
        }
        #expect(try count(20, .inference, keeping: []) == count(4, .inference, keeping: []))
        #expect(try count(20, .training, keeping: []) < count(20, .training, keeping: nil) * 6 / 10)
        #expect(try count(20, .inference, keeping: nil) == 21 * 1600)
    }

    @Test("a pass after a kept node takes up from there")
    func continued() throws {
        let architecture = try residualNetwork()
        let network = try Network(initializing: architecture, seed: 1)
        let executor = Executor(
            architecture, parameters: ParameterArena(ParameterLayout(architecture), network.parameters),
            state: ParameterArena(ParameterLayout.state(architecture), network.state), capacity: rows,
            purpose: .inference, keeping: ["conv2", "relu0"])
        executor.writeRows(
            of: "input", rows: rows, from: randomValues(rows * architecture.inputCount, index: 1))
        executor.forward(rows: rows)
        func outputs() -> [Float] {
            var values = [Float](repeating: 0, count: rows * 3)
            executor.readRows(of: "output", .value, rows: rows, into: &values)
            return values
        }
        let output = outputs()
        var values = [Float](repeating: 0, count: rows * 18 * 36)
        executor.readRows(of: "conv2", .value, rows: rows, into: &values)
        executor.writeRows(of: "conv2", rows: rows, from: values.map { $0 + 1 })
        executor.forward(rows: rows, after: "conv2")
        #expect(output != outputs())
        executor.writeRows(of: "conv2", rows: rows, from: values)
        executor.forward(rows: rows, after: "conv2")
        #expect(output == outputs())
    }
}
