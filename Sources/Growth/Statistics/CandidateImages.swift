internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// What candidate neurons are where the consumer reads them, to first order: images of 2 k channels [φ(z) | φ(−z)].
///
/// Used by one thread.
final class CandidateImages {
    /// 2 k.
    let channels: Int
    private let neurons: Int
    private let map: AffineMap
    private let stages: [SiteStage]
    private let hidden: Extent
    private let activity: AlignedBuffer
    /// Two images that stages write in turn.
    private let scratch: [AlignedBuffer]

    /// - Parameters:
    ///   - fanIn: α, [k, a].
    ///   - capacity: the most samples of one chunk.
    init(_ fanIn: Matrix, at site: GrowthSite, in architecture: Architecture, capacity: Int) throws {
        neurons = fanIn.rows
        channels = 2 * fanIn.rows
        stages = site.stages
        hidden = site.geometry.hidden
        map = try AffineMap(
            fanIn, hasBias: site.producerHasBias, like: architecture.layer(site.producer),
            over: architecture.shape(of: site.producerInput) ?? [], capacity: capacity)
        activity = AlignedBuffer(count: capacity * hidden.count * neurons)
        var (extent, largest) = (hidden, hidden.count)
        for case .pool(let pool) in site.stages {
            extent = pool.positions(over: extent)
            largest = max(largest, extent.count)
        }
        scratch = [largest, largest].map { [channels] in AlignedBuffer(count: $0 * channels) }
    }

    /// Computes z for a chunk.
    ///
    /// - Parameter x: X, [rows, image, inChannels].
    func load(rows: Int, x: UnsafePointer<Float>) { map.apply(to: x, rows: rows, into: activity.pointer) }

    /// The image of one sample of the chunk, [read, 2 k]; valid until the next is asked for.
    func image(of row: Int) -> UnsafePointer<Float> {
        var (current, other) = (scratch[0].pointer, scratch[1].pointer)
        let z = activity.pointer + row * hidden.count * neurons
        for position in 0..<hidden.count {
            let (from, into) = (z + position * neurons, current + position * channels)
            for neuron in 0..<neurons {
                into[neuron] = from[neuron]
                into[neurons + neuron] = -from[neuron]
            }
        }
        var extent = hidden
        for stage in stages {
            switch stage {
            case .slopes(let slopes):
                let (right, left) = (Float(slopes.right), Float(slopes.left))
                for index in 0..<extent.count * channels {
                    current[index] *= current[index] > 0 ? right : left
                }
            case .pool(let pool):
                pool.apply(to: current, extent, channels: channels, into: other)
                extent = pool.positions(over: extent)
                (current, other) = (other, current)
            }
        }
        return UnsafePointer(current)
    }
}
