internal import Tensors

/// One axis of a site, rows or columns, as tables of positions. Windows and pools are separable, so a position, a
/// weight or a multiplicity in the plane is the product of those of its row and its column.
struct SiteAxis: Equatable {
    /// What a position reads of an image, and how much of it.
    struct Source: Equatable {
        var index: Int
        var weight: Double
    }

    /// Positions of X, of what Q reads, and of Q's output.
    let image: Int
    let read: Int
    let output: Int
    /// Extents of P's and Q's kernels.
    let producerTaps: Int
    let consumerTaps: Int
    /// The places in Q's kernel that new neurons use.
    let neuronTaps: [Int]
    /// What a new channel at place u, before its activation, reads of X for P's tap i: `sources[u][i]`.
    let sources: [[[Source]]]
    /// What remains at place u of a channel of ones: less than 1 where a mean counts padding.
    let ones: [Double]
    /// Q's stride, padding and dilation.
    private let step: Int
    private let padding: Int
    private let dilation: Int

    /// How P's windows move over X, where nothing lies between the layers.
    let producerShift: Shift?
    /// How Q's windows move, where in steps of 1.
    let consumerShift: Shift?

    /// A window that moves in even steps: tap i of position l reads stride · l + dilation · i − padding.
    ///
    /// With stride s an image is s images, its phases: phase f has the places s m + f. Every tap reads one of them, in
    /// steps of 1.
    struct Shift: Equatable {
        var dilation: Int
        var padding: Int
        var stride = 1

        /// What a tap reads of its phase is the position and this.
        func offset(of tap: Int) -> Int {
            let place = dilation * tap - padding
            return (place - phase(of: tap)) / stride
        }

        func phase(of tap: Int) -> Int {
            let rest = (dilation * tap - padding) % stride
            return rest < 0 ? rest + stride : rest
        }
    }

    /// The phases of X that P's taps read, in order, and the places of each; places outside X count as zero.
    var phases: [Int] {
        guard let producerShift else { return [0] }
        return Set((0..<producerTaps).map(producerShift.phase)).sorted()
    }
    var phaseLength: Int {
        let stride = producerShift?.stride ?? 1
        return (image + stride - 1) / stride
    }

    enum Direction { case rows, columns }

    init(_ geometry: SiteGeometry, _ direction: Direction) {
        func along(_ extent: Extent) -> Int { direction == .rows ? extent.height : extent.width }
        let (producer, consumer) = (geometry.producer, geometry.consumer)
        image = along(geometry.image)
        read = along(geometry.read)
        output = along(geometry.output)
        producerTaps = along(producer.kernel)
        consumerTaps = along(consumer.kernel)
        neuronTaps = geometry.scheme == .full ? Array(0..<consumerTaps) : [consumerTaps / 2]
        step = along(consumer.stride)
        padding = along(consumer.padding)
        dilation = along(consumer.dilation)
        consumerShift = step == 1 ? Shift(dilation: dilation, padding: padding) : nil
        producerShift =
            geometry.pools.isEmpty
            ? Shift(
                dilation: along(producer.dilation), padding: along(producer.padding),
                stride: along(producer.stride)) : nil

        let pooled = SiteAxis.pooled(geometry.pools, length: along(geometry.hidden), along)
        ones = pooled.map { $0.reduce(0) { $0 + $1.weight } }
        sources = pooled.map { [image, producerTaps] hidden in
            (0..<producerTaps).map { tap in
                hidden.compactMap { place in
                    let index =
                        place.index * along(producer.stride) + tap * along(producer.dilation)
                        - along(producer.padding)
                    return (0..<image).contains(index) ? Source(index: index, weight: place.weight) : nil
                }
            }
        }
    }

    /// What each place that Q reads is made of, as places of P's output.
    private static func pooled(
        _ pools: [SiteGeometry.Pool], length: Int, _ along: (Extent) -> Int
    ) -> [[Source]] {
        pools.reduce((0..<length).map { [Source(index: $0, weight: 1)] }) { places, pool in
            windows(pool, length: places.count, along).map { window in
                var sums: [Int: Double] = [:]
                for source in window {
                    for place in places[source.index] {
                        sums[place.index, default: 0] += source.weight * place.weight
                    }
                }
                return sums.keys.sorted().map { Source(index: $0, weight: sums[$0, default: 0]) }
            }
        }
    }

    private static func windows(
        _ pool: SiteGeometry.Pool, length: Int, _ along: (Extent) -> Int
    ) -> [[Source]] {
        switch pool {
        case .global:
            return [(0..<length).map { Source(index: $0, weight: 1 / Double(length)) }]
        case .average(let window), .max(let window), .middle(let window):
            let (kernel, stride, padding) = (
                along(window.kernel), along(window.stride), along(window.padding)
            )
            let dilation = along(window.dilation)
            let count = (length + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
            return (0..<count).map { position in
                func place(_ tap: Int) -> Int? {
                    let index = position * stride + tap * dilation - padding
                    return (0..<length).contains(index) ? index : nil
                }
                switch pool {
                case .middle:
                    return place(kernel / 2).map { [Source(index: $0, weight: 1)] } ?? []
                case .max:
                    let inside = (0..<kernel).compactMap(place)
                    return inside.map { Source(index: $0, weight: 1 / Double(inside.count)) }
                default:
                    return (0..<kernel).compactMap(place).map {
                        Source(index: $0, weight: 1 / Double(kernel))
                    }
                }
            }
        }
    }

    /// The place that tap `tap` of Q's kernel reads for output `position`; nil in the padding.
    func place(of position: Int, tap: Int) -> Int? {
        let index = position * step + tap * dilation - padding
        return (0..<read).contains(index) ? index : nil
    }

    /// mult: how many pairs of output position and neuron tap read each place.
    var multiplicity: [Int] {
        var counts = Array(repeating: 0, count: read)
        for position in 0..<output {
            for tap in neuronTaps {
                if let place = place(of: position, tap: tap) { counts[place] += 1 }
            }
        }
        return counts
    }

    /// What tap t of output position j reads of H: `hiddenSources[j][t]`.
    var hiddenSources: [[[Source]]] {
        (0..<output).map { position in
            (0..<consumerTaps).map { tap in
                place(of: position, tap: tap).map { [Source(index: $0, weight: 1)] } ?? []
            }
        }
    }

    /// The output position whose neuron tap reads a place: `readers[tap][u]`; nil where none does.
    var readers: [[Int?]] {
        neuronTaps.map { tap in
            var found = [Int?](repeating: nil, count: read)
            for position in 0..<output {
                if let place = place(of: position, tap: tap) { found[place] = position }
            }
            return found
        }
    }
}

/// Both axes of a site.
struct SitePlane {
    let rows: SiteAxis
    let columns: SiteAxis

    init(_ geometry: SiteGeometry) {
        rows = SiteAxis(geometry, .rows)
        columns = SiteAxis(geometry, .columns)
    }

    /// mult(u) of every place that Q reads.
    var multiplicity: [Int] {
        let (rows, columns) = (rows.multiplicity, columns.multiplicity)
        return rows.flatMap { row in columns.map { row * $0 } }
    }

    /// For every neuron tap e, the output position that reads place u through it, or nil: `[e][u]`.
    var readers: [[Int?]] {
        let width = columns.output
        return rows.readers.flatMap { rowReaders in
            columns.readers.map { columnReaders in
                rowReaders.flatMap { row in
                    columnReaders.map { column in
                        row.flatMap { row in column.map { row * width + $0 } }
                    }
                }
            }
        }
    }
}
