internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

extension SiteGeometry.Pool {
    /// Rows and columns of what it makes of an image.
    func positions(over image: Extent) -> Extent {
        switch self {
        case .average(let window), .max(let window), .middle(let window):
            window.positions(over: image) ?? Extent(0, 0)
        case .global: Extent(square: 1)
        }
    }

    /// Pools one image [image, channels] into [positions, channels].
    func apply(
        to values: UnsafePointer<Float>, _ image: Extent, channels: Int,
        into result: UnsafeMutablePointer<Float>
    ) {
        switch self {
        case .global:
            Window(kernel: image).means(of: values, image, channels: channels, into: result)
        case .average(let window):
            window.means(of: values, image, channels: channels, into: result)
        case .max(let window):
            let positions = window.positions(over: image)?.count ?? 0
            result.update(repeating: -.infinity, count: positions * channels)
            window.forEachPlace(image) { position, _, place in
                guard let place else { return }
                let (from, into) = (values + place * channels, result + position * channels)
                for channel in 0..<channels { into[channel] = Swift.max(into[channel], from[channel]) }
            }
        case .middle(let window):
            let middle = window.kernel.height / 2 * window.kernel.width + window.kernel.width / 2
            let positions = window.positions(over: image)?.count ?? 0
            result.update(repeating: 0, count: positions * channels)
            window.forEachPlace(image) { position, tap, place in
                guard tap == middle, let place else { return }
                (result + position * channels).update(from: values + place * channels, count: channels)
            }
        }
    }
}

extension Window {
    /// Calls `body` with every position, every tap, and the place in the image that it reads; nil in the padding.
    fileprivate func forEachPlace(_ image: Extent, _ body: (Int, Int, Int?) -> Void) {
        guard let positions = positions(over: image) else { return }
        for position in 0..<positions.count {
            let (top, left) = (
                position / positions.width * stride.height - padding.height,
                position % positions.width * stride.width - padding.width
            )
            for tap in 0..<taps {
                let row = top + tap / kernel.width * dilation.height
                let column = left + tap % kernel.width * dilation.width
                let isInside = (0..<image.height).contains(row) && (0..<image.width).contains(column)
                body(position, tap, isInside ? row * image.width + column : nil)
            }
        }
    }

    /// Zeros of the padding count.
    fileprivate func means(
        of values: UnsafePointer<Float>, _ image: Extent, channels: Int,
        into result: UnsafeMutablePointer<Float>
    ) {
        let scale = 1 / Float(taps)
        result.update(repeating: 0, count: (positions(over: image)?.count ?? 0) * channels)
        forEachPlace(image) { position, _, place in
            guard let place else { return }
            let (from, into) = (values + place * channels, result + position * channels)
            for channel in 0..<channels { into[channel] += scale * from[channel] }
        }
    }
}
