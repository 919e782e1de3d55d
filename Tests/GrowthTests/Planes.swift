import Parameters
import Correlations
import Networks
import Tensors

@testable import Growth

/// Images of several samples in Float64, [samples, channels, height, width], with the operations that convolutional
/// networks need, each written for these tests alone as its definition says.
struct Planes {
    var samples: Int
    var channels: Int
    var extent: Extent
    var values: [Double]

    init(samples: Int, channels: Int, extent: Extent, values: [Double]) {
        precondition(values.count == samples * channels * extent.count)
        self.samples = samples
        self.channels = channels
        self.extent = extent
        self.values = values
    }

    /// From one row per sample and position, one column per channel.
    init(rows: Matrix, samples: Int, extent: Extent) {
        self.init(
            samples: samples, channels: rows.columns, extent: extent,
            values: (0..<samples).flatMap { sample in
                (0..<rows.columns).flatMap { channel in
                    (0..<extent.count).map { rows[sample * extent.count + $0, channel] }
                }
            })
    }

    subscript(sample: Int, channel: Int, row: Int, column: Int) -> Double {
        guard (0..<extent.height).contains(row), (0..<extent.width).contains(column) else { return 0 }
        return values[((sample * channels + channel) * extent.height + row) * extent.width + column]
    }

    /// One row per sample and position, one column per channel.
    var rows: Matrix { patches(Window(kernel: Extent(square: 1))) }

    /// One row per sample and output position, columns channel-major as PyTorch unfolds.
    func patches(_ window: Window) -> Matrix {
        let positions = window.positions(over: extent) ?? Extent(0, 0)
        var result: [Double] = []
        for sample in 0..<samples {
            for y in 0..<positions.height {
                for x in 0..<positions.width {
                    for channel in 0..<channels {
                        for ky in 0..<window.kernel.height {
                            for kx in 0..<window.kernel.width {
                                result.append(
                                    self[
                                        sample, channel,
                                        y * window.stride.height + ky * window.dilation.height
                                            - window.padding.height,
                                        x * window.stride.width + kx * window.dilation.width
                                            - window.padding.width])
                            }
                        }
                    }
                }
            }
        }
        return Matrix(
            rows: samples * positions.count, columns: channels * window.taps, values: result)
    }

    /// A convolution by weights [out, channels * taps], the bias as a last column if there is one.
    func convolved(_ weights: Matrix, _ window: Window) -> Planes {
        let patches = patches(window)
        let inputs = weights.columns == patches.columns ? patches : patches.appendingOnes
        return Planes(
            rows: inputs.timesTransposed(weights), samples: samples,
            extent: window.positions(over: extent) ?? Extent(0, 0))
    }

    func mapping(_ function: (Double) -> Double) -> Planes {
        var result = self
        result.values = values.map(function)
        return result
    }

    /// Each window of each channel, as a row of the values that lie in the image.
    private func pooled(_ window: Window, _ function: ([Double], Int) -> Double) -> Planes {
        let positions = window.positions(over: extent) ?? Extent(0, 0)
        var result: [Double] = []
        for sample in 0..<samples {
            for channel in 0..<channels {
                for y in 0..<positions.height {
                    for x in 0..<positions.width {
                        var inside: [Double] = []
                        for ky in 0..<window.kernel.height {
                            for kx in 0..<window.kernel.width {
                                let row = y * window.stride.height + ky - window.padding.height
                                let column = x * window.stride.width + kx - window.padding.width
                                if (0..<extent.height).contains(row), (0..<extent.width).contains(column) {
                                    inside.append(self[sample, channel, row, column])
                                }
                            }
                        }
                        result.append(function(inside, window.taps))
                    }
                }
            }
        }
        return Planes(samples: samples, channels: channels, extent: positions, values: result)
    }

    /// What a new channel becomes in a pool: its largest values, means, or middle tap.
    func pooled(_ pool: SiteGeometry.Pool) -> Planes {
        switch pool {
        case .max(let window): return pooled(window) { values, _ in values.max() ?? 0 }
        case .average(let window):
            return pooled(window) { values, taps in values.reduce(0, +) / Double(taps) }
        case .global:
            let window = Window(kernel: extent)
            return pooled(window) { values, taps in values.reduce(0, +) / Double(taps) }
        case .middle(let window):
            let patches = patches(window)
            let middle = window.kernel.height / 2 * window.kernel.width + window.kernel.width / 2
            return Planes(
                rows: patches.selecting(columns: (0..<channels).map { $0 * window.taps + middle }),
                samples: samples, extent: window.positions(over: extent) ?? Extent(0, 0))
        }
    }

    /// What each tap of a window reads: one matrix per tap, a row per sample and output position.
    func readings(_ window: Window) -> [Matrix] {
        let patches = patches(window)
        return (0..<window.taps).map { tap in
            patches.selecting(columns: (0..<channels).map { $0 * window.taps + tap })
        }
    }
}
