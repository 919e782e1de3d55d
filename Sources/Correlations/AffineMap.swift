internal import CKernels
package import Tensors

/// x ↦ W x + w at every position of a window, in Float32: the arithmetic of a layer with weights of its own.
///
/// Rows are [rows, positions, channels]. Used by one thread.
package final class AffineMap {
    /// The most rows at a time.
    private let capacity: Int
    private let shape: lanes_convolution
    /// Whether one window takes in the whole image, as a linear layer does.
    private let isLinear: Bool
    private let weights: AlignedBuffer
    private let bias: AlignedBuffer
    private let input: AlignedBuffer
    private let output: AlignedBuffer
    private let scratch: AlignedBuffer

    /// Samples side by side in kernels, and how many blocks of them so many rows take.
    package static let lanes = 16
    private static func blocks(_ rows: Int) -> Int { (rows + lanes - 1) / lanes }

    /// - Parameters:
    ///   - matrix: [W | w], [outputs, channels · taps + 1], or W alone; channel-major as PyTorch unfolds patches.
    ///   - window: over images of [channels, image].
    ///   - capacity: the most rows at a time.
    package init(
        _ matrix: Matrix, hasBias: Bool, window: Window, over image: Extent, channels: Int, capacity: Int
    ) {
        let inputs = channels * window.taps
        precondition(
            matrix.columns == inputs + (hasBias ? 1 : 0),
            "a map of \(matrix.shape) for \(inputs) inputs and \(hasBias ? "a" : "no") bias")
        self.capacity = capacity
        let positions = window.positions(over: image) ?? Extent(0, 0)
        var shape = lanes_convolution(
            inputs: channels, outputs: matrix.rows, height: image.height, width: image.width,
            outHeight: positions.height, outWidth: positions.width, kernelHeight: window.kernel.height,
            kernelWidth: window.kernel.width, strideHeight: window.stride.height,
            strideWidth: window.stride.width, paddingHeight: window.padding.height,
            paddingWidth: window.padding.width, dilationHeight: window.dilation.height,
            dilationWidth: window.dilation.width)
        isLinear = window.kernel == image && window.padding == Extent(0, 0)
        let blocks = Self.blocks(capacity)
        weights = AlignedBuffer(matrix.selecting(columns: 0..<inputs).narrowed)
        bias = AlignedBuffer(
            hasBias ? matrix.column(inputs).map(Float.init) : Array(repeating: 0, count: matrix.rows))
        input = AlignedBuffer(count: blocks * Self.lanes * channels * image.count)
        output = AlignedBuffer(count: blocks * Self.lanes * matrix.rows * positions.count)
        scratch = AlignedBuffer(
            count: inputs == 0
                ? 0
                : isLinear ? linear_scratch(inputs, matrix.rows, blocks) : convolution_scratch(&shape, blocks)
        )
        self.shape = shape
    }

    /// Writes one sample's outputs after the other, positions before channels.
    package func apply(
        to rows: UnsafePointer<Float>, rows count: Int, into result: UnsafeMutablePointer<Float>
    ) {
        precondition(count <= capacity, "\(count) rows where there is room for \(capacity)")
        let (blocks, places) = (Self.blocks(count), shape.height * shape.width)
        let positions = shape.outHeight * shape.outWidth
        guard shape.inputs > 0 else {
            for row in 0..<count * positions {
                (result + row * shape.outputs).update(from: bias.pointer, count: shape.outputs)
            }
            return
        }
        lanes_from_rows(rows, input.pointer, count, shape.inputs, places)
        if isLinear {
            linear_forward(
                shape.inputs * places, shape.outputs, blocks, input.pointer, weights.pointer, bias.pointer,
                output.pointer, scratch.pointer)
        } else {
            withUnsafePointer(to: shape) {
                convolution_forward(
                    $0, blocks, input.pointer, weights.pointer, bias.pointer, output.pointer, scratch.pointer)
            }
        }
        lanes_to_rows(output.pointer, result, count, shape.outputs, positions)
    }
}

extension AlignedBuffer {
    fileprivate convenience init(_ values: [Float]) {
        self.init(count: values.count)
        pointer.update(from: values, count: values.count)
    }
}
