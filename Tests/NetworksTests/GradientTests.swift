import Tensors
import Testing

@testable import Networks

/// One operation between an input and a random projection of its output.
struct OperationCase: Sendable, CustomTestStringConvertible {
    var name: String
    var operation: any Networks.Operation
    var features: Int

    var testDescription: String { name }

    static let all: [OperationCase] =
        Activation.Function.allCases.map {
            OperationCase(name: $0.rawValue, operation: Activation($0), features: 37)
        } + [
            OperationCase(name: "linear with bias", operation: Linear(width: 5), features: 7),
            OperationCase(name: "linear without bias", operation: Linear(width: 5, bias: false), features: 7),
            OperationCase(name: "wide linear", operation: Linear(width: 33), features: 40),
            OperationCase(name: "dropout", operation: Dropout(rate: 0.4), features: 37),
        ]
}

/// L = Σ r · output for a fixed random r, and its gradients by central differences.
///
/// In front stands a linear node, so that the gradient with respect to the operation's input is asked for.
@Suite("Gradients of operations by finite differences")
struct GradientTests {
    private let rows = 30
    private let step: Float = 1 / 128
    /// Rounding of Float32 values divided by two steps, and the third derivative.
    private let tolerance = 2e-3
    private let mode = ForwardMode.training(seed: 5, epoch: 2, firstSample: 11)

    private struct Setting {
        var executor: Executor
        var parameters: ParameterArena
        var gradients: ParameterArena
        var projection: [Float]

        init(_ given: OperationCase, rows: Int) throws {
            let architecture = try Architecture(
                inputShape: [3],
                nodes: [
                    .init("front", Linear(width: given.features), inputs: ["input"]),
                    .init("tested", given.operation, inputs: ["front"]),
                ])
            let layout = ParameterLayout(architecture)
            parameters = ParameterArena(layout)
            gradients = ParameterArena(layout)
            for (index, entry) in layout.entries.enumerated() {
                let values = randomValues(entry.count, index: 100 + index, deviation: 0.5)
                for (place, value) in values.enumerated() {
                    parameters.buffer.pointer[entry.offset + place] = value
                }
            }
            executor = Executor(architecture, parameters: parameters, gradients: gradients, capacity: rows)
            projection = randomValues(rows * executor.output.count, index: 7)
            let inputs = randomValues(rows * 3, index: 8)
            executor.input.value.update(from: inputs, count: inputs.count)
        }

        var loss: Double {
            projection.indices.reduce(0) { $0 + Double(projection[$1]) * Double(executor.output.value[$1]) }
        }
    }

    /// (L(θ + h) - L(θ - h)) / 2h for one number, which is left as it was.
    private func difference(_ place: UnsafeMutablePointer<Float>, _ loss: () -> Double) -> Double {
        let value = place.pointee
        defer { place.pointee = value }
        let above = value + step, below = value - step
        place.pointee = above
        let high = loss()
        place.pointee = below
        return (high - loss()) / Double(above - below)
    }

    @Test("the gradient with respect to the input", arguments: OperationCase.all)
    func input(given: OperationCase) throws {
        let setting = try Setting(given, rows: rows)
        let executor = setting.executor
        executor.forward(rows: rows, mode: mode)
        executor.output.gradient.update(from: setting.projection, count: setting.projection.count)
        executor.backward(rows: rows)
        let port = executor.port("front")
        for index in 0..<rows * port.count where index % 5 == 0 {
            // A kink within a step has no derivative to compare with.
            guard abs(port.value[index]) > step else { continue }
            let expected = difference(port.value + index) {
                executor.forward(rows: rows, after: "front", mode: mode)
                return setting.loss
            }
            let error = abs(Double(port.gradient[index]) - expected)
            #expect(
                error < tolerance * (1 + abs(expected)),
                "element \(index): \(port.gradient[index]), \(expected)")
        }
    }

    @Test("the gradients with respect to all parameters, in front of it too", arguments: OperationCase.all)
    func parameters(given: OperationCase) throws {
        let setting = try Setting(given, rows: rows)
        let executor = setting.executor
        executor.forward(rows: rows, mode: mode)
        executor.output.gradient.update(from: setting.projection, count: setting.projection.count)
        setting.gradients.buffer.pointer.update(repeating: 9, count: setting.gradients.layout.count)
        executor.backward(rows: rows)
        let isKinked = [.relu, .selu].contains((given.operation as? Activation)?.function)
        for entry in setting.parameters.layout.entries where entry.node == "tested" || !isKinked {
            for index in 0..<min(entry.count, 60) {
                let expected = difference(setting.parameters.buffer.pointer + entry.offset + index) {
                    executor.forward(rows: rows, mode: mode)
                    return setting.loss
                }
                let found = Double(setting.gradients.buffer.pointer[entry.offset + index])
                #expect(
                    abs(found - expected) < 2 * tolerance * (1 + abs(expected)), "\(entry.name)[\(index)]")
            }
        }
    }

    @Test("a value that two nodes read gets the sum of both gradients")
    func twoReaders() throws {
        let architecture = try Architecture(
            inputShape: [3],
            nodes: [
                .init("shared", Linear(width: 6), inputs: ["input"]),
                .init("left", Activation(.tanh), inputs: ["shared"]),
                .init("right", Linear(width: 4), inputs: ["shared"]),
                .init("last", Activation(.gelu), inputs: ["shared"]),
            ])
        let layout = ParameterLayout(architecture)
        let parameters = ParameterArena(layout, try Network(initializing: architecture, seed: 1).parameters)
        let gradients = ParameterArena(layout)
        let executor = Executor(architecture, parameters: parameters, gradients: gradients, capacity: rows)
        let inputs = randomValues(rows * 3, index: 1)
        executor.input.value.update(from: inputs, count: inputs.count)
        let ends = ["left", "right", "last"].enumerated().map { index, name in
            (
                port: executor.port(name),
                projection: randomValues(rows * executor.port(name).count, index: index + 2)
            )
        }
        executor.forward(rows: rows)
        // Twice: nothing may be left over from the first time.
        for _ in 0..<2 {
            for end in ends { end.port.gradient.update(from: end.projection, count: end.projection.count) }
            executor.backward(rows: rows)
        }
        let shared = executor.port("shared")
        for index in 0..<rows * shared.count {
            let expected = difference(shared.value + index) {
                executor.forward(rows: rows, after: "shared")
                return ends.reduce(0) { total, end in
                    end.projection.indices.reduce(total) {
                        $0 + Double(end.projection[$1]) * Double(end.port.value[$1])
                    }
                }
            }
            #expect(abs(Double(shared.gradient[index]) - expected) < tolerance * (1 + abs(expected)))
        }
    }

    @Test("rows of an image come out and go in with the channels last")
    func rowAccess() throws {
        let architecture = try Architecture(
            inputShape: [2, 1, 3], nodes: [.init("same", Activation(.identity), inputs: ["input"])])
        let executor = Executor(
            architecture, parameters: ParameterArena(ParameterLayout(architecture)), capacity: 2)
        executor.input.value.update(from: (0..<12).map(Float.init), count: 12)
        executor.forward(rows: 2)
        var found = [Float](repeating: -1, count: 12)
        for name in ["input", "same"] {
            executor.readRows(of: name, .value, rows: 2, into: &found)
            #expect(found == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])
        }
        executor.writeRows(of: "input", rows: 1, from: [5, 4, 3, 2, 1, 0])
        executor.readRows(of: "input", .value, rows: 1, into: &found)
        #expect(found[..<6] == [5, 4, 3, 2, 1, 0])
        #expect((0..<6).map { executor.input.value[$0] } == [5, 3, 1, 4, 2, 0])
    }

    @Test("a pass over fewer rows than there is room for gives the same numbers")
    func fewerRows() throws {
        let given = OperationCase(name: "linear", operation: Linear(width: 5), features: 7)
        let large = try Setting(given, rows: rows), small = try Setting(given, rows: 4)
        small.executor.input.value.update(from: large.executor.input.value, count: 12)
        for setting in [large, small] {
            setting.executor.forward(rows: 4)
            setting.executor.output.gradient.update(from: large.projection, count: 20)
            setting.executor.backward(rows: 4)
        }
        #expect(large.gradients.buffer.values == small.gradients.buffer.values)
    }
}

@Suite("Dropout nodes")
struct DropoutTests {
    private func makeExecutor(_ rate: Double, rows: Int) throws -> Executor {
        let architecture = try Architecture(
            inputShape: [9], nodes: [.init("dropout", Dropout(rate: rate), inputs: ["input"])])
        let executor = Executor(
            architecture, parameters: ParameterArena(ParameterLayout(architecture)), capacity: rows)
        executor.input.value.update(repeating: 1, count: rows * 9)
        return executor
    }

    @Test("evaluation changes nothing, training drops the share and keeps the mean")
    func share() throws {
        let executor = try makeExecutor(0.25, rows: 2000)
        executor.forward(rows: 2000)
        let output = UnsafeBufferPointer(start: executor.output.value, count: 18_000)
        #expect(output.allSatisfy { $0 == 1 })
        executor.forward(rows: 2000, mode: .training(seed: 1, epoch: 0, firstSample: 0))
        #expect(output.allSatisfy { $0 == 0 || $0 == 1 / (1 - 0.25) })
        #expect(abs(Double(output.count { $0 == 0 }) / 18_000 - 0.25) < 0.015)
    }

    @Test("a sample's mask depends on its place in the epoch, not on the shard", arguments: [1, 3, 8])
    func shards(first: Int) throws {
        let whole = try makeExecutor(0.5, rows: 16), part = try makeExecutor(0.5, rows: 16)
        whole.forward(rows: 16, mode: .training(seed: 1, epoch: 3, firstSample: 40))
        part.forward(rows: 16 - first, mode: .training(seed: 1, epoch: 3, firstSample: 40 + first))
        for index in 0..<(16 - first) * 9 {
            #expect(part.output.value[index] == whole.output.value[first * 9 + index])
        }
    }

    @Test("masks differ between seeds, epochs and nodes")
    func streams() throws {
        func mask(_ mode: ForwardMode) throws -> [Float] {
            let executor = try makeExecutor(0.5, rows: 16)
            executor.forward(rows: 16, mode: mode)
            return Array(UnsafeBufferPointer(start: executor.output.value, count: 144))
        }
        let first = try mask(.training(seed: 1, epoch: 3, firstSample: 0))
        #expect(try first == mask(.training(seed: 1, epoch: 3, firstSample: 0)))
        #expect(try first != mask(.training(seed: 2, epoch: 3, firstSample: 0)))
        #expect(try first != mask(.training(seed: 1, epoch: 4, firstSample: 0)))
        let chain = try Architecture(
            inputShape: [144],
            nodes: [
                .init("first", Dropout(rate: 0.5), inputs: ["input"]),
                .init("second", Dropout(rate: 0.5), inputs: ["input"]),
            ])
        let executor = Executor(chain, parameters: ParameterArena(ParameterLayout(chain)), capacity: 1)
        executor.input.value.update(repeating: 1, count: 144)
        executor.forward(rows: 1, mode: .training(seed: 1, epoch: 3, firstSample: 0))
        #expect((0..<144).contains { executor.port("first").value[$0] != executor.port("second").value[$0] })
    }
}
