import Tensors
import Testing

@testable import Networks

@Suite("Normalisations")
struct NormalizationTests {
    /// An executor of one node over [channels, height, width] or [features], and what it gives for `rows`.
    private func run(
        _ operation: any Networks.Operation, _ shape: [Int], _ rows: [Float], count: Int,
        updates: inout [Float]
    ) throws -> [Float] {
        let architecture = try Architecture(
            inputShape: shape, nodes: [.init("norm", operation, inputs: ["input"])])
        let network = try Network(initializing: architecture, seed: 0)
        let layout = ParameterLayout.state(architecture)
        let arena = ParameterArena(layout)
        let executor = Executor(
            architecture, parameters: ParameterArena(ParameterLayout(architecture), network.parameters),
            state: ParameterArena(layout, network.state), stateUpdates: arena, capacity: count)
        executor.writeRows(of: "input", rows: count, from: rows)
        executor.forward(rows: count, mode: .training(seed: 0, epoch: 0, firstSample: 0))
        var output = rows
        executor.readRows(of: "norm", .value, rows: count, into: &output)
        updates = arena.buffer.values
        return output
    }

    @Test(
        "of values far from zero are right to the rounding of those values",
        arguments: [[5], [40], [5, 30, 30], [40, 7, 9], [16, 24, 24]])
    func precision(shape: [Int]) throws {
        let channels = shape[0], positions = shape.dropFirst().reduce(1, *), count = 12
        let rows = randomValues(count * channels * positions, index: 5).enumerated().map { index, value in
            value + Float(index % channels) * 100
        }
        var updates: [Float] = []
        let found = try run(BatchNormalization(), shape, rows, count: count, updates: &updates)
        for channel in 0..<channels {
            let values = stride(from: channel, to: rows.count, by: channels).map { Double(rows[$0]) }
            let mean = values.reduce(0, +) / Double(values.count)
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let scale = 1 / (squares / Double(values.count) + 1e-5).squareRoot()
            // One unit in the last place of the mean.
            let rounding = 1.2e-7 * max(abs(mean), 1)
            #expect(abs(Double(updates[channel]) - mean) < 2 * rounding)
            let variance = squares / Double(values.count - 1)
            let place = (channels + 15) / 16 * 16 + channel
            #expect(abs(Double(updates[place]) - variance) < 2e-6 * max(variance, 1))
            let error = values.enumerated().reduce(0) { worst, item in
                let expected = (item.element - mean) * scale
                return max(worst, abs(Double(found[item.offset * channels + channel]) - expected))
            }
            #expect(error < 4 * rounding + 1e-6, "channel \(channel)")
        }
    }

    @Test("of one row of features give zeros in training, and count one value's variance as zero")
    func single() throws {
        var updates: [Float] = []
        #expect(try run(BatchNormalization(), [3], [1, 2, 3], count: 1, updates: &updates) == [0, 0, 0])
        #expect(Array(updates[..<3]) == [1, 2, 3] && updates[16..<19].allSatisfy { $0 == 0 })
        // One group of one value, too.
        #expect(
            try run(GroupNormalization(groups: 3), [3], [1, 2, 3], count: 1, updates: &updates) == [0, 0, 0])
    }

    @Test(
        "by layer are those by one group, and each row is normalised by itself",
        arguments: [[18], [18, 3, 4]])
    func layer(shape: [Int]) throws {
        var updates: [Float] = []
        let size = shape.reduce(1, *)
        let rows = randomValues(2 * size, index: 3)
        let both = try run(LayerNormalization(), shape, rows, count: 2, updates: &updates)
        #expect(try run(GroupNormalization(groups: 1), shape, rows, count: 2, updates: &updates) == both)
        let second = try run(
            LayerNormalization(), shape, Array(rows[size...]), count: 1, updates: &updates)
        #expect(Array(both[size...]) == second)
        let sum = second.reduce(0) { $0 + Double($1) }
        let squares = second.reduce(0) { $0 + Double($1) * Double($1) }
        #expect(abs(sum) < 1e-4 * Double(size) && abs(squares / Double(size) - 1) < 1e-3)
    }
}
