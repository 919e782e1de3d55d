package import Correlations
package import GrowthMath
package import Tensors

/// Both passes over samples.
package struct SiteSums: Sendable {
    package var plan: SitePlan
    package var first: FirstPassMatrices
    package var second: SecondPassMatrices
    /// Where the passes chose it.
    package var bestUpdate: BestUpdate?

    /// With a given update; chunk i goes to shard i mod shards.
    package init(
        _ plan: SitePlan, _ samples: SiteSamples, update weights: Matrix, chunks: [Int], shards: Int = 1
    ) {
        let parts = (0..<shards).map { _ in
            (first: SiteFirstPass(plan), second: SiteSecondPass(plan, update: weights))
        }
        SiteSums.visit(plan.geometry, samples, chunks) { index, rows, x, h, g in
            parts[index % shards].first.add(rows: rows, x: x, h: h, g: g)
            parts[index % shards].second.add(rows: rows, x: x, h: h, g: g)
        }
        self.plan = plan
        first = SiteFirstPass.combine(parts.map(\.first), samples: samples.count)
        second = SiteSecondPass.combine(parts.map(\.second), samples: samples.count)
    }

    /// With the best update.
    package init(_ plan: SitePlan, _ samples: SiteSamples) throws {
        let pass = SiteFirstPass(plan)
        SiteSums.visit(plan.geometry, samples, [samples.count]) { pass.add(rows: $1, x: $2, h: $3, g: $4) }
        let found = SiteFirstPass.combine([pass], samples: samples.count)
        let update = try BestUpdate(
            covariance: found.consumerCovariance, moment: found.consumerMoment, threshold: 1e-6)
        self.init(plan, samples, update: update.weights, chunks: [samples.count])
        first = found
        bestUpdate = update
    }

    private static func visit(
        _ geometry: SiteGeometry, _ samples: SiteSamples, _ chunks: [Int],
        _ body: (Int, Int, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) -> Void
    ) {
        samples.x.withUnsafeBufferPointer { x in
            samples.h.withUnsafeBufferPointer { h in
                samples.g.withUnsafeBufferPointer { g in
                    guard let x = x.baseAddress, let h = h.baseAddress, let g = g.baseAddress else { return }
                    var begin = 0
                    for (index, rows) in chunks.enumerated() {
                        body(
                            index, rows, x + begin * geometry.inputCount, h + begin * geometry.hiddenCount,
                            g + begin * geometry.outputCount)
                        begin += rows
                    }
                }
            }
        }
    }
}
