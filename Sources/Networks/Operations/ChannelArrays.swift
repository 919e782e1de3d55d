internal import CKernels
internal import Tensors

/// Working memory of a normalisation: some numbers for every channel, and the loops over values in between.
///
/// Channels include the padding of the last block, where all of them stay zero.
final class ChannelArrays {
    private let layout: ValueLayout
    /// Whether the values are those of a rectifier after the normalisation.
    private let isRectified: Bool
    private let singles: AlignedBuffer
    private let doubles: UnsafeMutablePointer<Double>
    /// Channels, padding included; 0 where there is nothing to compute.
    let count: Int

    init(_ layout: ValueLayout, isRectified: Bool = false) {
        self.layout = layout
        self.isRectified = isRectified
        count = layout.blocks * layout.lanes
        singles = AlignedBuffer(count: 5 * count)
        doubles = .allocate(capacity: 3 * count)
        doubles.initialize(repeating: 0, count: 3 * count)
    }

    deinit { doubles.deallocate() }

    var centre: UnsafeMutablePointer<Float> { singles.pointer }
    var scale: UnsafeMutablePointer<Float> { singles.pointer + count }
    var shift: UnsafeMutablePointer<Float> { singles.pointer + 2 * count }
    var slope: UnsafeMutablePointer<Float> { singles.pointer + 3 * count }
    var added: UnsafeMutablePointer<Float> { singles.pointer + 4 * count }
    /// Means, or sums of gradients.
    var first: UnsafeMutablePointer<Double> { doubles }
    /// Sums of squared deviations, or of gradients times deviations.
    var second: UnsafeMutablePointer<Double> { doubles + count }
    /// 1/√(σ² + ε)
    var inverse: UnsafeMutablePointer<Double> { doubles + 2 * count }

    /// `first` = the mean of x, `second` = Σ (x − mean)², over rows and positions.
    func measure(_ x: UnsafePointer<Float>, rows: Int) {
        channels_moments(x, rows, layout.channels, layout.positions, layout.lanes, first, second)
    }

    /// y = (x − centre) scale + shift
    func transform(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, rows: Int) {
        let transform = isRectified ? channels_affine_relu : channels_affine
        transform(x, y, rows, layout.channels, layout.positions, layout.lanes, centre, scale, shift)
    }

    /// `first` = Σ dy, `second` = Σ dy (x − centre).
    func measureGradient(_ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, rows: Int) {
        if isRectified {
            channels_gradient_sums_relu(
                x, dy, rows, layout.channels, layout.positions, layout.lanes, centre, scale, shift, first,
                second)
        } else {
            channels_gradient_sums(
                x, dy, rows, layout.channels, layout.positions, layout.lanes, centre, first, second)
        }
    }

    /// dx = dy scale + (x − centre) slope + added
    func transformGradient(
        _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, rows: Int
    ) {
        if isRectified {
            channels_gradient_relu(
                x, dy, dx, rows, layout.channels, layout.positions, layout.lanes, centre, scale, slope, added,
                shift)
        } else {
            channels_gradient(
                x, dy, dx, rows, layout.channels, layout.positions, layout.lanes, centre, scale, slope, added)
        }
    }
}
