import CKernels
import CPeak
import Correlations
import Networks
import Tensors

/// Seconds and floating-point operations of independent fused multiply-adds in registers: a core's peak.
func measurePeak() -> (seconds: Double, flops: Double) {
    var best = (seconds: 1.0, flops: 0.0)
    for _ in 0..<50 {
        var flops = 0.0
        let seconds = secondsOf { flops = peak_run(100_000) }
        if flops / seconds > best.flops / best.seconds { best = (seconds, flops) }
    }
    return best
}

/// A 3 x 3 convolution of 64 images of 28 x 28 between as many channels.
struct ConvolutionBenchmark {
    static let passes = ["forward", "input gradient", "weight gradient"]
    static let widths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]

    private static let extent = 28, blocks = 4
    private var shape: lanes_convolution
    private let x: AlignedBuffer, y: AlignedBuffer, weight: AlignedBuffer, scratch: AlignedBuffer

    init(width: Int) {
        let extent = Self.extent
        shape = lanes_convolution(
            inputs: width, outputs: width, height: extent, width: extent, outHeight: extent, outWidth: extent,
            kernelHeight: 3, kernelWidth: 3, strideHeight: 1, strideWidth: 1, paddingHeight: 1,
            paddingWidth: 1,
            dilationHeight: 1, dilationWidth: 1)
        func random(_ count: Int, _ index: Int) -> AlignedBuffer {
            var generator = Philox(seed: 0, purpose: .growth, index: index)
            let buffer = AlignedBuffer(count: count)
            for place in 0..<count { buffer.pointer[place] = Float(generator.next() % 1000) / 1000 - 0.5 }
            return buffer
        }
        let values = Self.blocks * 16 * width * extent * extent
        (x, y, weight) = (random(values, 0), random(values, 1), random(9 * width * width, 2))
        scratch = AlignedBuffer(count: convolution_scratch(&shape, Self.blocks))
    }

    /// Multiplications and additions of a pass; zeros around the image are not counted.
    var flops: Double {
        let taps = Double(3 * Self.extent - 2)
        return 2 * Double(Self.blocks * 16 * shape.inputs * shape.outputs) * taps * taps
    }

    /// The fewest seconds of a pass in several runs.
    mutating func seconds(of pass: String) -> Double {
        var best = Double.infinity, total = 0.0, runs = 0
        while runs < 5 || total < 0.1 {
            let seconds = secondsOf {
                switch pass {
                case "forward":
                    convolution_forward(
                        &shape, Self.blocks, x.pointer, weight.pointer, nil, y.pointer, scratch.pointer)
                case "input gradient":
                    convolution_input_gradient(
                        &shape, Self.blocks, y.pointer, weight.pointer, x.pointer, scratch.pointer)
                default:
                    convolution_parameter_gradient(
                        &shape, Self.blocks, x.pointer, y.pointer, weight.pointer, nil, scratch.pointer)
                }
            }
            best = min(best, seconds)
            total += seconds
            runs += 1
        }
        return best
    }
}

extension Architecture {
    /// Floating-point operations of one sample in a training step; of convolutions, zeros around images are not counted.
    var exactTrainingFlops: Double {
        var total = Double(flopsPerSample.training)
        var trainable: Set<String> = []
        for node in nodes {
            let input = node.inputs.first.flatMap { shape(of: $0) } ?? []
            let needsInputGradient = node.inputs.contains(where: trainable.contains)
            if needsInputGradient || !node.operation.parameters(for: [input]).isEmpty {
                trainable.insert(node.name)
            }
            guard let convolution = node.operation as? Convolution, let output = shape(of: node.name) else {
                continue
            }
            let window = convolution.window
            let read =
                Self.reads(
                    output[1], input[1], window.kernel.height, window.stride.height, window.padding.height,
                    window.dilation.height)
                * Self.reads(
                    output[2], input[2], window.kernel.width, window.stride.width, window.padding.width,
                    window.dilation.width)
            let zeros = output[1] * output[2] * window.taps - read
            total -= Double(2 * zeros * input[0] * output[0] * (needsInputGradient ? 3 : 2))
        }
        return total
    }

    /// Pairs of a position and a tap that falls on the image, along one axis.
    private static func reads(
        _ positions: Int, _ extent: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int
    ) -> Int {
        (0..<positions).reduce(0) { sum, position in
            sum
                + (0..<kernel).count {
                    (0..<extent).contains(position * stride + $0 * dilation - padding)
                }
        }
    }
}
