import CKernels
import Testing

@testable import Tensors

/// A convolution's extents.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    var channels: (Int, Int)
    var image: (Int, Int)
    var kernel = (3, 3)
    var stride = (1, 1)
    var padding = (1, 1)
    var dilation = (1, 1)

    var testDescription: String {
        "\(channels.0) to \(channels.1) on \(image), kernel \(kernel), stride \(stride), padding \(padding), "
            + "dilation \(dilation)"
    }

    var shape: lanes_convolution {
        func positions(_ extent: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int) -> Int {
            (extent + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
        }
        return lanes_convolution(
            inputs: channels.0, outputs: channels.1, height: image.0, width: image.1,
            outHeight: positions(image.0, kernel.0, stride.0, padding.0, dilation.0),
            outWidth: positions(image.1, kernel.1, stride.1, padding.1, dilation.1),
            kernelHeight: kernel.0, kernelWidth: kernel.1, strideHeight: stride.0, strideWidth: stride.1,
            paddingHeight: padding.0, paddingWidth: padding.1, dilationHeight: dilation.0,
            dilationWidth: dilation.1)
    }

    /// What each algorithm is for, and what lies at the edges of what there is.
    static let all = [
        ConvolutionCase(channels: (1, 4), image: (9, 7)),
        ConvolutionCase(channels: (5, 7), image: (6, 5)),
        ConvolutionCase(channels: (0, 3), image: (4, 4)),
        ConvolutionCase(channels: (3, 0), image: (4, 4)),
        ConvolutionCase(channels: (15, 17), image: (4, 5)),
        ConvolutionCase(channels: (17, 15), image: (33, 5)),
        ConvolutionCase(channels: (16, 16), image: (12, 12)),
        ConvolutionCase(channels: (20, 24), image: (9, 6), padding: (0, 2)),
        ConvolutionCase(channels: (70, 9), image: (4, 4)),
        ConvolutionCase(channels: (48, 6), image: (8, 8), stride: (2, 2)),
        ConvolutionCase(channels: (33, 30), image: (7, 7), kernel: (1, 1), stride: (2, 2), padding: (0, 0)),
        ConvolutionCase(channels: (110, 5), image: (3, 4), kernel: (2, 2), padding: (0, 0)),
        ConvolutionCase(channels: (4, 5), image: (1, 1)),
        ConvolutionCase(channels: (3, 2), image: (1, 7), kernel: (3, 5), padding: (1, 2)),
        ConvolutionCase(channels: (2, 3), image: (3, 2), kernel: (7, 5), padding: (3, 2)),
        ConvolutionCase(channels: (4, 3), image: (9, 8), kernel: (3, 2), stride: (2, 3), padding: (3, 0)),
        ConvolutionCase(channels: (3, 4), image: (5, 6), stride: (1, 2), padding: (4, 3), dilation: (4, 3)),
        ConvolutionCase(channels: (36, 3), image: (6, 7), stride: (3, 1), padding: (2, 3), dilation: (2, 3)),
    ]
}

/// The three passes of a convolution over random rows, in kernels.
struct ConvolutionPasses {
    let shape: lanes_convolution
    let isDepthwise: Bool
    let x: Lanes, weight: [Float], bias: [Float], dy: Lanes
    let y: Lanes, dx: Lanes
    var dw: [Float], db: [Float]
    /// What stands behind the scratch afterwards.
    private(set) var guarding: [Float] = []

    init(_ shape: lanes_convolution, isDepthwise: Bool = false, rows: Int) {
        var shape = shape
        if isDepthwise { shape.outputs = shape.inputs }
        self.shape = shape
        self.isDepthwise = isDepthwise
        func random(_ count: Int, _ index: Int) -> [Float] {
            var generator = Philox(seed: 11, purpose: .growth, index: index)
            return generator.normal(count, deviation: 1)
        }
        let inputs = shape.inputs * shape.height * shape.width
        let outputs = shape.outputs * shape.outHeight * shape.outWidth
        let weights =
            shape.outputs * (isDepthwise ? 1 : shape.inputs) * shape.kernelHeight * shape.kernelWidth
        x = Lanes(random(rows * inputs, 0), rows: rows, count: inputs, padding: 0.75)
        dy = Lanes(random(rows * outputs, 1), rows: rows, count: outputs)
        weight = random(weights, 2)
        bias = random(shape.outputs, 3)
        y = Lanes(repeating: .nan, rows: rows, count: outputs)
        dx = Lanes(repeating: .nan, rows: rows, count: inputs)
        dw = [Float](repeating: .nan, count: weights)
        db = [Float](repeating: .nan, count: shape.outputs)
    }

    mutating func run() {
        var shape = shape
        let count = isDepthwise ? depthwise_scratch(&shape) : convolution_scratch(&shape, x.blocks)
        let scratch = AlignedBuffer(count: count + 16)
        func spoil() { for index in 0..<scratch.count { scratch.pointer[index] = index < count ? .nan : 7 } }
        spoil()
        (isDepthwise ? depthwise_forward : convolution_forward)(
            &shape, x.blocks, x.pointer, weight, bias, y.pointer, scratch.pointer)
        spoil()
        (isDepthwise ? depthwise_input_gradient : convolution_input_gradient)(
            &shape, x.blocks, dy.pointer, weight, dx.pointer, scratch.pointer)
        spoil()
        (isDepthwise ? depthwise_parameter_gradient : convolution_parameter_gradient)(
            &shape, x.blocks, x.pointer, dy.pointer, &dw, &db, scratch.pointer)
        guarding = Array(scratch.values[count...])
    }

    var bits: [UInt32] { (y.values + dx.values + dw + db).map(\.bitPattern) }
}

/// The same in Float64, from the definition.
struct ConvolutionReference {
    var y: [Double], dx: [Double], dw: [Double], db: [Double]

    init(_ passes: ConvolutionPasses, outputs: Range<Int>? = nil) {
        self.init(
            passes.shape, isDepthwise: passes.isDepthwise, x: passes.x, weight: passes.weight,
            bias: passes.bias,
            dy: passes.dy, outputs: outputs)
    }

    /// - Parameter outputs: those that are computed; what others add to dx is left out.
    init(
        _ s: lanes_convolution, isDepthwise: Bool = false, x: Lanes, weight: [Float], bias: [Float],
        dy: Lanes,
        outputs: Range<Int>? = nil
    ) {
        let rows = x.rows, outputs = outputs ?? 0..<s.outputs
        let x = x.values.map(Double.init), g = dy.values.map(Double.init)
        let w = weight.map(Double.init), taps = s.kernelHeight * s.kernelWidth
        let inPositions = s.height * s.width, outPositions = s.outHeight * s.outWidth
        let perOutput = isDepthwise ? 1 : s.inputs
        var y = [Double](repeating: 0, count: g.count), dx = [Double](repeating: 0, count: x.count)
        var dw = [Double](repeating: 0, count: w.count), db = [Double](repeating: 0, count: s.outputs)
        for row in 0..<rows {
            for o in outputs {
                for position in 0..<outPositions {
                    let out = (row * s.outputs + o) * outPositions + position
                    var sum = Double(bias[o])
                    for tap in 0..<taps {
                        let h =
                            position / s.outWidth * s.strideHeight + tap / s.kernelWidth * s.dilationHeight
                        let v = position % s.outWidth * s.strideWidth + tap % s.kernelWidth * s.dilationWidth
                        let (i, j) = (h - s.paddingHeight, v - s.paddingWidth)
                        guard i >= 0, j >= 0, i < s.height, j < s.width else { continue }
                        for c in 0..<perOutput {
                            let channel = isDepthwise ? o : c
                            let at = (row * s.inputs + channel) * inPositions + i * s.width + j
                            let place = (o * perOutput + c) * taps + tap
                            sum += w[place] * x[at]
                            dx[at] += w[place] * g[out]
                            dw[place] += x[at] * g[out]
                        }
                    }
                    y[out] = sum
                    db[o] += g[out]
                }
            }
        }
        (self.y, self.dx, self.dw, self.db) = (y, dx, dw, db)
    }
}

/// The largest error over the largest magnitude.
func relativeError(_ found: some Collection<Float>, _ expected: some Collection<Double>) -> Double {
    let scale = expected.reduce(1e-30) { max($0, abs($1)) }
    return zip(found, expected).reduce(0) {
        max($0, abs(Double($1.0) - $1.1).isNaN ? .infinity : abs(Double($1.0) - $1.1))
    }
        / scale
}

@Suite("Kernels of convolutions")
struct ConvolutionKernelTests {
    /// What the sources of the kernels promise, relative to the largest value.
    private static let promise = 2e-6

    @Test(
        "values and gradients are those in Float64, whatever stood in the scratch",
        arguments: ConvolutionCase.all,
        [(false, 1), (false, 17), (true, 17)])
    func reference(given: ConvolutionCase, how: (isDepthwise: Bool, rows: Int)) {
        // A second block differs from the first in its place alone; wide ones need not prove it.
        let rows = given.channels.0 * given.channels.1 > 200 ? min(how.rows, 2) : how.rows
        var passes = ConvolutionPasses(given.shape, isDepthwise: how.isDepthwise, rows: rows)
        passes.run()
        let expected = ConvolutionReference(passes)
        #expect(relativeError(passes.y.values, expected.y) <= Self.promise)
        #expect(relativeError(passes.dx.values, expected.dx) <= Self.promise)
        #expect(relativeError(passes.dw, expected.dw) <= Self.promise)
        #expect(relativeError(passes.db, expected.db) <= Self.promise)
        #expect(passes.dx.padding.allSatisfy { $0 == 0 }, "a gradient where there is no sample")
        #expect(passes.y.padding.allSatisfy { $0.isFinite })
        #expect(passes.guarding.allSatisfy { $0 == 7 }, "more scratch than was asked for")
    }

    @Test("wide convolutions keep the error that is promised", arguments: [64, 200])
    func wide(channels: Int) {
        let given = ConvolutionCase(channels: (channels, channels), image: (8, 8))
        var passes = ConvolutionPasses(given.shape, rows: 1)
        passes.run()
        let outputs = 13..<17, size = 64
        let expected = ConvolutionReference(passes, outputs: outputs)
        let values = outputs.lowerBound * size..<outputs.upperBound * size
        #expect(relativeError(passes.y.values[values], expected.y[values]) <= Self.promise)
        let weights = outputs.lowerBound * channels * 9..<outputs.upperBound * channels * 9
        #expect(relativeError(passes.dw[weights], expected.dw[weights]) <= Self.promise)
    }

    @Test(
        "gradients are derivatives: y, dx and dw have one product with what they belong to",
        arguments: [
            ConvolutionCase(channels: (40, 72), image: (14, 14)),
            ConvolutionCase(channels: (64, 96), image: (8, 8), stride: (2, 2)),
            ConvolutionCase(channels: (130, 140), image: (4, 4)),
            ConvolutionCase(channels: (12, 10), image: (28, 28), kernel: (5, 5), padding: (2, 2)),
        ])
    func derivatives(given: ConvolutionCase) {
        var passes = ConvolutionPasses(given.shape, rows: 40)
        passes.run()
        func product(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let g = passes.dy.values
        let linear = product(passes.y.values, g) - product(passes.bias, passes.db)
        let scale = (product(passes.y.values, passes.y.values) * product(g, g)).squareRoot()
        #expect(abs(product(passes.x.values, passes.dx.values) - linear) <= 1e-6 * scale)
        #expect(abs(product(passes.weight, passes.dw) - linear) <= 1e-6 * scale)
    }
}
