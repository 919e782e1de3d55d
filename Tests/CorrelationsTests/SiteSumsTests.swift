import GrowthReference
import Tensors
import TestSupport
import Testing

@testable import Correlations

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
                    let kinds: [SiteGeometry.Pool] = [
                        .average(window), .max(window), .middle(window), .global,
                    ]
                    let pool = kinds[random.integer(below: kinds.count)]
                    pools.append(pool)
                    read = pool == .global ? Extent(square: 1) : after
                }
                if flag(6) { consumer = Window(kernel: read) }
                guard consumer.positions(over: read) != nil else { continue }
                let geometry = SiteGeometry(
                    inChannels: among([1, 2, 3, 5, 26]), image: image, producer: producer,
                    producerHasBias: flag(2), width: among([1, 2, 3, 4, 25]), pools: pools,
                    consumer: consumer,
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
        let sums = SiteSums(plan, samples, update: update, chunks: [1, 2], shards: 1 + index % 2)
        let (first, second) = (sums.first, sums.second)
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
        let overlaps = plan.overlapIsExact ? expected.overlap : [expected.alignedInput]
        #expect(first.overlap?.count == overlaps.count)
        for (found, expected) in zip(first.overlap ?? [], overlaps) {
            check("C", found, expected, norms.input * norms.hidden)
        }
        #expect((first.alignedHidden == nil) == plan.overlapIsExact)
        if let found = first.alignedHidden { check("aligned S_H", found, expected.alignedHidden) }
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
                SitePlan(geometry, needs: .all, route: route, overlapLimit: limit), index: index,
                // Shifts where they do not belong, one position by many frequencies, lose a digit.
                to: route == .shifts ? 2e-6 : 1e-6)
        }
    }

    @Test("over candidates agree with Float64 chunk by chunk", arguments: SitePlan.Route.allCases)
    func candidates(route: SitePlan.Route) {
        for index in 0..<40 {
            var draw = Draw(index)
            var geometry = draw.geometry()
            geometry.inChannels = draw.among([2, 4, 6])
            // What is between does not matter to images that stand where Q reads.
            let place = SiteGeometry(
                inChannels: geometry.inChannels, image: geometry.read,
                producer: Window(kernel: Extent(square: 1)), producerHasBias: false, width: geometry.width,
                consumer: geometry.consumer, consumerHasBias: true, outChannels: geometry.outChannels,
                scheme: geometry.scheme)
            let sums = FeatureSums(place, channels: place.inChannels, route: route)
            let side = PatchSide(taps: place.taps, channels: place.inChannels, hasOnes: false)
            let update = update(place)
            let tolerance = route == .shifts ? 2e-6 : 1e-6
            for chunk in 0..<2 {
                let samples = SiteSamples(place, count: 2 + chunk, index: 2 * index + chunk)
                let expected = ReferenceSums(place, samples, update: update)
                sums.add(rows: samples.count, features: samples.x, h: samples.h, g: samples.g)
                let found = sums.takePart()
                let scale = 1 / Double(samples.count)
                let gradient = Matrix(
                    found.gradient, rows: side,
                    columns: PatchSide(taps: 1, channels: place.outChannels, hasOnes: false), ones: [],
                    onesAcross: [], corner: 0, times: scale)
                let overlap = Matrix(
                    found.overlap, rows: side,
                    columns: PatchSide(taps: place.consumer.taps, channels: place.width, hasOnes: true),
                    ones: [], onesAcross: found.ones, corner: 0, times: scale)
                let norms = (
                    features: expected.inputCovariance.trace.squareRoot(),
                    hidden: expected.consumerCovariance.trace.squareRoot(),
                    gradient: expected.gradientCovariance.trace.squareRoot()
                )
                for tap in 0..<place.taps {
                    let rows = (0..<place.inChannels).map { $0 * place.taps + tap }
                    let columns = (0..<place.outChannels).map { $0 * place.taps + tap }
                    let off = [
                        error(
                            gradient.selecting(rows: rows), expected.inputMoment.selecting(columns: columns),
                            atLeast: norms.features * norms.gradient),
                        error(
                            overlap.selecting(rows: rows), expected.overlap[tap],
                            atLeast: norms.features * norms.hidden),
                    ]
                    #expect(off.allSatisfy { $0 <= tolerance }, "off by \(off) for \(place)")
                }
            }
        }
    }

    @Test("over candidates add up the same by shifts and from patches")
    func candidateCovariance() throws {
        for scheme in SiteGeometry.Scheme.allCases {
            var geometry = large()
            geometry.scheme = scheme
            let samples = SiteSamples(geometry, count: 5, index: 3)
            let covariances = [SitePlan.Route.shifts, .patches].map { route in
                let parts = (0..<2).map { _ in FeatureSums(geometry, channels: 4, route: route) }
                let features = Array(samples.x.prefix(5 * geometry.read.count * 4))
                parts[0].add(rows: 3, features: features, h: samples.h, g: samples.g)
                _ = parts[0].takePart()
                parts[0].add(rows: 1, features: features, h: samples.h, g: samples.g)
                parts[1].add(rows: 2, features: features, h: samples.h, g: samples.g)
                let side = 4 * geometry.taps
                return Matrix(rows: side, columns: side, values: FeatureSums.covariance(parts))
            }
            #expect(error(covariances[0], covariances[1]) < 1e-6)
            #expect(covariances[1].squaredNorm > 0)
        }
    }

    private func large() -> SiteGeometry {
        let window = Window(kernel: Extent(square: 3), padding: Extent(square: 1))
        return SiteGeometry(
            inChannels: 5, image: Extent(12, 11), producer: window, producerHasBias: true, width: 6,
            consumer: window, consumerHasBias: true, outChannels: 4)
    }

    @Test("the same chunks give the same bits on any thread", arguments: SitePlan.Route.allCases)
    func threads(route: SitePlan.Route) throws {
        let geometry = large()
        let samples = SiteSamples(geometry, count: 90, index: 0)
        let update = update(geometry)
        let found = ResultSlots<SiteSums>(count: 3)
        try WorkerTeam.run(3) { worker in
            let plan = SitePlan(geometry, needs: .all, route: route)
            found.set(
                worker, SiteSums(plan, samples, update: update, chunks: [30, 41, 3, 16], shards: 2))
        }
        for other in found.values.dropFirst() {
            #expect(other.first == found.values[0].first)
            #expect(other.second == found.values[0].second)
        }
    }

    @Test("other chunks and shards change rounding alone")
    func chunks() throws {
        let geometry = large()
        let samples = SiteSamples(geometry, count: 90, index: 0)
        let update = update(geometry)
        for route in SitePlan.Route.allCases {
            let plan = SitePlan(geometry, needs: [.inputCovariance, .crossCovariance], route: route)
            let one = SiteSums(plan, samples, update: update, chunks: [90])
            let many = SiteSums(plan, samples, update: update, chunks: [7, 83])
            let shards = SiteSums(plan, samples, update: update, chunks: [7, 33, 50], shards: 3)
            for other in [many, shards] {
                #expect(error(other.first.inputCovariance, try #require(one.first.inputCovariance)) < 1e-6)
                #expect(error(other.second.crossCovariance, try #require(one.second.crossCovariance)) < 1e-5)
            }
        }
    }
}
