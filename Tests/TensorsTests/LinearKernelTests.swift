import CKernels
import Testing

@testable import Tensors

@Suite("Kernels of linear layers")
struct LinearKernelTests {
    private static let widths = [
        (0, 3), (3, 0), (1, 1), (15, 17), (17, 15), (100, 7), (8, 10), (97, 33), (300, 40),
    ]

    @Test(
        "values and gradients are those in Float64, whatever stood in the scratch", arguments: widths,
        [1, 17, 150])
    func reference(width: (inputs: Int, outputs: Int), rows: Int) {
        func random(_ count: Int, _ index: Int) -> [Float] {
            var generator = Philox(seed: 12, purpose: .growth, index: index)
            return generator.normal(count, deviation: 1)
        }
        let (inputs, outputs) = width
        let x = Lanes(random(rows * inputs, 0), rows: rows, count: inputs, padding: 0.75)
        let dy = Lanes(random(rows * outputs, 1), rows: rows, count: outputs)
        let weight = random(inputs * outputs, 2), bias = random(outputs, 3)
        let y = Lanes(repeating: .nan, rows: rows, count: outputs)
        let dx = Lanes(repeating: .nan, rows: rows, count: inputs)
        var dw = [Float](repeating: .nan, count: inputs * outputs)
        var db = [Float](repeating: .nan, count: outputs)
        let count = linear_scratch(inputs, outputs, x.blocks)
        let scratch = AlignedBuffer(count: count + 16)
        for index in 0..<scratch.count { scratch.pointer[index] = index < count ? .nan : 7 }
        linear_forward(inputs, outputs, x.blocks, x.pointer, weight, bias, y.pointer, scratch.pointer)
        linear_input_gradient(inputs, outputs, x.blocks, dy.pointer, weight, dx.pointer, scratch.pointer)
        linear_parameter_gradient(
            inputs, outputs, x.blocks, x.pointer, dy.pointer, &dw, &db, scratch.pointer)

        // A layer is the convolution of images of one position.
        let shape = lanes_convolution(
            inputs: inputs, outputs: outputs, height: 1, width: 1, outHeight: 1, outWidth: 1, kernelHeight: 1,
            kernelWidth: 1, strideHeight: 1, strideWidth: 1, paddingHeight: 0, paddingWidth: 0,
            dilationHeight: 1,
            dilationWidth: 1)
        let expected = ConvolutionReference(shape, x: x, weight: weight, bias: bias, dy: dy)
        #expect(relativeError(y.values, expected.y) <= 1e-6)
        #expect(relativeError(dx.values, expected.dx) <= 1e-6)
        #expect(relativeError(dw, expected.dw) <= 1e-6)
        #expect(relativeError(db, expected.db) <= 1e-6)
        #expect(dx.padding.allSatisfy { $0 == 0 }, "a gradient where there is no sample")
        #expect(scratch.values[count...].allSatisfy { $0 == 7 }, "more scratch than was asked for")
    }
}
