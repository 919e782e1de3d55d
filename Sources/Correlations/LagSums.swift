internal import Tensors

/// The statistics of one site and shard that are summed by shifts, over stages of images that they share.
final class LagSums: StatisticSums {
    private let sums: [LagSum]
    private var stages: [(image: SampleImage, stage: ImageStage)] = []
    /// Takes X apart where P moves in larger steps.
    private let phases: ImagePhases?

    /// Bytes of one image's spectra held at a time.
    private static let stageBytes = 16 << 20
    private static let largestBatch = 64
    private static let smallestBatch = 4

    init(_ geometry: SiteGeometry, _ correlations: [Correlation]) {
        let periods = LagSums.periods(correlations)
        let batch = LagSums.batch(geometry, periods)
        let readsInput = correlations.contains { $0.statistic.left == .input }
        phases = readsInput && geometry.hasInputPhases ? ImagePhases(geometry, capacity: batch) : nil
        var found: [SampleImage: ImageStage] = [:]
        for image in SampleImage.allCases {
            let used = correlations.filter { $0.statistic.left == image || $0.statistic.right == image }
            guard !used.isEmpty else { continue }
            var (rows, columns): (Set<Int>, Set<Int>) = ([], [])
            for correlation in used {
                let sides = [(correlation.statistic.left, true), (correlation.statistic.right, false)]
                for (side, isLeft) in sides where side == image {
                    for pair in correlation.terms {
                        if case .pair(let p, let q) = pair.rows { rows.insert(isLeft ? p : q) }
                        if case .pair(let p, let q) = pair.columns, case .lag = pair.rows {
                            columns.insert(isLeft ? p : q)
                        }
                    }
                }
            }
            let stage = ImageStage(
                geometry.extent(of: image), channels: geometry.channels(of: image), capacity: batch,
                periods: periods, rows: rows, columns: columns)
            found[image] = stage
            stages.append((image, stage))
        }
        sums = correlations.compactMap { correlation in
            guard let left = found[correlation.statistic.left], let right = found[correlation.statistic.right]
            else { return nil }
            return LagSum(correlation, left: left, right: right)
        }
    }

    /// The periods at which no lag of any of the correlations aliases.
    static func periods(_ correlations: [Correlation]) -> Extent {
        Extent(correlations.map(\.rows.period).max() ?? 1, correlations.map(\.columns.period).max() ?? 1)
    }

    /// Images that are transformed before their products.
    static func batch(_ geometry: SiteGeometry, _ periods: Extent) -> Int {
        let channels = SampleImage.allCases.map(geometry.channels).max() ?? 1
        let bytes = ImageStage.bytes(periods: periods, channels: max(channels, 1))
        return max(smallestBatch, min(largestBatch, stageBytes / bytes))
    }

    /// FLOPs per image of statistics that share their transforms.
    static func cost(_ geometry: SiteGeometry, _ correlations: [Correlation]) -> Int {
        let periods = periods(correlations)
        let images = Set(correlations.flatMap { [$0.statistic.left, $0.statistic.right] })
        let transforms = images.reduce(0) {
            $0
                + ImageStage.cost(
                    geometry.extent(of: $1), periods: periods, channels: geometry.channels(of: $1))
        }
        return correlations.reduce(transforms) {
            $0
                + LagSum.cost(
                    $1, periods: periods, left: geometry.channels(of: $1.statistic.left),
                    right: geometry.channels(of: $1.statistic.right), batch: batch(geometry, periods))
        }
    }

    /// Adds a chunk; products are computed when a batch is full.
    func add(rows: Int, _ pointer: (SampleImage) -> UnsafePointer<Float>) {
        guard let capacity = stages.first?.stage.capacity else { return }
        var first = 0
        while first < rows {
            let count = min(rows - first, capacity - (stages.first?.stage.count ?? 0))
            for (image, stage) in stages {
                if image == .input, let phases {
                    let rows = pointer(image) + first * phases.inputCount
                    stage.append(phases.split(rows, images: count), count: count)
                    continue
                }
                let size = stage.extent.count * stage.channels
                stage.append(pointer(image) + first * size, count: count)
            }
            first += count
            if stages.first?.stage.count == capacity { finish() }
        }
    }

    /// Adds what still stands in the stages.
    private func finish() {
        for sum in sums { sum.addStaged() }
        for (_, stage) in stages { stage.removeAll() }
    }

    private func sum(of statistic: Statistic) -> LagSum? {
        sums.first { $0.correlation.statistic == statistic }
    }

    func take(_ statistic: Statistic) -> [[Double]]? {
        finish()
        return sum(of: statistic)?.take()
    }

    static func total(_ statistic: Statistic, of parts: [LagSums]) -> [[Double]]? {
        for part in parts { part.finish() }
        let sums = parts.compactMap { $0.sum(of: statistic) }
        return sums.isEmpty ? nil : LagSum.total(sums)
    }
}

extension SiteGeometry {
    /// Rows and columns of an image, or of its phases.
    func extent(of image: SampleImage) -> Extent {
        switch image {
        case .input:
            hasInputPhases
                ? Extent(SiteAxis(self, .rows).phaseLength, SiteAxis(self, .columns).phaseLength) : self.image
        case .hidden: read
        case .gradient: output
        }
    }

    /// Channels of an image, of all of its phases that are read.
    func channels(of image: SampleImage) -> Int {
        switch image {
        case .input:
            hasInputPhases
                ? inChannels * SiteAxis(self, .rows).phases.count * SiteAxis(self, .columns).phases.count
                : inChannels
        case .hidden: width
        case .gradient: outChannels
        }
    }

    /// Whether X is summed by shifts as several images.
    var hasInputPhases: Bool { pools.isEmpty && producer.stride != Extent(square: 1) }
}

/// Takes images apart into the phases that P's taps read, as channels: [rows, columns, phase of row, of column, channels].
private final class ImagePhases {
    /// Floats of one image, whole.
    let inputCount: Int
    private let image: Extent
    private let channels: Int
    private let stride: Extent
    private let extent: Extent
    private let rows: [Int]
    private let columns: [Int]
    private let buffer: AlignedBuffer

    init(_ geometry: SiteGeometry, capacity: Int) {
        inputCount = geometry.inputCount
        image = geometry.image
        channels = geometry.inChannels
        stride = geometry.producer.stride
        extent = geometry.extent(of: .input)
        rows = SiteAxis(geometry, .rows).phases
        columns = SiteAxis(geometry, .columns).phases
        buffer = AlignedBuffer(count: capacity * extent.count * geometry.channels(of: .input))
    }

    func split(_ source: UnsafePointer<Float>, images: Int) -> UnsafePointer<Float> {
        var into = buffer.pointer
        for index in 0..<images {
            let start = source + index * inputCount
            for row in 0..<extent.height {
                for column in 0..<extent.width {
                    for rowPhase in rows {
                        let y = row * stride.height + rowPhase
                        for columnPhase in columns {
                            let x = column * stride.width + columnPhase
                            if y < image.height && x < image.width {
                                into.update(
                                    from: start + (y * image.width + x) * channels, count: channels)
                            } else {
                                into.update(repeating: 0, count: channels)
                            }
                            into += channels
                        }
                    }
                }
            }
        }
        return UnsafePointer(buffer.pointer)
    }
}
