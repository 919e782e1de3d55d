/// An image of every sample, positions before channels.
enum SampleImage: Hashable, CaseIterable {
    /// X, H and G.
    case input, hidden, gradient
}

/// What is summed over samples and positions: left · rightᵀ of two images, through their taps.
enum Statistic: CaseIterable, Sendable {
    case consumerCovariance, consumerMoment, inputCovariance, inputMoment, overlap

    var left: SampleImage {
        switch self {
        case .consumerCovariance, .consumerMoment: .hidden
        case .inputCovariance, .inputMoment, .overlap: .input
        }
    }

    var right: SampleImage {
        switch self {
        case .consumerCovariance, .overlap: .hidden
        case .consumerMoment, .inputMoment: .gradient
        case .inputCovariance: .input
        }
    }

    var isSymmetric: Bool { left == right }
}

/// A way of summing statistics of one site in one shard. Used by one thread.
protocol StatisticSums: AnyObject {
    /// Adds samples.
    func add(rows: Int, _ image: (SampleImage) -> UnsafePointer<Float>)

    /// A statistic so far, as ``total(_:of:)`` gives it; begins again at 0.
    func take(_ statistic: Statistic) -> [[Double]]?

    /// A statistic over all parts, in their order: tap-major, one matrix for each neuron tap or one in all; nil where it is
    /// not summed in this way.
    static func total(_ statistic: Statistic, of parts: [Self]) -> [[Double]]?
}

/// A part of a sum over pairs of positions (p, q) along one axis.
enum LagTerm: Hashable {
    /// All pairs with p − q = lag.
    case lag(Int)
    /// One pair.
    case pair(p: Int, q: Int)

    var distance: Int {
        switch self {
        case .lag(let lag): lag
        case .pair(let p, let q): p - q
        }
    }

    /// The same with p and q exchanged.
    var swapped: LagTerm {
        switch self {
        case .lag(let lag): .lag(-lag)
        case .pair(let p, let q): .pair(p: q, q: p)
        }
    }
}

/// One block of a statistic along one axis: Σ_q w(q) left[q + lag] right[q]ᵀ, for one pair of taps.
///
/// Windows that move in steps of 1 make w constant but for a few places at the borders, so the sum is w times the
/// one over all pairs plus corrections for single pairs: many blocks share the few sums over all pairs.
struct LagBlock: Sendable {
    /// Which of several matrices, and which tap of its rows and columns.
    let slot: Int
    let row: Int
    let column: Int
    /// The phases of the left and the right image, by their place in the axis.
    let phases: (left: Int, right: Int)
    let terms: [(term: LagTerm, factor: Double)]

    /// - Parameter weights: w(q) for every place q of the right image whose partner q + lag is in the left one.
    init(
        slot: Int = 0, row: Int, column: Int = 0, phases: (left: Int, right: Int) = (0, 0), lag: Int,
        weights: [(q: Int, weight: Double)]
    ) {
        self.slot = slot
        self.row = row
        self.column = column
        self.phases = phases
        var counts: [Double: Int] = [:]
        for place in weights { counts[place.weight, default: 0] += 1 }
        // The most frequent weight, the smaller of equals: no order of a hash table.
        let common = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 0
        var terms: [(term: LagTerm, factor: Double)] = common == 0 ? [] : [(.lag(lag), common)]
        for place in weights where place.weight != common {
            terms.append((.pair(p: place.q + lag, q: place.q), place.weight - common))
        }
        self.terms = terms
    }
}

/// All blocks of a statistic along one axis.
struct LagAxis: Sendable {
    var left: Int
    var right: Int
    var blocks: [LagBlock]
    var slots = 1
    var rowTaps: Int
    var columnTaps = 1
    /// Phases of the images: each is so many images whose channels stand one after the other.
    var phases = (left: 1, right: 1)

    /// The weights of a block: `weight(q)` for every q of the right image with q + lag in the left one.
    static func weights(
        _ left: Int, _ right: Int, lag: Int, _ weight: (Int) -> Double
    ) -> [(q: Int, weight: Double)] {
        (0..<right).filter { (0..<left).contains($0 + lag) }.map { ($0, weight($0)) }
    }

    /// The shortest period at which lags do not alias.
    var period: Int {
        let lags = blocks.flatMap(\.terms).map(\.term.distance)
        return max(1, left - (lags.min() ?? 0), right + (lags.max() ?? 0))
    }
}

extension LagAxis {
    /// S, S_H or a part of it: Σ_l w(l) x_l y_lᵀ over windows that two images share, tap by tap.
    ///
    /// - Parameters:
    ///   - taps: those of the left image that count; `columnTaps` of the right one.
    ///   - phases: of both images.
    static func covariance(
        length: Int, taps: [Int], columnTaps: [Int]? = nil, phases: [Int] = [0], shift: SiteAxis.Shift,
        weights: [Int]
    ) -> LagAxis {
        let columnTaps = columnTaps ?? taps
        var blocks: [LagBlock] = []
        for (row, i) in taps.enumerated() {
            for (column, j) in columnTaps.enumerated() {
                let lag = shift.offset(of: i) - shift.offset(of: j)
                let found = LagAxis.weights(length, length, lag: lag) { q in
                    let place = q - shift.offset(of: j)
                    return weights.indices.contains(place) ? Double(weights[place]) : 0
                }
                blocks.append(
                    LagBlock(
                        row: row, column: column,
                        phases: (phases.place(of: i, shift), phases.place(of: j, shift)), lag: lag,
                        weights: found))
            }
        }
        return LagAxis(
            left: length, right: length, blocks: blocks, rowTaps: taps.count, columnTaps: columnTaps.count,
            phases: (phases.count, phases.count))
    }

    /// M, or the aligned overlap: Σ_l w(l) x_l y(l)ᵀ.
    static func moment(
        left: Int, right: Int, taps: [Int], phases: [Int] = [0], shift: SiteAxis.Shift, weights: [Int]
    ) -> LagAxis {
        let blocks = taps.enumerated().map { row, tap in
            let lag = shift.offset(of: tap)
            return LagBlock(
                row: row, phases: (phases.place(of: tap, shift), 0), lag: lag,
                weights: LagAxis.weights(left, right, lag: lag) { Double(weights[$0]) })
        }
        return LagAxis(
            left: left, right: right, blocks: blocks, rowTaps: taps.count, phases: (phases.count, 1))
    }

    /// N: Σ_j x_l(j,e) g_jᵀ for every tap of P and of the neurons.
    static func inputMoment(_ axis: SiteAxis, producer: SiteAxis.Shift, consumer: SiteAxis.Shift) -> LagAxis {
        let phases = axis.phases
        var blocks: [LagBlock] = []
        for i in 0..<axis.producerTaps {
            for (e, tap) in axis.neuronTaps.enumerated() {
                let lag = producer.offset(of: i) + consumer.offset(of: tap)
                let weights = LagAxis.weights(axis.phaseLength, axis.output, lag: lag) {
                    (0..<axis.read).contains($0 + consumer.offset(of: tap)) ? 1 : 0
                }
                blocks.append(
                    LagBlock(
                        row: i, column: e, phases: (phases.place(of: i, producer), 0), lag: lag,
                        weights: weights))
            }
        }
        return LagAxis(
            left: axis.phaseLength, right: axis.output, blocks: blocks, rowTaps: axis.producerTaps,
            columnTaps: axis.neuronTaps.count, phases: (phases.count, 1))
    }

    /// C_e: Σ_j x_l(j,e) h_jᵀ for every neuron tap e, tap of P and tap of Q.
    static func overlap(_ axis: SiteAxis, producer: SiteAxis.Shift, consumer: SiteAxis.Shift) -> LagAxis {
        let phases = axis.phases
        var blocks: [LagBlock] = []
        for (e, tap) in axis.neuronTaps.enumerated() {
            for i in 0..<axis.producerTaps {
                for t in 0..<axis.consumerTaps {
                    let lag = producer.offset(of: i) + consumer.offset(of: tap) - consumer.offset(of: t)
                    let weights = LagAxis.weights(axis.phaseLength, axis.read, lag: lag) { q in
                        let position = q - consumer.offset(of: t)
                        let place = position + consumer.offset(of: tap)
                        return (0..<axis.output).contains(position) && (0..<axis.read).contains(place) ? 1 : 0
                    }
                    blocks.append(
                        LagBlock(
                            slot: e, row: i, column: t, phases: (phases.place(of: i, producer), 0), lag: lag,
                            weights: weights))
                }
            }
        }
        return LagAxis(
            left: axis.phaseLength, right: axis.read, blocks: blocks, slots: axis.neuronTaps.count,
            rowTaps: axis.producerTaps, columnTaps: axis.consumerTaps, phases: (phases.count, 1))
    }
}

extension [Int] {
    /// Where the phase that a tap reads stands among these.
    fileprivate func place(of tap: Int, _ shift: SiteAxis.Shift) -> Int {
        firstIndex(of: shift.phase(of: tap)) ?? 0
    }
}

/// A sum over pairs of positions of the plane.
struct PlaneTerm: Hashable {
    var rows: LagTerm
    var columns: LagTerm

    var swapped: PlaneTerm { PlaneTerm(rows: rows.swapped, columns: columns.swapped) }

    /// Whether this one of the two terms that are each other's transposes is computed.
    var isCanonical: Bool {
        rows.distance > 0 || rows.distance == 0 && columns.distance >= 0
    }
}

/// A statistic as sums over pairs of positions: which images stand left and right, and their taps and weights along rows
/// and columns.
struct Correlation: Sendable {
    let statistic: Statistic
    let rows: LagAxis
    let columns: LagAxis
    /// The terms that are computed: sums over all pairs in both directions first, then the others.
    let terms: [PlaneTerm]
    /// How many of them are sums over all pairs in both directions.
    let lagCount: Int

    init(_ statistic: Statistic, rows: LagAxis, columns: LagAxis) {
        self.statistic = statistic
        self.rows = rows
        self.columns = columns
        let isSymmetric = statistic.isSymmetric
        var (lags, others): ([PlaneTerm], [PlaneTerm]) = ([], [])
        var seen: Set<PlaneTerm> = []
        for row in Correlation.distinct(rows) {
            for column in Correlation.distinct(columns) {
                var term = PlaneTerm(rows: row, columns: column)
                if isSymmetric && !term.isCanonical { term = term.swapped }
                guard seen.insert(term).inserted else { continue }
                if case .lag = row, case .lag = column { lags.append(term) } else { others.append(term) }
            }
        }
        terms = lags + others
        lagCount = lags.count
    }

    private static func distinct(_ axis: LagAxis) -> [LagTerm] {
        var seen: Set<LagTerm> = []
        return axis.blocks.flatMap(\.terms).map(\.term).filter { seen.insert($0).inserted }
    }

    /// Whether left and right are the same image: half of the terms are then transposes of others.
    var isSymmetric: Bool { statistic.isSymmetric }
    var slots: Int { rows.slots * columns.slots }
    var rowTaps: Int { rows.rowTaps * columns.rowTaps }
    var columnTaps: Int { rows.columnTaps * columns.columnTaps }
}
