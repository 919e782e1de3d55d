internal import Networks

extension SiteGeometry {
    /// Whether every tap of every position reads X's 1 just as H has it, so that a bias of new neurons could do nothing
    /// that the consumer's own bias cannot: both layers have one, and no window reaches into padding.
    var sharesOnes: Bool {
        guard producerHasBias && consumerHasBias else { return false }
        var extent = hidden
        for pool in pools {
            switch pool {
            case .global: extent = Extent(square: 1)
            // The largest of a window is never the padding.
            case .max(let window): extent = window.positions(over: extent) ?? extent
            case .average(let window):
                guard window.padding == Extent(0, 0) else { return false }
                extent = window.positions(over: extent) ?? extent
            case .middle(let window):
                guard window.centreStaysInside(extent) else { return false }
                extent = window.positions(over: extent) ?? extent
            }
        }
        return scheme == .full ? consumer.padding == Extent(0, 0) : consumer.centreStaysInside(extent)
    }
}

extension Window {
    /// Whether the tap (height / 2, width / 2) never reads padding of an image.
    fileprivate func centreStaysInside(_ image: Extent) -> Bool {
        guard let positions = positions(over: image) else { return false }
        func isInside(
            _ length: Int, _ count: Int, _ kernel: Int, _ step: Int, _ padding: Int, _ dilation: Int
        )
            -> Bool
        {
            let first = kernel / 2 * dilation - padding
            return first >= 0 && first + (count - 1) * step < length
        }
        return isInside(
            image.height, positions.height, kernel.height, stride.height, padding.height, dilation.height)
            && isInside(
                image.width, positions.width, kernel.width, stride.width, padding.width, dilation.width)
    }
}
