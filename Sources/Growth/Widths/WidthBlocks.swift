internal import Correlations
internal import Foundation
internal import GrowthMath
internal import Networks
internal import Tensors

/// Where the matrices of a residual width's producers and consumers lie in those of the one layer pair that methods see.
struct WidthBlocks {
    /// Columns of a fan-in, for each producer.
    let inputs: [Range<Int>]
    /// Rows of a fan-out that follows statistics, for each consumer.
    private let outputs: [Range<Int>]
    /// E of each consumer, of the statistics where there are any.
    private let taps: [Int]
    /// The same for all of a consumer's taps.
    private let allOutputs: [Range<Int>]
    let allTaps: [Int]
    /// Columns of a compensation, for each consumer.
    private let compensations: [Range<Int>]
    /// What each X_p is divided by: a power of two near the root of its largest mean square.
    private let scales: [Double]

    init(_ width: Width, of network: Network, statistics: WidthStatistics?) {
        let outputs = width.firstRoutes.map(\.geometry.outChannels)
        allTaps = width.consumerTaps
        let taps =
            statistics.map { statistics in
                width.consumers.indices.map { statistics.consumer($0).taps }
            } ?? allTaps
        self.taps = taps
        inputs = network.inputRanges(of: width.producers)
        self.outputs = zip(outputs, taps).map(*).ranges
        allOutputs = zip(outputs, allTaps).map(*).ranges
        compensations =
            taps.indices.map { consumer in
                statistics.map { taps[consumer] * $0.consumer(consumer).geometry.hiddenInputs } ?? 0
            }.ranges
        scales = width.producers.indices.map { producer in
            let largest = statistics?.inputCovariance(of: producer)?.largestDiagonal ?? 0
            return largest > 0 ? exp2((log2(largest) / 2).rounded()) : 1
        }
    }

    /// What α of the site is multiplied with, column by column, to be α of the producers.
    var unscaling: [Double] { zip(inputs, scales).flatMap { Array(repeating: 1 / $1, count: $0.count) } }

    /// ω of one consumer, [c, k E]: through the taps of the statistics, or through all where the method has so many.
    func share(of fanOut: Matrix, for consumer: Int) -> Matrix {
        let isWhole = fanOut.rows != outputs.last?.upperBound
        return fanOut.selecting(rows: (isWhole ? allOutputs : outputs)[consumer])
            .tapsToColumns((isWhole ? allTaps : taps)[consumer])
    }

    /// K of one consumer, [k E, b].
    func compensation(in compensation: Matrix, for consumer: Int) -> Matrix {
        let range = compensations[consumer]
        let rows = compensation.rows * taps[consumer]
        guard rows > 0 else { return Matrix(rows: 0, columns: range.count / max(taps[consumer], 1)) }
        return Matrix(
            rows: rows, columns: range.count / taps[consumer],
            values: compensation.selecting(columns: range).values)
    }

    /// The statistics of the site: those of all pairs, block by block; of consumers it has none. Empty where nothing was
    /// measured.
    func siteStatistics(_ statistics: WidthStatistics?, width: Int) throws -> SiteStatistics {
        let (a, c) = (inputs.last?.upperBound ?? 0, outputs.last?.upperBound ?? 0)
        var result = try SiteStatistics(
            unmeasured: SiteGeometry(
                inputs: a, producerHasBias: false, width: width, consumerHasBias: false, outputs: c))
        guard let statistics else { return result }
        result.samples = statistics.consumer(0).samples
        result.gradientNorm = statistics.gradientNorm
        result.bottleneck = statistics.bottleneck
        result.inputCovariance = inputCovariance(statistics)
        result.inputMoment = moments(statistics, \.inputMoment)
        result.crossCovariance = moments(statistics, \.crossCovariance)
        result.gradientCovariance = gradientCovariance(statistics)
        result.overlap = overlap(statistics)
        return result
    }

    private func inputCovariance(_ statistics: WidthStatistics) -> Matrix? {
        let size = inputs.last?.upperBound ?? 0
        var result = Matrix(rows: size, columns: size)
        for (producer, range) in inputs.enumerated() {
            guard let found = statistics.inputCovariance(of: producer) else { return nil }
            let scale = 1 / (scales[producer] * scales[producer])
            result.add(scale * found, at: range.lowerBound, range.lowerBound)
        }
        return result
    }

    /// N or XᵀG: a block for every pair.
    private func moments(
        _ statistics: WidthStatistics, _ moment: KeyPath<SiteStatistics, Matrix?>
    ) -> Matrix? {
        var result = Matrix(rows: inputs.last?.upperBound ?? 0, columns: outputs.last?.upperBound ?? 0)
        for pair in statistics.pairs {
            guard let found = pair.statistics[keyPath: moment] else { return nil }
            result.add(
                1 / scales[pair.producer] * found, at: inputs[pair.producer].lowerBound,
                outputs[pair.consumer].lowerBound)
        }
        return result
    }

    /// E of each consumer for every tap of it.
    private func gradientCovariance(_ statistics: WidthStatistics) -> Matrix? {
        let size = outputs.last?.upperBound ?? 0
        var result = Matrix(rows: size, columns: size)
        for (consumer, range) in outputs.enumerated() {
            guard let found = statistics.consumer(consumer).gradientCovariance else { return nil }
            let taps = taps[consumer]
            for row in 0..<found.rows {
                for column in 0..<found.columns {
                    for tap in 0..<taps {
                        result[range.lowerBound + row * taps + tap, range.lowerBound + column * taps + tap] =
                            found[row, column]
                    }
                }
            }
        }
        return result
    }

    private func overlap(_ statistics: WidthStatistics) -> SiteOverlap? {
        let pairs = statistics.pairs.compactMap { pair in
            pair.statistics.overlap.map {
                WidthOverlap.Pair(
                    producer: pair.producer, consumer: pair.consumer,
                    overlap: $0.times(1 / scales[pair.producer]), geometry: pair.statistics.geometry)
            }
        }
        guard pairs.count == statistics.pairs.count else { return nil }
        return .blocks(
            WidthOverlap(
                inputs: inputs, factors: taps.indices.map { statistics.consumer($0).bestUpdate.factor },
                pairs: pairs))
    }
}

extension SiteStatistics {
    /// What methods see that look at no data.
    init(unmeasured geometry: SiteGeometry) throws {
        let empty = Matrix(rows: 0, columns: 0)
        let moment = Matrix(rows: 0, columns: geometry.outChannels)
        self.init(
            samples: 1, geometry: geometry, consumerCovariance: empty, consumerMoment: moment,
            gradientNorm: 0,
            bestUpdate: try BestUpdate(covariance: empty, moment: moment, threshold: 1), bottleneck: 0)
    }
}
