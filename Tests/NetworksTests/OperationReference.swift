import Foundation
import Tensors

@testable import Networks

/// Rows in Float64, [rows, height, width, channels]; features are images of one position.
struct ReferenceRows {
    var rows: Int
    var height: Int
    var width: Int
    var channels: Int
    var values: [Double]

    init(rows: Int, shape: [Int], values: [Double]? = nil) {
        self.rows = rows
        (channels, height, width) = shape.count == 3 ? (shape[0], shape[1], shape[2]) : (shape[0], 1, 1)
        self.values = values ?? Array(repeating: 0, count: rows * shape.reduce(1, *))
    }

    subscript(row: Int, y: Int, x: Int, c: Int) -> Double {
        get { values[((row * height + y) * width + x) * channels + c] }
        set { values[((row * height + y) * width + x) * channels + c] = newValue }
    }

    func isInside(_ y: Int, _ x: Int) -> Bool { (0..<height).contains(y) && (0..<width).contains(x) }

    /// The same, each value by `body(row, y, x, c)`.
    mutating func fill(_ body: (Int, Int, Int, Int) -> Double) {
        for row in 0..<rows {
            for y in 0..<height {
                for x in 0..<width {
                    for c in 0..<channels { self[row, y, x, c] = body(row, y, x, c) }
                }
            }
        }
    }
}

/// What operations give in training, straight from their definitions, in Float64.
enum OperationReference {
    /// - Parameters:
    ///   - parameters: by name, as PyTorch lays them out.
    ///   - shape: of the output.
    /// - Returns: nil for operations that draw random numbers.
    static func output(
        _ operation: any Networks.Operation, _ inputs: [ReferenceRows], _ parameters: [String: [Double]],
        shape: [Int]
    ) -> [Double]? {
        let x = inputs[0]
        var y = ReferenceRows(rows: x.rows, shape: shape)
        let weight = parameters["weight"] ?? [], bias = parameters["bias"]
        switch operation {
        case is Linear:
            y.fill { row, _, _, o in
                (0..<x.channels).reduce(bias?[o] ?? 0) {
                    $0 + weight[o * x.channels + $1] * x[row, 0, 0, $1]
                }
            }
        case let convolution as Convolution:
            y.fill { row, py, px, o in
                (bias?[o] ?? 0)
                    + windowSum(convolution.window, x, row, py, px) { tap, iy, ix in
                        (0..<x.channels).reduce(0) { sum, c in
                            sum + weight[(o * x.channels + c) * convolution.window.taps + tap]
                                * x[row, iy, ix, c]
                        }
                    }
            }
        case let depthwise as DepthwiseConvolution:
            y.fill { row, py, px, c in
                (bias?[c] ?? 0)
                    + windowSum(depthwise.window, x, row, py, px) { tap, iy, ix in
                        weight[c * depthwise.window.taps + tap] * x[row, iy, ix, c]
                    }
            }
        case let pooling as Pooling where pooling.function == .average:
            y.fill { row, py, px, c in
                windowSum(pooling.window, x, row, py, px) { _, iy, ix in x[row, iy, ix, c] }
                    / Double(pooling.window.taps)
            }
        case let pooling as Pooling:
            y.fill { row, py, px, c in
                var largest = -Double.infinity
                _ = windowSum(pooling.window, x, row, py, px) { _, iy, ix in
                    largest = max(largest, x[row, iy, ix, c])
                    return 0
                }
                return largest
            }
        case is GlobalAveragePooling:
            y.fill { row, _, _, c in
                var sum = 0.0
                for iy in 0..<x.height { for ix in 0..<x.width { sum += x[row, iy, ix, c] } }
                return sum / Double(x.height * x.width)
            }
        case is Flatten:
            y.fill { row, _, _, element in
                let (c, position) = element.quotientAndRemainder(dividingBy: x.height * x.width)
                return x[row, position / x.width, position % x.width, c]
            }
        case is Add:
            y.values = x.values.indices.map { index in inputs.reduce(0) { $0 + $1.values[index] } }
        case is Concatenation:
            y.fill { row, iy, ix, c in
                var c = c
                for input in inputs {
                    if c < input.channels { return input[row, iy, ix, c] }
                    c -= input.channels
                }
                return .nan
            }
        case let normalization as BatchNormalization:
            normalize(x, &y, normalization.epsilon, weight, bias) { ($0, 0, $3) }
        case let normalization as GroupNormalization:
            let size = max(1, x.channels / normalization.groups)
            normalize(x, &y, normalization.epsilon, weight, bias) { row, _, _, c in (0, row + 1, c / size) }
        case let normalization as LayerNormalization:
            normalize(x, &y, normalization.epsilon, weight, bias) { row, _, _, _ in (0, row + 1, 0) }
        case let activation as Activation:
            y.values = x.values.map { value(of: activation.function, $0) }
        default: return nil
        }
        return y.values
    }

    /// Σ over the taps of a window that lie in the image.
    private static func windowSum(
        _ window: Window, _ x: ReferenceRows, _ row: Int, _ py: Int, _ px: Int,
        _ term: (_ tap: Int, _ y: Int, _ x: Int) -> Double
    ) -> Double {
        var sum = 0.0
        for tap in 0..<window.taps {
            let (u, v) = tap.quotientAndRemainder(dividingBy: window.kernel.width)
            let iy = py * window.stride.height + u * window.dilation.height - window.padding.height
            let ix = px * window.stride.width + v * window.dilation.width - window.padding.width
            if x.isInside(iy, ix) { sum += term(tap, iy, ix) }
        }
        return sum
    }

    /// (x − μ)/√(σ² + ε) γ + β with the moments of those values that `group` gives the same name.
    private static func normalize(
        _ x: ReferenceRows, _ y: inout ReferenceRows, _ epsilon: Double, _ weight: [Double],
        _ bias: [Double]?,
        _ group: (Int, Int, Int, Int) -> (Int, Int, Int)
    ) {
        func name(_ row: Int, _ iy: Int, _ ix: Int, _ c: Int) -> [Int] {
            let (a, b, c) = group(row, iy, ix, c)
            return b == 0 ? [c] : [a, b, c]
        }
        var sums: [[Int]: (count: Double, sum: Double)] = [:], squares: [[Int]: Double] = [:]
        y.fill { row, iy, ix, c in
            let key = name(row, iy, ix, c), old = sums[key, default: (0, 0)]
            sums[key] = (old.count + 1, old.sum + x[row, iy, ix, c])
            return 0
        }
        func deviation(_ row: Int, _ iy: Int, _ ix: Int, _ c: Int) -> Double {
            let found = sums[name(row, iy, ix, c), default: (1, 0)]
            return x[row, iy, ix, c] - found.sum / found.count
        }
        y.fill { row, iy, ix, c in
            let d = deviation(row, iy, ix, c)
            squares[name(row, iy, ix, c), default: 0] += d * d
            return 0
        }
        y.fill { row, iy, ix, c in
            let key = name(row, iy, ix, c)
            let variance = squares[key, default: 0] / sums[key, default: (1, 0)].count
            return deviation(row, iy, ix, c) / (variance + epsilon).squareRoot() * weight[c] + (bias?[c] ?? 0)
        }
    }

    private static func value(of function: Activation.Function, _ x: Double) -> Double {
        switch function {
        case .relu: max(x, 0)
        case .selu: 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x))
        case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
        case .tanh: tanh(x)
        case .identity: x
        }
    }
}
