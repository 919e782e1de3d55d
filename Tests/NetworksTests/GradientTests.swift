import Tensors
import Testing

@testable import Networks

/// L = Σ r · output for a fixed random r, and its gradients by central differences.
///
/// In front stand layers, so that the gradients with respect to the operation's inputs are asked for.
@Suite("Gradients of operations by finite differences")
struct GradientTests {
    private let rows = 30
    private let step: Float = 1 / 128
    /// Rounding of Float32 values divided by two steps, and the third derivative.
    private let tolerance = 2e-3
    private let mode = ForwardMode.training(seed: 5, epoch: 2, firstSample: 11)

    /// (L(θ + h) - L(θ - h)) / 2h for one number, set by `set`; nil where the slopes on both sides differ.
    private func difference(
        at value: Float, isKinked: Bool = false, set: (Float) -> Void, _ loss: () -> Double
    ) -> Double? {
        defer { set(value) }
        let above = value + step, below = value - step
        set(above)
        let high = loss()
        set(below)
        let low = loss()
        let slope = (high - low) / Double(above - below)
        guard isKinked else { return slope }
        set(value)
        let right = (high - loss()) / Double(above - value)
        return abs(right - slope) < 0.01 * (1 + abs(slope)) ? slope : nil
    }

    private func difference(_ place: UnsafeMutablePointer<Float>, _ loss: () -> Double) -> Double {
        difference(at: place.pointee, set: { place.pointee = $0 }, loss) ?? .nan
    }

    private func checkInput(_ given: OperationCase, rows: Int, mode: ForwardMode) throws {
        let setting = try OperationSetting(given, rows: rows)
        let executor = setting.executor
        setting.run(mode)
        for front in setting.fronts {
            var values = setting.read(front, .value)
            let gradients = setting.read(front, .gradient)
            var checked = 0
            for index in stride(from: 0, to: values.count, by: max(1, values.count / 61)) {
                let expected = difference(
                    at: values[index], isKinked: given.isKinked,
                    set: {
                        values[index] = $0
                        executor.writeRows(of: front, rows: rows, from: values)
                    },
                    {
                        executor.forward(rows: rows, after: setting.fronts.last ?? front, mode: mode)
                        return setting.loss
                    })
                guard let expected else { continue }
                checked += 1
                let error = abs(Double(gradients[index]) - expected)
                #expect(
                    error < given.slack * tolerance * (1 + abs(expected)),
                    "\(front), element \(index): \(gradients[index]), \(expected)")
            }
            #expect(checked * 2 >= min(values.count, 61))
            executor.forward(rows: rows, mode: mode)
        }
    }

    @Test("the gradient with respect to rows", arguments: OperationCase.rows)
    func input(given: OperationCase) throws { try checkInput(given, rows: rows, mode: mode) }

    @Test("the gradient with respect to images", arguments: OperationCase.images)
    func imageInput(given: OperationCase) throws { try checkInput(given, rows: 3, mode: mode) }

    @Test(
        "gradients of odd widths, images and kernels, of one sample and of one more than a block",
        arguments: OperationCase.odd, [1, 17])
    func odd(given: OperationCase, rows: Int) throws {
        try checkInput(given, rows: rows, mode: mode)
        try checkParameters(given, rows: rows, mode: mode)
    }

    @Test(
        "in evaluation too, batch normalisation has a gradient",
        arguments: [
            OperationCase("rows", BatchNormalization(), [19]),
            OperationCase("images", BatchNormalization(), [18, 3, 4]),
        ])
    func evaluationGradient(given: OperationCase) throws {
        try checkInput(given, rows: 3, mode: .evaluation)
        try checkParameters(given, rows: 3, mode: .evaluation)
    }

    private func checkParameters(_ given: OperationCase, rows: Int, mode: ForwardMode) throws {
        let setting = try OperationSetting(given, rows: rows)
        let executor = setting.executor
        setting.gradients.buffer.pointer.update(repeating: 9, count: setting.gradients.layout.count)
        setting.run(mode)
        for entry in setting.parameters.layout.entries where entry.node == "tested" || !given.isKinked {
            for index in stride(from: 0, to: entry.count, by: max(1, entry.count / 61)) {
                let expected = difference(setting.parameters.buffer.pointer + entry.offset + index) {
                    executor.forward(rows: rows, mode: mode)
                    return setting.loss
                }
                let found = Double(setting.gradients.buffer.pointer[entry.offset + index])
                #expect(
                    abs(found - expected) < 2 * given.slack * tolerance * (1 + abs(expected)),
                    "\(entry.name)[\(index)]: \(found), \(expected)")
            }
        }
    }

    @Test("the gradients with respect to all parameters, in front of it too", arguments: OperationCase.rows)
    func parameters(given: OperationCase) throws { try checkParameters(given, rows: rows, mode: mode) }

    @Test("the gradients of parameters around images", arguments: OperationCase.images)
    func imageParameters(given: OperationCase) throws { try checkParameters(given, rows: 3, mode: mode) }

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
        executor.writeRows(of: "input", rows: rows, from: inputs)
        let ends = ["left", "right", "last"].enumerated().map { index, name in
            (
                name: name, projection: randomValues(rows * executor.port(name).count, index: index + 2)
            )
        }
        func read(_ name: String, _ quantity: Executor.Quantity) -> [Float] {
            var values = [Float](repeating: 0, count: rows * executor.port(name).count)
            executor.readRows(of: name, quantity, rows: rows, into: &values)
            return values
        }
        executor.forward(rows: rows)
        // Twice: nothing may be left over from the first time.
        for _ in 0..<2 {
            for end in ends { executor.writeRows(of: end.name, .gradient, rows: rows, from: end.projection) }
            executor.backward(rows: rows)
        }
        var values = read("shared", .value)
        let found = read("shared", .gradient)
        for index in values.indices {
            let expected = difference(
                at: values[index],
                set: {
                    values[index] = $0
                    executor.writeRows(of: "shared", rows: rows, from: values)
                },
                {
                    executor.forward(rows: rows, after: "shared")
                    return ends.reduce(0) { total, end in
                        zip(end.projection, read(end.name, .value)).reduce(total) {
                            $0 + Double($1.0) * Double($1.1)
                        }
                    }
                })
            let slope = try #require(expected)
            #expect(abs(Double(found[index]) - slope) < tolerance * (1 + abs(slope)))
        }
    }

    @Test(
        "rows of an image come out and go in with the channels last, sixteen of them side by side",
        arguments: [1, 15, 16, 17, 40], [1, 2, 15, 16, 17, 33])
    func rowAccess(rows: Int, channels: Int) throws {
        let architecture = try Architecture(
            inputShape: [channels, 2, 3], nodes: [.init("same", Activation(.identity), inputs: ["input"])])
        let executor = Executor(
            architecture, parameters: ParameterArena(ParameterLayout(architecture)), capacity: rows)
        let count = channels * 6
        let values = (0..<rows * count).map { Float($0 + 1) }
        executor.writeRows(of: "input", rows: rows, from: values)
        executor.forward(rows: rows)
        var found = [Float](repeating: -1, count: rows * count)
        executor.readRows(of: "same", .value, rows: rows, into: &found)
        #expect(found == values)
        for row in 0..<ValueLayout.filled(rows) {
            for channel in 0..<channels {
                for position in 0..<6 {
                    let lane = ((row / 16 * channels + channel) * 6 + position) * 16 + row % 16
                    let expected = row < rows ? values[row * count + position * channels + channel] : 0
                    #expect(executor.input.value[lane] == expected)
                }
            }
        }
        // As one position of all values, in the order of memory: channel by channel.
        executor.readRows(of: "same", .value, rows: rows, channels: count, into: &found)
        #expect(found.prefix(6) == (0..<6).map { values[$0 * channels] }[...])
    }

    @Test("a pass over fewer rows than there is room for gives the same numbers")
    func fewerRows() throws {
        let given = OperationCase("linear", Linear(width: 5), [7])
        let large = try OperationSetting(given, rows: rows), small = try OperationSetting(given, rows: 4)
        let projection = randomValues(20, index: 9)
        var values = [Float](repeating: 0, count: 12)
        large.executor.readRows(of: "input", .value, rows: 4, into: &values)
        for setting in [large, small] {
            setting.executor.writeRows(of: "input", rows: 4, from: values)
            setting.executor.forward(rows: 4)
            setting.executor.writeRows(of: "tested", .gradient, rows: 4, from: projection)
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
        executor.writeRows(of: "input", rows: rows, from: [Float](repeating: 1, count: rows * 9))
        return executor
    }

    private func outputs(_ executor: Executor, rows: Int, of name: String = "dropout") -> [Float] {
        var values = [Float](repeating: 0, count: rows * executor.port(name).count)
        executor.readRows(of: name, .value, rows: rows, into: &values)
        return values
    }

    @Test("evaluation changes nothing, training drops the share and keeps the mean")
    func share() throws {
        let executor = try makeExecutor(0.25, rows: 2000)
        executor.forward(rows: 2000)
        #expect(outputs(executor, rows: 2000).allSatisfy { $0 == 1 })
        executor.forward(rows: 2000, mode: .training(seed: 1, epoch: 0, firstSample: 0))
        let output = outputs(executor, rows: 2000)
        #expect(output.allSatisfy { $0 == 0 || $0 == 1 / (1 - 0.25) })
        #expect(abs(Double(output.count { $0 == 0 }) / 18_000 - 0.25) < 0.015)
    }

    @Test("a sample's mask depends on its place in the epoch, not on the shard", arguments: [1, 3, 8])
    func shards(first: Int) throws {
        let whole = try makeExecutor(0.5, rows: 16), part = try makeExecutor(0.5, rows: 16)
        whole.forward(rows: 16, mode: .training(seed: 1, epoch: 3, firstSample: 40))
        part.forward(rows: 16 - first, mode: .training(seed: 1, epoch: 3, firstSample: 40 + first))
        #expect(outputs(part, rows: 16 - first)[...] == outputs(whole, rows: 16)[(first * 9)...])
    }

    @Test("masks differ between seeds, epochs and nodes")
    func streams() throws {
        func mask(_ mode: ForwardMode) throws -> [Float] {
            let executor = try makeExecutor(0.5, rows: 16)
            executor.forward(rows: 16, mode: mode)
            return outputs(executor, rows: 16)
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
        executor.writeRows(of: "input", rows: 1, from: [Float](repeating: 1, count: 144))
        executor.forward(rows: 1, mode: .training(seed: 1, epoch: 3, firstSample: 0))
        #expect(outputs(executor, rows: 1, of: "first") != outputs(executor, rows: 1, of: "second"))
    }
}
