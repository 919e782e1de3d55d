import Correlations
import Correlations
import Tensors

/// A 3 x 3 convolution to and from `width` channels over images of `extent` x `extent`, without biases.
func convolutionSite(
    _ channels: Int, extent: Int, scheme: SiteGeometry.Scheme
) -> SiteGeometry {
    let window = Window(kernel: Extent(square: 3), padding: Extent(square: 1))
    return SiteGeometry(
        inChannels: channels, image: Extent(square: extent), producer: window, producerHasBias: false,
        width: channels, consumer: window, consumerHasBias: false, outChannels: channels, scheme: scheme)
}

/// Seconds for both passes over a site, from rows that are at hand; no network is run and nothing is solved.
func secondsOfSums(
    _ geometry: SiteGeometry, needs: StatisticsNeeds, images: Int, threads: Int
) throws -> Double {
    let (chunk, shards) = (50, 2)
    func rows(_ count: Int, _ index: Int) -> AlignedBuffer {
        var random = Philox(seed: 0, purpose: .growth, index: index)
        let buffer = AlignedBuffer(count: chunk * count)
        for (place, value) in random.normal(chunk * count, deviation: 1).enumerated() {
            buffer.pointer[place] = value
        }
        return buffer
    }
    let (x, h, g) = (
        rows(geometry.inputCount, 0), rows(geometry.hiddenCount, 1), rows(geometry.outputCount, 2)
    )
    let update = Matrix(rows: geometry.outChannels, columns: geometry.hiddenInputs, repeating: 1e-3)
    let plan = SitePlan(geometry, needs: needs)
    func visit(_ body: @escaping @Sendable (_ shard: Int) -> Void) throws {
        try WorkerTeam.run(threads) { worker in
            for shard in stride(from: worker, to: shards, by: threads) {
                for _ in stride(from: shard * chunk, to: images, by: shards * chunk) { body(shard) }
            }
        }
    }
    // One pass after the other, as they are used: only one's memory is needed at a time.
    func firstPass() throws {
        let sums = Parts((0..<shards).map { _ in SiteFirstPass(plan) })
        try visit { sums.parts[$0].add(rows: chunk, x: x.pointer, h: h.pointer, g: g.pointer) }
        _ = SiteFirstPass.combine(sums.parts, samples: images)
    }
    func secondPass() throws {
        let sums = Parts(
            (0..<shards).map { _ in SiteSecondPass(plan, update: update) })
        try visit { sums.parts[$0].add(rows: chunk, x: x.pointer, h: h.pointer, g: g.pointer) }
        _ = SiteSecondPass.combine(sums.parts, samples: images)
    }
    return try secondsOf {
        try firstPass()
        try secondPass()
    }
}

/// What workers share although the compiler cannot see that each touches its own shard alone.
private struct Parts<Part>: @unchecked Sendable {
    let parts: [Part]

    init(_ parts: [Part]) { self.parts = parts }
}
