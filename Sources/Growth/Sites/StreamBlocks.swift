internal import Correlations
internal import Foundation
internal import GrowthMath
internal import Networks
internal import Tensors

/// Where the matrices of a stream's producers and consumers lie in those of the site that stands for it.
struct StreamBlocks {
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
    private let rooms: [Range<Int>]
    /// What each X_p is divided by: a power of two near the root of its largest mean square.
    private let scales: [Double]

    init(_ stream: GrowthStream, of network: Network, statistics: StreamStatistics?) {
        let weights = stream.consumers.map(network.inputWeights)
        allTaps = stream.consumerTaps(in: network.architecture)
        let taps =
            statistics.map { statistics in
                stream.consumers.indices.map { statistics.consumer($0).taps }
            } ?? allTaps
        self.taps = taps
        inputs = stream.producers.map { network.extendedWeights(of: $0).columns }.ranges
        outputs = zip(weights, taps).map { $0.rows * $1 }.ranges
        allOutputs = zip(weights, allTaps).map { $0.rows * $1 }.ranges
        rooms =
            taps.indices.map { consumer in
                statistics.map { taps[consumer] * $0.consumer(consumer).geometry.hiddenInputs } ?? 0
            }.ranges
        scales = stream.producers.indices.map { producer in
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
    func room(in compensation: Matrix, for consumer: Int) -> Matrix {
        let room = rooms[consumer]
        let rows = compensation.rows * taps[consumer]
        guard rows > 0 else { return Matrix(rows: 0, columns: room.count / max(taps[consumer], 1)) }
        return Matrix(
            rows: rows, columns: room.count / taps[consumer],
            values: compensation.selecting(columns: room).values)
    }

    /// The statistics of the site: those of all pairs, block by block; of consumers it has none. Empty where nothing was
    /// measured.
    func siteStatistics(_ statistics: StreamStatistics?, width: Int) throws -> SiteStatistics {
        let (a, c) = (inputs.last?.upperBound ?? 0, outputs.last?.upperBound ?? 0)
        let empty = Matrix(rows: width, columns: width)
        let moment = Matrix(rows: width, columns: c)
        var result = SiteStatistics(
            samples: statistics?.consumer(0).samples ?? 1,
            geometry: SiteGeometry(
                inputs: a, producerHasBias: false, width: width, consumerHasBias: false, outputs: c),
            consumerCovariance: empty, consumerMoment: moment, gradientNorm: statistics?.gradientNorm ?? 0,
            bestUpdate: try BestUpdate(covariance: empty, moment: moment, threshold: 1),
            bottleneck: statistics?.bottleneck ?? 0)
        guard let statistics else { return result }
        result.inputCovariance = inputCovariance(statistics)
        result.inputMoment = moments(statistics, \.inputMoment)
        result.crossCovariance = moments(statistics, \.crossCovariance)
        result.gradientCovariance = gradientCovariance(statistics)
        result.overlap = overlap(statistics)
        return result
    }

    private func inputCovariance(_ statistics: StreamStatistics) -> Matrix? {
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
        _ statistics: StreamStatistics, _ moment: KeyPath<SiteStatistics, Matrix?>
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
    private func gradientCovariance(_ statistics: StreamStatistics) -> Matrix? {
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

    private func overlap(_ statistics: StreamStatistics) -> SiteOverlap? {
        let pairs = statistics.pairs.compactMap { pair in
            pair.statistics.overlap.map {
                StreamOverlap.Pair(
                    producer: pair.producer, consumer: pair.consumer,
                    overlap: $0.times(1 / scales[pair.producer]), geometry: pair.statistics.geometry)
            }
        }
        guard pairs.count == statistics.pairs.count else { return nil }
        return .stream(
            StreamOverlap(
                inputs: inputs, factors: taps.indices.map { statistics.consumer($0).bestUpdate.factor },
                pairs: pairs))
    }
}

extension [Int] {
    /// So many each, one after the other.
    fileprivate var ranges: [Range<Int>] {
        var first = 0
        return map { count in
            defer { first += count }
            return first..<first + count
        }
    }
}
