internal import Networks
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

    /// Bytes of one image's spectra held at a time.
    private static let stageBytes = 16 << 20
    private static let largestBatch = 64
    private static let smallestBatch = 4

    init(_ geometry: SiteGeometry, _ terms: [Term]) {
        let periods = LagSums.periods(terms.map(\.plan))
        let batch = LagSums.batch(geometry, periods)
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
    func extent(of image: LagSums.Image) -> Extent {
        switch image {
        case .input: self.image
        case .hidden: read
        case .gradient: output
        }
    }

    func channels(of image: LagSums.Image) -> Int {
        switch image {
        case .input: inChannels
        case .hidden: width
        case .gradient: outChannels
        }
    }
}
