import CKernels
import Foundation
import Testing

/// An activation's kernels, the function in Float64, and what the header promises.
struct ActivationReference: Sendable, CustomTestStringConvertible {
    typealias Forward = @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    typealias Backward =
        @Sendable (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void

    var name: String
    var forward: Forward
    var backward: Backward
    var value: @Sendable (Double) -> Double
    var slope: @Sendable (Double) -> Double
    /// The header's promises: of the value over max(1, |x|), of the slope over max(1, |dy|), of the value over itself.
    var valueError: Double
    var slopeError: Double
    var relativeError: Double?

    var testDescription: String { name }

    private static let scale = 1.0507009873554805, alpha = 1.6732632423543772
    private static func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * .pi).squareRoot() }
    private static func distribution(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

    static let all = [
        ActivationReference(
            name: "relu", forward: { activation_relu_forward($0, $1, $2) },
            backward: { activation_relu_backward($0, $1, $2, $3) }, value: { max($0, 0) },
            slope: { $0 > 0 ? 1 : 0 },
            valueError: 0, slopeError: 0, relativeError: 0),
        ActivationReference(
            name: "selu", forward: { activation_selu_forward($0, $1, $2) },
            backward: { activation_selu_backward($0, $1, $2, $3) },
            value: { $0 > 0 ? scale * $0 : scale * alpha * expm1($0) },
            slope: { $0 > 0 ? scale : scale * alpha * exp($0) },
            valueError: 2.5e-7, slopeError: 3.5e-7, relativeError: 2.5e-7),
        ActivationReference(
            name: "gelu", forward: { activation_gelu_forward($0, $1, $2) },
            backward: { activation_gelu_backward($0, $1, $2, $3) }, value: { $0 * distribution($0) },
            slope: { distribution($0) + $0 * density($0) },
            valueError: 2.5e-7, slopeError: 3.5e-7, relativeError: nil),
        ActivationReference(
            name: "tanh", forward: { activation_tanh_forward($0, $1, $2) },
            backward: { activation_tanh_backward($0, $1, $2, $3) }, value: { Foundation.tanh($0) },
            slope: { 1 / (cosh($0) * cosh($0)) },
            valueError: 2.5e-7, slopeError: 3.5e-7, relativeError: 2.5e-7),
    ]
}

@Suite("Activation kernels against Float64")
struct ActivationKernelTests {
    /// f of all inputs; `f` gets pointers to whole vectors of sixteen, and how many.
    private func run(
        _ inputs: [Float]..., f: ([UnsafeMutablePointer<Float>], UnsafeMutablePointer<Float>, Int) -> Void
    ) -> [Float] {
        let vectors = (inputs[0].count + 15) / 16
        let lanes = inputs.map { Lanes($0, rows: $0.count, count: 1, padding: 1) }
        let outputs = Lanes(repeating: .nan, rows: vectors * 16, count: 1)
        f(lanes.map(\.pointer), outputs.pointer, vectors)
        return Array(outputs.values[..<inputs[0].count])
    }

    /// A fine grid around 0, every magnitude a Float32 can have, and both signs.
    private static let inputs: [Float] = {
        let grid = (-40_000...40_000).map { Float($0) / 2000 }
        let magnitudes = (-149...127).map { Float(sign: .plus, exponent: $0, significand: 1) }
        let edges: [Float] = [0, 0.3, 86.9, 87, 87.1, 88, 88.1, 104, .greatestFiniteMagnitude / 2]
        return grid + (magnitudes + edges).flatMap { [$0, -$0] }
    }()

    @Test("values are as close as the header says", arguments: ActivationReference.all)
    func values(reference: ActivationReference) {
        let inputs = Self.inputs
        let outputs = run(inputs) { reference.forward($0[0], $1, $2) }
        var worst = (error: 0.0, at: Float(0)), worstRelative = (error: 0.0, at: Float(0))
        for (x, y) in zip(inputs, outputs) {
            let exact = reference.value(Double(x))
            let error = abs(Double(y) - exact)
            #expect(error.isFinite, "f(\(x)) = \(y)")
            if error / max(1, abs(Double(x))) > worst.error { worst = (error / max(1, abs(Double(x))), x) }
            if abs(exact) > Double(Float.leastNormalMagnitude), error / abs(exact) > worstRelative.error {
                worstRelative = (error / abs(exact), x)
            }
        }
        #expect(worst.error <= reference.valueError, "\(worst)")
        if let limit = reference.relativeError { #expect(worstRelative.error <= limit, "\(worstRelative)") }
    }

    @Test("slopes are as close as the header says", arguments: ActivationReference.all)
    func slopes(reference: ActivationReference) {
        let inputs = Self.inputs
        let gradients = inputs.indices.map { Float($0 % 7) - 3 }
        let outputs = run(inputs, gradients) { reference.backward($0[0], $0[1], $1, $2) }
        var worst = (error: 0.0, at: Float(0))
        for (index, x) in inputs.enumerated() {
            // The kernel's slope at 0 is the one from the left.
            let exact = Double(gradients[index]) * reference.slope(Double(x))
            let error = abs(Double(outputs[index]) - exact) / max(1, abs(Double(gradients[index])))
            #expect(error.isFinite, "f'(\(x)) = \(outputs[index])")
            if error > worst.error { worst = (error, x) }
        }
        #expect(worst.error <= reference.slopeError, "\(worst)")
    }

    @Test("NaN stays NaN, forward and backward", arguments: ActivationReference.all)
    func notANumber(reference: ActivationReference) {
        let inputs = [Float](repeating: .nan, count: 19), ones = [Float](repeating: 1, count: 19)
        #expect(run(inputs) { reference.forward($0[0], $1, $2) }.allSatisfy { $0.isNaN })
        #expect(run(ones, inputs) { reference.backward($0[0], $0[1], $1, $2) }.allSatisfy { $0.isNaN })
    }

    @Test("only the vectors asked for are written, in place too", arguments: ActivationReference.all)
    func count(reference: ActivationReference) {
        for count in [0, 1, 2] {
            let values = Lanes(repeating: 1, rows: 48, count: 1)
            let outputs = Lanes(repeating: 77, rows: 48, count: 1)
            reference.forward(values.pointer, outputs.pointer, count)
            #expect(outputs.values[(16 * count)...].allSatisfy { $0 == 77 })
            #expect(outputs.values[..<(16 * count)].allSatisfy { $0 != 77 })
            reference.forward(values.pointer, values.pointer, count)
            #expect(values.values[..<(16 * count)] == outputs.values[..<(16 * count)])
        }
    }
}
