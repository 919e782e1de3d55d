import Networks
import Tensors
import Testing

@testable import Growth

@Suite("Sums of a site with positions and taps")
struct SiteSumsTests {
    /// Numbers of one seed.
    private struct Draw {
        var random: Philox

        init(_ index: Int) { random = Philox(seed: 11, purpose: .growth, index: index) }

        mutating func among(_ values: [Int]) -> Int { values[random.integer(below: values.count)] }
        mutating func flag(_ one: Int) -> Bool { random.integer(below: one) == 0 }
        mutating func extent(_ values: [Int]) -> Extent { Extent(among(values), among(values)) }

        mutating func window(steps: Bool) -> Window {
            Window(
                kernel: extent([1, 2, 3, 3, 4, 5]), stride: steps ? extent([1, 2, 3]) : Extent(square: 1),
                padding: extent([0, 1, 1, 2]), dilation: flag(3) ? extent([1, 2]) : Extent(square: 1))
        }

        /// A geometry whose windows fit.
        mutating func geometry() -> SiteGeometry {
            while true {
                let producer = window(steps: flag(3))
                var consumer = window(steps: flag(3))
                let image = extent([1, 2, 3, 4, 5, 6, 7, 8, 9])
                guard let hidden = producer.positions(over: image) else { continue }
                var pools: [SiteGeometry.Pool] = []
                var read = hidden
                if flag(4) {
                    let padding = extent([0, 1])
                    let window = Window(kernel: extent([2, 3]), stride: extent([1, 2]), padding: padding)
                    guard let after = window.positions(over: read) else { continue }
                    let kinds: [SiteGeometry.Pool] = [.average(window), .max(window), .middle(window), .global]
                    let pool = kinds[random.integer(below: kinds.count)]
                    pools.append(pool)
                    read = pool == .global ? Extent(square: 1) : after
                }
                if flag(6) { consumer = Window(kernel: read) }
                guard consumer.positions(over: read) != nil else { continue }
                let geometry = SiteGeometry(
                    inChannels: among([1, 2, 3, 5, 26]), image: image, producer: producer,
                    producerHasBias: flag(2), width: among([1, 2, 3, 4, 25]), pools: pools, consumer: consumer,
                    consumerHasBias: flag(2), outChannels: among([1, 2, 3, 6]),
                    scheme: flag(3) ? .restricted : .full)
                // What the reference takes for the overlaps.
                let cost =
                    geometry.output.count * geometry.taps * geometry.inputs * geometry.hiddenInputs
                if cost < 100_000 { return geometry }
            }
        }
    }

    private func update(_ geometry: SiteGeometry) -> Matrix {
        var random = Philox(seed: 12, purpose: .growth)
        let count = geometry.outChannels * geometry.hiddenInputs
        return Matrix(
            rows: geometry.outChannels, columns: geometry.hiddenInputs,
            widening: random.normal(count, deviation: 0.1))
    }

    /// The two passes over samples cut into chunks, chunk i in shard i mod shards.
    private func sums(
        _ plan: SitePlan, _ samples: SiteSamples, update: Matrix, chunks: [Int], shards: Int = 1
    ) -> (first: FirstPassMatrices, second: SecondPassMatrices) {
        let first = (0..<shards).map { _ in SiteFirstPass(plan) }
        let second = (0..<shards).map { _ in SiteSecondPass(plan, update: update) }
        let geometry = plan.geometry
        samples.x.withUnsafeBufferPointer { x in
            samples.h.withUnsafeBufferPointer { h in
                samples.g.withUnsafeBufferPointer { g in
                    guard let x = x.baseAddress, let h = h.baseAddress, let g = g.baseAddress else { return }
                    var begin = 0
                    for (index, rows) in chunks.enumerated() {
                        let here = (
                            x + begin * geometry.inputCount, h + begin * geometry.hiddenCount,
                            g + begin * geometry.outputCount
                        )
                        first[index % shards].add(rows: rows, x: here.0, h: here.1, g: here.2)
                        second[index % shards].add(rows: rows, x: here.0, h: here.1, g: here.2)
                        begin += rows
                    }
                }
            }
        }
        return (
            SiteFirstPass.combine(first, samples: samples.count),
            SiteSecondPass.combine(second, samples: samples.count)
        )
    }

    private func error(_ found: Matrix?, _ expected: Matrix, atLeast scale: Double = 0) -> Double {
        guard let found, found.rows == expected.rows, found.columns == expected.columns else {
            return .infinity
        }
        let norm = max(expected.squaredNorm, scale * scale)
        return norm == 0 ? found.squaredNorm : ((found - expected).squaredNorm / norm).squareRoot()
    }

    private func expectSums(_ plan: SitePlan, index: Int, to tolerance: Double = 1e-6) {
        let geometry = plan.geometry
        let samples = SiteSamples(geometry, count: 3, index: index)
        let update = update(geometry)
        let expected = ReferenceSums(geometry, samples, update: update)
        let (first, second) = sums(plan, samples, update: update, chunks: [1, 2], shards: 1 + index % 2)
        // Products of numbers of either sign cancel: their errors are those of their norms.
        let norms = (
            input: expected.inputCovariance.trace.squareRoot(),
            hidden: expected.consumerCovariance.trace.squareRoot(),
            gradient: expected.gradientCovariance.trace.squareRoot(),
            remaining: expected.bottleneck.squareRoot()
        )
        func check(_ name: String, _ found: Matrix?, _ expected: Matrix, _ scale: Double = 0) {
            let off = error(found, expected, atLeast: 0.3 * scale)
            #expect(off <= tolerance, "\(name) is off by \(off) for \(geometry)")
        }
        check("S_H", first.consumerCovariance, expected.consumerCovariance)
        check("M", first.consumerMoment, expected.consumerMoment, norms.hidden * norms.gradient)
        check("E", first.gradientCovariance, expected.gradientCovariance)
        check("S", first.inputCovariance, expected.inputCovariance)
        check("XᵀG", first.inputMoment, expected.inputMoment, norms.input * norms.gradient)
        check("N", second.crossCovariance, expected.crossCovariance, norms.input * norms.remaining)
        #expect(agrees(first.gradientNorm, expected.gradientCovariance.trace, to: tolerance))
        let bottleneck = second.squares.reduce(0) { $0 + $1.sum } / Double(samples.count)
        #expect(abs(bottleneck - expected.bottleneck) <= tolerance * expected.bottleneck)
        switch first.overlap {
        case .exact(let found):
            #expect(plan.overlapIsExact && found.count == expected.overlap.count)
            for (found, expected) in zip(found, expected.overlap) {
                check("C", found, expected, norms.input * norms.hidden)
            }
        case .aligned(let input, let hidden):
            #expect(!plan.overlapIsExact)
            check("aligned C", input, expected.alignedInput, norms.input * norms.hidden)
            check("aligned S_H", hidden, expected.alignedHidden)
        case nil:
            Issue.record("no overlap")
        }
    }

    @Test(
        "agree with patches in Float64, for random windows, pools, channels and biases",
        arguments: SitePlan.Route.allCases, 0..<4)
    func randomGeometries(route: SitePlan.Route, block: Int) {
        for index in block * 25..<(block + 1) * 25 {
            var draw = Draw(index)
            let geometry = draw.geometry()
            let limit = draw.flag(3) ? 0 : SitePlan.exactOverlapBytes
            expectSums(
                SitePlan(geometry, needs: .all, route: route, overlapLimit: limit), index: index)
        }
    }
}
