internal import Tensors

/// The statistics of one site and shard that are summed by shifts, over stages of images that they share.
final class LagSums {
    /// An image of a site.
    enum Image: Hashable, CaseIterable {
        case input, hidden, gradient
    }

    /// A statistic, and the images on its two sides.
    struct Term {
        var plan: LagPlan
        var left: Image
        var right: Image
    }

    /// In the order of the terms.
    let sums: [LagSum]
    private var stages: [(image: Image, stage: ImageStage)] = []
    /// Takes X apart where P moves in larger steps.
    private let phases: ImagePhases?

    /// Bytes of one image's spectra held at a time.
    private static let stageBytes = 16 << 20
    private static let largestBatch = 64
    private static let smallestBatch = 4

    init(_ geometry: SiteGeometry, _ terms: [Term]) {
        let periods = LagSums.periods(terms.map(\.plan))
        let batch = LagSums.batch(geometry, periods)
        phases = geometry.hasInputPhases ? ImagePhases(geometry, capacity: batch) : nil
        var found: [Image: ImageStage] = [:]
        for image in Image.allCases {
            let used = terms.filter { $0.left == image || $0.right == image }
            guard !used.isEmpty else { continue }
            var (rows, columns): (Set<Int>, Set<Int>) = ([], [])
            for term in used {
                for (side, isLeft) in [(term.left, true), (term.right, false)] where side == image {
                    for pair in term.plan.terms {
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
        sums = terms.compactMap { term in
            guard let left = found[term.left], let right = found[term.right] else { return nil }
            return LagSum(term.plan, left: left, right: right)
        }
    }

    /// The periods at which no lag of any of the plans aliases.
    static func periods(_ plans: [LagPlan]) -> Extent {
        Extent(plans.map(\.rows.period).max() ?? 1, plans.map(\.columns.period).max() ?? 1)
    }

    /// Images that are transformed before their products.
    static func batch(_ geometry: SiteGeometry, _ periods: Extent) -> Int {
        let channels = Image.allCases.map(geometry.channels).max() ?? 1
        let bytes = ImageStage.bytes(periods: periods, channels: max(channels, 1))
        return max(smallestBatch, min(largestBatch, stageBytes / bytes))
    }

    /// FLOPs per image of statistics that share their transforms.
    static func cost(_ geometry: SiteGeometry, _ terms: [Term]) -> Int {
        let periods = periods(terms.map(\.plan))
        let transforms = Set(terms.flatMap { [$0.left, $0.right] }).reduce(0) {
            $0
                + ImageStage.cost(
                    geometry.extent(of: $1), periods: periods, channels: geometry.channels(of: $1))
        }
        return terms.reduce(transforms) {
            $0
                + LagSum.cost(
                    $1.plan, periods: periods, left: geometry.channels(of: $1.left),
                    right: geometry.channels(of: $1.right), batch: batch(geometry, periods))
        }
    }

    /// Adds a chunk; products are computed when a batch is full.
    func add(rows: Int, _ pointer: (Image) -> UnsafePointer<Float>) {
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
    func finish() {
        for sum in sums { sum.addStaged() }
        for (_, stage) in stages { stage.removeAll() }
    }
}

extension SiteGeometry {
    /// Rows and columns of an image, or of its phases.
    func extent(of image: LagSums.Image) -> Extent {
        switch image {
        case .input:
            hasInputPhases
                ? Extent(SiteAxis(self, .rows).phaseLength, SiteAxis(self, .columns).phaseLength) : self.image
        case .hidden: read
        case .gradient: output
        }
    }

    /// Channels of an image, of all of its phases that are read.
    func channels(of image: LagSums.Image) -> Int {
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
