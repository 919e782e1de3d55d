internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// Everything measured at one width, for every producer and every consumer behind it.
package struct WidthStatistics: Equatable, Sendable {
    /// What a consumer reads of a producer.
    package struct Pair: Equatable, Sendable {
        /// Among the width's producers and consumers.
        let producer: Int
        let consumer: Int
        var statistics: SiteStatistics
    }

    /// Consumer by consumer; each consumer has at least one.
    private(set) var pairs: [Pair]

    /// - Parameter routes: and what was measured of each, consumer by consumer.
    init(_ routes: [(route: Route, statistics: SiteStatistics)]) {
        pairs = []
        for (route, statistics) in routes {
            let own = statistics.times(Double(route.count))
            if let last = pairs.indices.last, pairs[last].producer == route.producer,
                pairs[last].consumer == route.consumer
            {
                pairs[last].statistics = pairs[last].statistics.adding(own)
            } else {
                pairs.append(Pair(producer: route.producer, consumer: route.consumer, statistics: own))
            }
        }
    }

    /// Ψ of each consumer, once it is measured.
    mutating func set(bottlenecks: [Double]) {
        for index in pairs.indices { pairs[index].statistics.bottleneck = bottlenecks[pairs[index].consumer] }
    }

    /// What is known of a consumer whatever it reads: S_H, M, δW*, Ψ, E.
    func consumer(_ index: Int) -> SiteStatistics {
        guard let pair = pairs.first(where: { $0.consumer == index }) else {
            preconditionFailure("consumer \(index) reads no producer")
        }
        return pair.statistics
    }

    private var consumerCount: Int { (pairs.last?.consumer ?? -1) + 1 }

    /// Σ Ψ and Σ ‖G‖²/n over the consumers.
    var bottleneck: Double { (0..<consumerCount).reduce(0) { $0 + consumer($1).bottleneck } }
    var gradientNorm: Double { (0..<consumerCount).reduce(0) { $0 + consumer($1).gradientNorm } }

    /// Σ_q S_pq.
    func inputCovariance(of producer: Int) -> Matrix? {
        pairs.filter { $0.producer == producer }.compactMap(\.statistics.inputCovariance)
            .sum
    }
}

extension SiteStatistics {
    /// The same where X is so many times what it was.
    fileprivate func times(_ factor: Double) -> SiteStatistics {
        guard factor != 1 else { return self }
        var result = self
        result.inputCovariance = inputCovariance.map { factor * factor * $0 }
        result.inputMoment = inputMoment.map { factor * $0 }
        result.crossCovariance = crossCovariance.map { factor * $0 }
        result.overlap = overlap?.times(factor)
        return result
    }

    /// Where X is the sum of two inputs, whose correlation S leaves out.
    fileprivate func adding(_ other: SiteStatistics) -> SiteStatistics {
        var result = self
        func sum(_ statistic: KeyPath<SiteStatistics, Matrix?>) -> Matrix? {
            [self[keyPath: statistic], other[keyPath: statistic]].compactMap { $0 }.sum
        }
        result.inputCovariance = sum(\.inputCovariance)
        result.inputMoment = sum(\.inputMoment)
        result.crossCovariance = sum(\.crossCovariance)
        if let own = overlap, let others = other.overlap { result.overlap = own.adding(others) }
        return result
    }
}

extension [Matrix] {
    /// nil for none.
    fileprivate var sum: Matrix? { first.map { dropFirst().reduce($0) { $0 + $1 } } }
}

extension SiteOverlap {
    /// The same where X is so many times what it was.
    func times(_ factor: Double) -> SiteOverlap {
        switch self {
        case .exact(let taps): .exact(taps.map { factor * $0 })
        case .aligned(let input, let hidden): .aligned(input: factor * input, hidden: hidden)
        case .blocks: preconditionFailure("blocks are made of the overlaps of pairs")
        }
    }

    /// Where X is the sum of two inputs.
    fileprivate func adding(_ other: SiteOverlap) -> SiteOverlap {
        switch (self, other) {
        case (.exact(let own), .exact(let others)): .exact(zip(own, others).map { $0 + $1 })
        case (.aligned(let own, let hidden), .aligned(let others, _)):
            .aligned(input: own + others, hidden: hidden)
        default: preconditionFailure("overlaps of different kinds")
        }
    }
}
