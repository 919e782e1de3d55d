import Tensors
import Testing

@testable import Networks

/// One operation between layers and a random projection of its output.
struct OperationCase: Sendable, CustomTestStringConvertible {
    var name: String
    var operation: any Networks.Operation
    /// The shapes of its inputs.
    var shapes: [[Int]]

    /// How much more than others its differences may be off: Winograd's algorithm rounds more.
    var slack = 1.0

    var testDescription: String { name }

    init(_ name: String, _ operation: any Networks.Operation, _ shapes: [Int]..., slack: Double = 1) {
        self.slack = slack
        self.name = name
        self.operation = operation
        self.shapes = shapes
    }

    /// Whether its derivative jumps somewhere.
    var isKinked: Bool {
        if let activation = operation as? Activation { return [.relu, .selu].contains(activation.function) }
        return (operation as? Pooling)?.function == .max
    }

    static let rows: [OperationCase] =
        Activation.Function.allCases.map { OperationCase($0.rawValue, Activation($0), [37]) } + [
            OperationCase("linear with bias", Linear(width: 5), [7]),
            OperationCase("linear without bias", Linear(width: 5, bias: false), [7]),
            OperationCase("wide linear", Linear(width: 33), [40]),
            OperationCase("dropout", Dropout(rate: 0.4), [37]),
            OperationCase("batch normalisation of rows", BatchNormalization(), [19]),
            OperationCase("layer normalisation of rows", LayerNormalization(), [19]),
            OperationCase("group normalisation of rows", GroupNormalization(groups: 4), [20]),
            OperationCase("the sum of three rows", Add(), [9], [9], [9]),
            OperationCase("rows side by side", Concatenation(), [5], [18], [1]),
        ]

    static func window(
        _ height: Int, _ width: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1
    ) -> Window {
        Window(
            kernel: Extent(height, width), stride: Extent(square: stride), padding: Extent(square: padding),
            dilation: Extent(square: dilation))
    }

    static let images: [OperationCase] = [
        OperationCase(
            "convolution 3x3, odd widths", Convolution(width: 5, window: window(3, 3, padding: 1)), [7, 5, 4]),
        OperationCase(
            "convolution 3x3, wide enough for Winograd",
            Convolution(width: 70, window: window(3, 3, padding: 1)), [66, 8, 7], slack: 20),
        OperationCase(
            "convolution 3x3, stride 2", Convolution(width: 33, window: window(3, 3, stride: 2, padding: 1)),
            [17, 6, 7]),
        OperationCase(
            "convolution 1x1 without bias", Convolution(width: 18, window: window(1, 1), bias: false),
            [20, 3, 5]),
        OperationCase(
            "convolution 1x1, stride 2", Convolution(width: 3, window: window(1, 1, stride: 2)), [4, 5, 5]),
        OperationCase("convolution 3x2, no padding", Convolution(width: 4, window: window(3, 2)), [3, 5, 7]),
        OperationCase(
            "dilated convolution", Convolution(width: 6, window: window(3, 3, padding: 2, dilation: 2)),
            [5, 7, 6]),
        OperationCase(
            "a kernel as large as the image", Convolution(width: 9, window: window(4, 3)), [6, 4, 3]),
        OperationCase("convolution to width 1", Convolution(width: 1, window: window(3, 3)), [1, 4, 4]),
        OperationCase("convolution to width 0", Convolution(width: 0, window: window(3, 3)), [3, 4, 4]),
        OperationCase("convolution from width 0", Convolution(width: 18, window: window(3, 3)), [0, 4, 4]),
        OperationCase(
            "depthwise convolution", DepthwiseConvolution(window: window(3, 3, padding: 1)), [19, 5, 4]),
        OperationCase(
            "depthwise convolution, stride 2, no bias",
            DepthwiseConvolution(window: window(3, 3, stride: 2, padding: 1), bias: false), [33, 6, 6]),
        OperationCase("batch normalisation of images", BatchNormalization(), [18, 3, 4]),
        OperationCase("batch normalisation of no channels", BatchNormalization(), [0, 3, 4]),
        OperationCase("layer normalisation of images", LayerNormalization(), [18, 3, 4]),
        OperationCase("group normalisation of images", GroupNormalization(groups: 3), [21, 2, 3]),
        OperationCase("max pooling", Pooling(.max, window: window(2, 2, stride: 2)), [17, 6, 5]),
        OperationCase(
            "overlapping max pooling", Pooling(.max, window: window(3, 3, stride: 2, padding: 1)), [3, 5, 7]),
        OperationCase("average pooling", Pooling(.average, window: window(2, 3, stride: 2)), [17, 6, 7]),
        OperationCase(
            "padded average pooling", Pooling(.average, window: window(3, 3, stride: 1, padding: 1)),
            [5, 4, 3]),
        OperationCase("global average pooling", GlobalAveragePooling(), [19, 3, 4]),
        OperationCase("flatten", Flatten(), [18, 2, 3]),
        OperationCase("relu on images", Activation(.relu), [18, 3, 3]),
        OperationCase("tanh on images", Activation(.tanh), [3, 3, 3]),
        OperationCase("dropout on images", Dropout(rate: 0.3), [18, 3, 3]),
        OperationCase("the sum of two images", Add(), [18, 3, 3], [18, 3, 3]),
        OperationCase(
            "images side by side", Concatenation(), [5, 2, 3], [18, 2, 3], [16, 2, 3], [1, 2, 3]),
        OperationCase("an image beside nothing", Concatenation(), [0, 2, 3], [16, 2, 3]),
    ]
}

extension OperationCase {
    /// Widths of 0, 1, 15 and 17, images of 1 x 1, 1 x 7 and 33 x 5, kernels larger than a side.
    static let odd: [OperationCase] = [
        (0, 15, 1, 7), (1, 17, 33, 5), (15, 1, 1, 1), (17, 0, 1, 7), (17, 15, 33, 5),
    ].flatMap { width, outputs, height, columns in
        let shape = [width, height, columns]
        let operations: [(String, any Networks.Operation)] = [
            ("convolution", Convolution(width: outputs, window: window(3, 3, padding: 1))),
            ("wide convolution", Convolution(width: outputs, window: window(5, 3, stride: 2, padding: 2))),
            ("dilated", Convolution(width: outputs, window: window(2, 2, padding: 2, dilation: 3))),
            ("depthwise", DepthwiseConvolution(window: window(3, 5, padding: 2))),
            ("batch normalisation", BatchNormalization()), ("layer normalisation", LayerNormalization()),
            ("max pooling", Pooling(.max, window: window(2, 2, stride: 2, padding: 1))),
            ("average pooling", Pooling(.average, window: window(3, 3, padding: 1))),
            ("global pooling", GlobalAveragePooling()), ("gelu", Activation(.gelu)),
            ("flattening", Flatten()), ("dropout", Dropout(rate: 0.5)),
        ]
        return operations.map { name, operation in
            // Sums over many positions round more.
            OperationCase(
                "\(name) of \(shape) to \(outputs)", operation, shape, slack: height > 9 ? 4 : 1)
        } + [
            OperationCase(
                "joining \(shape) and \(outputs)", Concatenation(), shape, [outputs, height, columns])
        ]
    }
}

/// An operation behind layers that draw its inputs from data, with random parameters, and a random projection of its output.
struct OperationSetting {
    let executor: Executor
    let parameters: ParameterArena
    let gradients: ParameterArena
    let updates: ParameterArena
    let fronts: [String]
    let rows: Int
    private let projection: [Float]

    init(_ given: OperationCase, rows: Int) throws {
        self.rows = rows
        fronts = given.shapes.indices.map { "front\($0)" }
        let image = given.shapes[0].count == 3 ? [3] + given.shapes[0][1...] : [3]
        var nodes = zip(fronts, given.shapes).map { name, shape in
            let layer: any Networks.Operation =
                shape.count == 3
                ? Convolution(width: shape[0], window: Window(kernel: Extent(square: 1)))
                : Linear(width: shape[0])
            return Architecture.Node(name, layer, inputs: ["input"])
        }
        nodes.append(.init("tested", given.operation, inputs: fronts))
        let architecture = try Architecture(inputShape: image, nodes: nodes)
        let layout = ParameterLayout(architecture)
        parameters = ParameterArena(layout)
        gradients = ParameterArena(layout)
        updates = ParameterArena(ParameterLayout.state(architecture))
        for (index, entry) in layout.entries.enumerated() {
            let values = randomValues(entry.count, index: 100 + index, deviation: 0.5)
            for (place, value) in values.enumerated() {
                parameters.buffer.pointer[entry.offset + place] = value
            }
        }
        executor = Executor(
            architecture, parameters: parameters, gradients: gradients,
            state: ParameterArena(ParameterLayout.state(architecture)), stateUpdates: updates, capacity: rows)
        projection = randomValues(rows * architecture.outputCount, index: 7)
        executor.writeRows(
            of: "input", rows: rows, from: randomValues(rows * image.reduce(1, *), index: 8))
    }

    func read(_ node: String, _ quantity: Executor.Quantity) -> [Float] {
        let count = executor.architecture.shape(of: node)?.reduce(rows, *) ?? 0
        // One more than there is, so that even nothing has an address.
        var values = [Float](repeating: 0, count: count + 1)
        executor.readRows(of: node, quantity, rows: rows, into: &values)
        return Array(values[..<count])
    }

    var loss: Double {
        zip(projection, read("tested", .value)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    func run(_ mode: ForwardMode) {
        executor.forward(rows: rows, mode: mode)
        executor.writeRows(of: "tested", .gradient, rows: rows, from: projection + [0])
        executor.backward(rows: rows)
    }

    /// Everything that a pass leaves, bit by bit.
    var bits: [UInt32] {
        let nodes = fronts + ["tested"]
        let values = nodes.flatMap { read($0, .value) } + nodes.flatMap { read($0, .gradient) }
        return (values + gradients.buffer.values + updates.buffer.values).map(\.bitPattern)
    }
}
