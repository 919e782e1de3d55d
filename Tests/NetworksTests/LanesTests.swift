import CKernels
import Tensors
import Testing

@testable import Networks

/// The instruction sets that this processor has, the one chosen at start first.
let instructionSets: [Int32] = {
    let start = kernels_instruction_set_level()
    let all = [INSTRUCTIONS_AVX512, INSTRUCTIONS_AVX2, INSTRUCTIONS_NEON].map { Int32($0) }
    let found = all.filter { $0 != start && kernels_use_instruction_set($0) == 1 }
    _ = kernels_use_instruction_set(start)
    return [start] + found
}()

@Suite("Sixteen samples in lanes", .serialized)
struct LanesTests {
    private static let cases = OperationCase.rows + OperationCase.images + OperationCase.odd
    private let mode = ForwardMode.training(seed: 5, epoch: 2, firstSample: 11)

    // Wide ones are in `ConvolutionTests`.
    @Test(
        "values of every operation are those in Float64", arguments: cases.filter { $0.shapes[0][0] < 60 },
        [1, 17])
    func reference(given: OperationCase, rows: Int) throws {
        let setting = try OperationSetting(given, rows: rows)
        setting.run(mode)
        let inputs = zip(setting.fronts, given.shapes).map { front, shape in
            ReferenceRows(rows: rows, shape: shape, values: setting.read(front, .value).map(Double.init))
        }
        var parameters: [String: [Double]] = [:]
        for entry in setting.parameters.layout.entries where entry.node == "tested" {
            let start = setting.parameters.buffer.pointer + entry.offset
            parameters[entry.specification.name] = (0..<entry.count).map { Double(start[$0]) }
        }
        let shape = try #require(setting.executor.architecture.shape(of: "tested"))
        guard
            let expected = OperationReference.output(given.operation, inputs, parameters, shape: shape)
        else { return }
        let found = setting.read("tested", .value)
        #expect(found.count == expected.count)
        let scale = expected.reduce(1) { max($0, abs($1)) }
        let error = zip(found, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
        #expect(error <= 3e-6 * scale, "\(error) of \(scale)")
    }

    @Test("bits are the same on every instruction set", arguments: cases, [1, 17])
    func sets(given: OperationCase, rows: Int) throws {
        guard instructionSets.count > 1 else {
            return print("not compared: this processor has one instruction set that kernels are made for")
        }
        defer { _ = kernels_use_instruction_set(instructionSets[0]) }
        let found = try instructionSets.map { set in
            #expect(kernels_use_instruction_set(set) == 1)
            let setting = try OperationSetting(given, rows: rows)
            setting.run(mode)
            return setting.bits
        }
        for other in found.dropFirst() { #expect(other == found[0]) }
    }

    @Test(
        "what fills up the last block changes no value, moment or gradient, and has no gradient",
        arguments: cases, [1, 17])
    func padding(given: OperationCase, rows: Int) throws {
        let setting = try OperationSetting(given, rows: rows)
        setting.run(mode)
        let expected = setting.bits
        let input = setting.executor.input
        for vector in input.vectors(rows) - input.count..<input.vectors(rows) {
            for lane in rows % 16..<16 { input.value[vector * 16 + lane] = Float(vector % 7) - 2.5 }
        }
        setting.run(mode)
        #expect(setting.bits == expected)
        for front in setting.fronts {
            let port = setting.executor.port(front)
            for vector in port.vectors(rows) - port.count..<port.vectors(rows) {
                #expect((rows % 16..<16).allSatisfy { port.gradient[vector * 16 + $0] == 0 })
            }
        }
    }

    @Test("a row's value does not depend on the rows beside it", arguments: cases)
    func alone(given: OperationCase) throws {
        let together = try OperationSetting(given, rows: 17), alone = try OperationSetting(given, rows: 1)
        let count = together.executor.architecture.inputCount
        var values = [Float](repeating: 0, count: 17 * count)
        together.executor.readRows(of: "input", .value, rows: 17, into: &values)
        together.executor.forward(rows: 17)
        let outputs = together.read("tested", .value), size = outputs.count / 17
        for row in [0, 5, 15, 16] {
            alone.executor.writeRows(
                of: "input", rows: 1, from: Array(values[row * count..<(row + 1) * count]))
            alone.executor.forward(rows: 1)
            #expect(alone.read("tested", .value)[...] == outputs[row * size..<(row + 1) * size])
        }
    }
}
