package import Correlations
package import Tensors

/// Every sum of a layer pair with positions and taps, written out in Float64 from the definitions: windows and pools in the
/// plane, place by place.
package struct ReferenceSums {
    package var consumerCovariance: Matrix
    package var consumerMoment: Matrix
    package var gradientCovariance: Matrix
    package var inputCovariance: Matrix
    package var inputMoment: Matrix
    package var overlap: [Matrix]
    package var alignedInput: Matrix
    package var alignedHidden: Matrix
    package var crossCovariance: Matrix
    package var bottleneck: Double

    /// What is read at each place, one sample: `[place][feature]`.
    typealias Rows = [[Double]]

    package init(_ geometry: SiteGeometry, _ samples: SiteSamples, update: Matrix) {
        let rows = (0..<samples.count).map { SampleRows(geometry, samples, sample: $0, update: update) }
        let scale = 1 / Double(samples.count)
        func sum(_ rows: Int, _ columns: Int, _ pairs: (SampleRows) -> [([Double], [Double], Double)])
            -> Matrix
        {
            var values = Array(repeating: 0.0, count: rows * columns)
            for sample in samplesOf {
                for (left, right, weight) in pairs(sample) {
                    for (i, x) in left.enumerated() where x != 0 {
                        for (j, y) in right.enumerated() { values[i * columns + j] += weight * x * y }
                    }
                }
            }
            return scale * Matrix(rows: rows, columns: columns, values: values)
        }
        let samplesOf = rows
        let (a, b, c) = (geometry.inputs, geometry.hiddenInputs, geometry.outChannels)
        let taps = geometry.taps
        consumerCovariance = sum(b, b) { $0.hidden.map { ($0, $0, 1) } }
        consumerMoment = sum(b, c) { sample in zip(sample.hidden, sample.gradient).map { ($0, $1, 1) } }
        gradientCovariance = sum(c, c) { $0.gradient.map { ($0, $0, 1) } }
        inputCovariance = sum(a, a) { sample in sample.reads.map { ($0.input, $0.input, 1) } }
        func moment(_ target: @escaping (SampleRows) -> Rows) -> Matrix {
            sum(a, c * taps) { sample in
                sample.reads.map { read in
                    var row = Array(repeating: 0.0, count: c * taps)
                    for channel in 0..<c {
                        row[channel * taps + read.tap] = target(sample)[read.position][channel]
                    }
                    return (read.input, row, 1)
                }
            }
        }
        inputMoment = moment(\.gradient)
        crossCovariance = moment(\.remaining)
        overlap = (0..<taps).map { tap in
            sum(a, b) { sample in
                sample.reads.filter { $0.tap == tap }.map { ($0.input, sample.hidden[$0.position], 1) }
            }
        }
        let aligned = geometry.width + (geometry.consumerHasBias ? 1 : 0)
        alignedInput = sum(a, aligned) { sample in sample.reads.map { ($0.input, $0.aligned, 1) } }
        alignedHidden = sum(aligned, aligned) { sample in sample.aligned.map { ($0, $0, 1) } }
        bottleneck = scale * rows.reduce(0) { $0 + $1.remaining.joined().reduce(0) { $0 + $1 * $1 } }
    }
}

/// X, H and G of some samples, nhwc.
package struct SiteSamples {
    package var count: Int
    package var x: [Float]
    package var h: [Float]
    package var g: [Float]

    package init(count: Int, x: [Float], h: [Float], g: [Float]) {
        (self.count, self.x, self.h, self.g) = (count, x, h, g)
    }

    /// Normal numbers; H as after a ReLU, so that not everything has mean 0.
    package init(_ geometry: SiteGeometry, count: Int, index: Int) {
        var random = Philox(seed: 5, purpose: .growth, index: index)
        self.count = count
        x = random.normal(count * geometry.inputCount, deviation: 1).map { $0 + 0.25 }
        h = random.normal(count * geometry.hiddenCount, deviation: 1).map { max($0, 0) }
        g = random.normal(count * geometry.outputCount, deviation: 1).map { $0 - 0.125 }
    }
}

/// One sample's patches.
private struct SampleRows {
    struct Read {
        var position: Int
        var tap: Int
        var input: [Double]
        var aligned: [Double]
    }

    /// Patches of H by output position, channel-major, a 1 last if Q has a bias.
    var hidden: [[Double]] = []
    var gradient: [[Double]] = []
    var remaining: [[Double]] = []
    /// What each pair of output position and tap reads, pairs in the padding left out.
    var reads: [Read] = []
    /// What Q reads at the place of every pair, pairs in the padding as zeros, and Q's 1.
    var aligned: [[Double]] = []

    init(_ geometry: SiteGeometry, _ samples: SiteSamples, sample: Int, update: Matrix) {
        let x = Plane(samples.x, geometry.image, geometry.inChannels, sample: sample)
        let h = Plane(samples.h, geometry.read, geometry.width, sample: sample)
        let g = Plane(samples.g, geometry.output, geometry.outChannels, sample: sample)
        gradient = g.places
        let ones = geometry.consumerHasBias ? [1.0] : []
        hidden = h.patches(geometry.consumer, geometry.output).map { $0 + ones }
        remaining = zip(gradient, hidden).map { g, h in
            g.indices.map { c in g[c] - h.indices.reduce(0) { $0 + update[c, $1] * h[$1] } }
        }
        var places = x.patches(geometry.producer, geometry.hidden)
        if geometry.producerHasBias { places = places.map { $0 + [1] } }
        var image = Plane(places: places, extent: geometry.hidden)
        for pool in geometry.pools { image = image.pooled(pool) }

        let kernel = geometry.consumer.kernel
        for position in 0..<geometry.output.count {
            for tap in 0..<geometry.taps {
                let place =
                    geometry.scheme == .full ? tap : kernel.height / 2 * kernel.width + kernel.width / 2
                let index = geometry.consumer.place(position, place, geometry.output, geometry.read)
                let there = index.map { h.places[$0] } ?? Array(repeating: 0, count: geometry.width)
                aligned.append(there + ones)
                guard let index else { continue }
                reads.append(
                    Read(position: position, tap: tap, input: image.places[index], aligned: there + ones))
            }
        }
    }
}

extension Window {
    /// The place that a tap reads for a position; nil in the padding.
    fileprivate func place(_ position: Int, _ tap: Int, _ positions: Extent, _ image: Extent) -> Int? {
        let y =
            position / positions.width * stride.height + tap / kernel.width * dilation.height - padding.height
        let x =
            position % positions.width * stride.width + tap % kernel.width * dilation.width - padding.width
        guard y >= 0, y < image.height, x >= 0, x < image.width else { return nil }
        return y * image.width + x
    }
}

/// An image of rows of features.
private struct Plane {
    var places: [[Double]]
    var extent: Extent

    init(places: [[Double]], extent: Extent) {
        self.places = places
        self.extent = extent
    }

    init(_ values: [Float], _ extent: Extent, _ channels: Int, sample: Int) {
        self.extent = extent
        places = (0..<extent.count).map { place in
            let first = (sample * extent.count + place) * channels
            return values[first..<first + channels].map(Double.init)
        }
    }

    private var features: Int { places.first?.count ?? 0 }

    func patches(_ window: Window, _ positions: Extent) -> [[Double]] {
        (0..<positions.count).map { position in
            (0..<features).flatMap { feature in
                (0..<window.taps).map { tap in
                    window.place(position, tap, positions, extent).map { places[$0][feature] } ?? 0
                }
            }
        }
    }

    func pooled(_ pool: SiteGeometry.Pool) -> Plane {
        func mean(_ rows: [[Double]], of count: Int) -> [Double] {
            (0..<features).map { feature in rows.reduce(0) { $0 + $1[feature] } / Double(count) }
        }
        switch pool {
        case .global:
            return Plane(places: [mean(places, of: places.count)], extent: Extent(square: 1))
        case .average(let window), .max(let window), .middle(let window):
            let positions = window.positions(over: extent) ?? Extent(0, 0)
            let pooled = (0..<positions.count).map { position in
                let middle = window.kernel.height / 2 * window.kernel.width + window.kernel.width / 2
                let found = (0..<window.taps).filter { tap in
                    if case .middle = pool { tap == middle } else { true }
                }.compactMap { window.place(position, $0, positions, extent) }.map { places[$0] }
                return switch pool {
                case .average: mean(found, of: window.taps)
                case .max: mean(found, of: found.count)
                default: mean(found, of: 1)
                }
            }
            return Plane(places: pooled, extent: positions)
        }
    }
}
