import Tensors
import Testing

@testable import Networks

/// A convolution's shapes.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    var rows = 2
    var inputs: Int
    var outputs: Int
    var image: Extent
    var window: Window
    var isDepthwise = false
    var bias = true
    /// Whether the data themselves are the input, and no layer before it.
    var isFirst = false

    var testDescription: String {
        "\(inputs) to \(outputs), \(image.height)x\(image.width), kernel \(window.kernel.height)x\(window.kernel.width)"
            + ", stride \(window.stride.height), padding \(window.padding.height),\(window.padding.width)"
            + ", dilation \(window.dilation.height)\(isDepthwise ? ", depthwise" : "")\(isFirst ? ", first" : "")"
    }

    /// Shapes for each kernel the library has, and random ones.
    static let all: [ConvolutionCase] = {
        var random = Philox(seed: 3, purpose: .growth)
        func pick<Value>(_ values: [Value]) -> Value { values[random.integer(below: values.count)] }
        let three = Window(kernel: Extent(square: 3), padding: Extent(square: 1))
        var cases = [
            ConvolutionCase(inputs: 32, outputs: 32, image: Extent(square: 8), window: three),
            ConvolutionCase(inputs: 64, outputs: 96, image: Extent(9, 7), window: three),
            ConvolutionCase(inputs: 33, outputs: 47, image: Extent(square: 16), window: three),
            ConvolutionCase(
                inputs: 70, outputs: 65, image: Extent(square: 6), window: Window(kernel: Extent(square: 3))),
            ConvolutionCase(inputs: 3, outputs: 16, image: Extent(square: 12), window: three, isFirst: true),
            ConvolutionCase(inputs: 1, outputs: 7, image: Extent(square: 9), window: three, isFirst: true),
            ConvolutionCase(inputs: 2, outputs: 20, image: Extent(5, 6), window: three, isFirst: true),
            ConvolutionCase(inputs: 4, outputs: 20, image: Extent(5, 6), window: three, isFirst: true),
            ConvolutionCase(
                inputs: 3, outputs: 24, image: Extent(square: 15),
                window: Window(
                    kernel: Extent(square: 7), stride: Extent(square: 2), padding: Extent(square: 3)),
                isFirst: true),
        ]
        while cases.count < 60 {
            let isDepthwise = random.integer(below: 4) == 0
            let inputs = pick([1, 2, 5, 15, 16, 17, 31, 32, 48, 66])
            let given = ConvolutionCase(
                rows: pick([1, 2, 3]), inputs: inputs,
                outputs: isDepthwise ? inputs : pick([1, 3, 10, 16, 20, 32, 33, 64]),
                image: Extent(pick([3, 4, 7, 10, 13]), pick([3, 5, 8, 11])),
                window: Window(
                    kernel: Extent(pick([1, 2, 3, 3, 5]), pick([1, 3, 3, 4])),
                    stride: Extent(pick([1, 1, 2]), pick([1, 2, 3])),
                    padding: Extent(pick([0, 1, 1, 2]), pick([0, 1, 2])),
                    dilation: Extent(pick([1, 1, 1, 2]), pick([1, 1, 2]))),
                isDepthwise: isDepthwise, bias: pick([true, false]),
                isFirst: random.integer(below: 6) == 0)
            if given.window.positions(over: given.image) != nil { cases.append(given) }
        }
        return cases
    }()

    var operation: any Networks.Operation {
        isDepthwise
            ? DepthwiseConvolution(window: window, bias: bias)
            : Convolution(width: outputs, window: window, bias: bias)
    }
}

/// y, dx, dw and db in Double, straight from the formula; images are [rows, height, width, channels].
private struct Reference {
    var output: [Double]
    var inputGradient: [Double]
    var weightGradient: [Double]
    var biasGradient: [Double]

    init(
        _ given: ConvolutionCase, x: [Float], weight: [Float], bias: [Float], gradient: [Float],
        positions: Extent
    ) {
        let (image, window) = (given.image, given.window)
        output = gradient.indices.map { given.bias ? Double(bias[$0 % given.outputs]) : 0 }
        inputGradient = [Double](repeating: 0, count: x.count)
        weightGradient = [Double](repeating: 0, count: weight.count)
        biasGradient = [Double](repeating: 0, count: given.outputs)
        for index in gradient.indices { biasGradient[index % given.outputs] += Double(gradient[index]) }
        let depth = given.isDepthwise ? 1 : given.inputs
        for row in 0..<given.rows {
            for py in 0..<positions.height {
                for px in 0..<positions.width {
                    let to = ((row * positions.height + py) * positions.width + px) * given.outputs
                    for ky in 0..<window.kernel.height {
                        for kx in 0..<window.kernel.width {
                            let y =
                                py * window.stride.height + ky * window.dilation.height
                                - window.padding.height
                            let xx =
                                px * window.stride.width + kx * window.dilation.width - window.padding.width
                            guard (0..<image.height).contains(y), (0..<image.width).contains(xx) else {
                                continue
                            }
                            let from = ((row * image.height + y) * image.width + xx) * given.inputs
                            for o in 0..<given.outputs {
                                for c in 0..<depth {
                                    let w =
                                        ((o * depth + c) * window.kernel.height + ky) * window.kernel.width
                                        + kx
                                    let i = from + (given.isDepthwise ? o : c)
                                    output[to + o] += Double(weight[w]) * Double(x[i])
                                    weightGradient[w] += Double(gradient[to + o]) * Double(x[i])
                                    inputGradient[i] += Double(gradient[to + o]) * Double(weight[w])
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

@Suite("Convolutions against the formula in double precision")
struct ConvolutionTests {
    /// max |found − expected| / max |expected|
    private func distance(_ found: [Float], _ expected: [Double]) -> Double {
        let scale = expected.map(abs).max() ?? 0
        let error = zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
        return scale == 0 ? error : error / scale
    }

    @Test("values and all gradients are right to 1e-5", arguments: ConvolutionCase.all)
    func reference(given: ConvolutionCase) throws {
        let shape = [given.inputs, given.image.height, given.image.width]
        var nodes = [
            Architecture.Node("tested", given.operation, inputs: given.isFirst ? ["input"] : ["front"])
        ]
        if !given.isFirst {
            nodes.insert(
                .init(
                    "front", DepthwiseConvolution(window: Window(kernel: Extent(square: 1))),
                    inputs: ["input"]), at: 0)
        }
        let architecture = try Architecture(inputShape: shape, nodes: nodes)
        let layout = ParameterLayout(architecture)
        let network = try Network(initializing: architecture, seed: 4)
        let parameters = ParameterArena(layout, network.parameters), gradients = ParameterArena(layout)
        func place(_ name: String) -> Range<Int> {
            guard let entry = layout.entries.first(where: { $0.name == name }) else { return 0..<0 }
            return entry.offset..<entry.offset + entry.count
        }
        for index in place("front/weight") { parameters.buffer.pointer[index] = 1 }
        for index in place("tested/bias") { parameters.buffer.pointer[index] = Float(index % 7) / 8 }
        let executor = Executor(
            architecture, parameters: parameters, gradients: gradients, capacity: given.rows)
        let x = randomValues(given.rows * given.inputs * given.image.count, index: 1)
        let gradient = randomValues(given.rows * architecture.outputCount, index: 2)
        executor.writeRows(of: "input", rows: given.rows, from: x)
        executor.forward(rows: given.rows)
        executor.writeRows(of: "tested", .gradient, rows: given.rows, from: gradient)
        executor.backward(rows: given.rows)

        let values = parameters.buffer.values
        let expected = Reference(
            given, x: x, weight: Array(values[place("tested/weight")]),
            bias: Array(values[place("tested/bias")]),
            gradient: gradient, positions: try #require(given.window.positions(over: given.image)))
        var output = gradient
        executor.readRows(of: "tested", .value, rows: given.rows, into: &output)
        #expect(distance(output, expected.output) < 1e-5)
        let found = gradients.buffer.values
        #expect(distance(Array(found[place("tested/weight")]), expected.weightGradient) < 1e-5)
        if given.bias { #expect(distance(Array(found[place("tested/bias")]), expected.biasGradient) < 1e-5) }
        guard !given.isFirst else { return }
        var inputGradient = x
        executor.readRows(of: "front", .gradient, rows: given.rows, into: &inputGradient)
        #expect(distance(inputGradient, expected.inputGradient) < 1e-5)
    }
}
