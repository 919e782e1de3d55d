internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// What candidates for a width are at each of its nodes, to first order: images of 2 k channels [φ(z) | φ(−z)].
///
/// A candidate gets z_p = X_p α_p from every producer p; sums add up what their branches bring, activations are their σ₀,
/// pooling is as it is, normalisations let new channels pass. Used by one thread.
final class WidthImages {
    /// 2 k.
    let channels: Int
    private let count: Int
    private let graph: WidthGraph
    private let maps: [AffineMap]
    /// z of each producer, [rows, positions, k].
    private let activities: [AlignedBuffer]
    /// The image of each member, of one sample.
    private let images: [AlignedBuffer]

    /// - Parameters:
    ///   - fanIns: α of each producer, [k, a].
    ///   - capacity: the most samples of one chunk.
    init(_ fanIns: [Matrix], at width: Width, in architecture: Architecture, capacity: Int) {
        let count = fanIns[0].rows
        self.count = count
        channels = 2 * count
        let graph = width.graph
        self.graph = graph
        maps = width.producers.indices.compactMap { producer in
            width.routes.first { $0.producer == producer }.map { route in
                let geometry = route.geometry
                return AffineMap(
                    fanIns[producer], hasBias: geometry.producerHasBias, window: geometry.producer,
                    over: geometry.image, channels: geometry.inChannels, capacity: capacity)
            }
        }
        activities = width.producers.map {
            AlignedBuffer(count: capacity * (architecture.shape(of: $0) ?? []).extent.count * count)
        }
        var images: [AlignedBuffer] = []
        for member in graph.members {
            // What passes is the image that came in.
            images.append(
                member.role == .passes
                    ? images[member.inputs[0]]
                    : AlignedBuffer(count: member.shape.extent.count * 2 * count))
        }
        self.images = images
    }

    /// Computes every z for a chunk.
    ///
    /// - Parameter inputs: X of each producer, [rows, image, inChannels].
    func load(rows: Int, inputs: [UnsafePointer<Float>]) {
        for (index, input) in inputs.enumerated() {
            maps[index].apply(to: input, rows: rows, into: activities[index].pointer)
        }
    }

    /// One sample's image where a consumer reads it, [read, 2 k]; valid until the next is asked for.
    func image(of row: Int, for consumer: Int) -> UnsafePointer<Float> {
        for index in 0...graph.read[consumer] { fill(index, row: row) }
        return UnsafePointer(images[graph.read[consumer]].pointer)
    }

    private func fill(_ index: Int, row: Int) {
        let member = graph.members[index]
        let (image, size) = (images[index].pointer, images[index].count)
        switch member.role {
        case .producer(let producer):
            fill(image, from: activities[producer].pointer, row: row, positions: member.shape.extent.count)
        case .sum:
            image.update(repeating: 0, count: size)
            for input in member.inputs {
                let branch = images[input].pointer
                for element in 0..<size { image[element] += branch[element] }
            }
        case .passes: break
        case .slopes(let slopes):
            let (right, left) = (Float(slopes.right), Float(slopes.left))
            let before = images[member.inputs[0]].pointer
            for element in 0..<size {
                image[element] = before[element] * (before[element] > 0 ? right : left)
            }
        case .pool(let pool):
            pool.apply(
                to: images[member.inputs[0]].pointer, graph.members[member.inputs[0]].shape.extent,
                channels: channels, into: image)
        }
    }

    /// z and −z side by side.
    private func fill(
        _ image: UnsafeMutablePointer<Float>, from activity: UnsafePointer<Float>, row: Int, positions: Int
    ) {
        let z = activity + row * positions * count
        for position in 0..<positions {
            let (from, into) = (z + position * count, image + position * channels)
            for neuron in 0..<count {
                into[neuron] = from[neuron]
                into[count + neuron] = -from[neuron]
            }
        }
    }
}

extension SiteGeometry.Pool {
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
