package import Correlations
package import Tensors

/// What X and H of a site share, for the joint optimum: S̃ = S − Σ_e C_e S_H⁺ C_eᵀ.
///
/// Tap e of a new neuron adds ω_e α x_l(j,e) to output j. The part of it that Q's own patch h_j can follow has the
/// coefficients C_e S_H⁺, C_e = Σ_j x_l(j,e) h_jᵀ/n.
package enum SiteOverlap: Equatable, Sendable {
    /// C_e for every tap e, [a, b] each.
    case exact([Matrix])
    /// Where E a b is too large: x_l is compared with the hidden value at its own place only, with the same
    /// coefficients for every tap. With f_je = [h_l(j,e), 1]: `input` is Σ_je x_l(j,e) f_jeᵀ/n, [a, width + 1], and
    /// `hidden` is Σ_je f_je f_jeᵀ/n. The 1 stands last and only if Q has a bias.
    ///
    /// f_je is a part of h_j, so by least squares 0 ≤ S̃ exact ≤ S̃ aligned ≤ S: what is found is never more than there is.
    /// In the oracle's cases Σ λ̃² of the best three neurons is 0.60 to 1.00 of the exact optimum's (without any
    /// overlap, as published: 0.18 to 0.89); it is exact where Q is 1 x 1.
    case aligned(input: Matrix, hidden: Matrix)
    /// Of all producers and consumers of a residual width, which has the factors of its own consumers.
    indirect case blocks(WidthOverlap)

    /// What the first pass found; nil where it was not asked for.
    package init?(_ found: FirstPassMatrices) {
        guard let overlap = found.overlap else { return nil }
        self = found.alignedHidden.map { .aligned(input: overlap[0], hidden: $0) } ?? .exact(overlap)
    }

    /// Σ_e C_e S_H⁺ C_eᵀ, [a, a]: what is taken from S.
    ///
    /// - Parameters:
    ///   - consumer: the factor of S_H.
    ///   - threshold: relative, for the factor of `hidden`.
    package func explained(
        consumer: SemidefiniteFactor, threshold: Double
    ) throws(LinearAlgebraError) -> Matrix {
        switch self {
        case .exact(let taps):
            guard let first = taps.first else { return Matrix(rows: 0, columns: 0) }
            return taps.dropFirst().reduce(consumer.whitening(first.transposed).gram) {
                $0 + consumer.whitening($1.transposed).gram
            }
        case .aligned(let input, let hidden):
            return try SemidefiniteFactor(hidden, threshold: threshold).whitening(input.transposed).gram
        case .blocks(let blocks): return try blocks.explained(threshold: threshold)
        }
    }

    /// α C_e S_H⁺ for every neuron and tap, [k E, b], row neuron E + e; of a residual width, see ``WidthOverlap``.
    ///
    /// - Parameter fanIn: α, [k, a].
    package func compensation(
        of fanIn: Matrix, geometry: SiteGeometry, consumer: SemidefiniteFactor, threshold: Double
    ) throws(LinearAlgebraError) -> Matrix {
        let taps = geometry.taps
        var result = Matrix(rows: fanIn.rows * taps, columns: geometry.hiddenInputs)
        switch self {
        case .exact(let overlaps):
            for (tap, overlap) in overlaps.enumerated() {
                let found = consumer.solving(fanIn.times(overlap).transposed)
                for neuron in 0..<fanIn.rows {
                    for column in 0..<result.columns {
                        result[neuron * taps + tap, column] = found[column, neuron]
                    }
                }
            }
        case .blocks(let blocks): return try blocks.compensation(of: fanIn, threshold: threshold)
        case .aligned(let input, let hidden):
            let factor = try SemidefiniteFactor(hidden, threshold: threshold)
            let found = factor.solving(fanIn.times(input).transposed)
            for neuron in 0..<fanIn.rows {
                for tap in 0..<taps {
                    let place = geometry.consumerTap(tap)
                    for channel in 0..<geometry.width {
                        result[neuron * taps + tap, channel * geometry.consumer.taps + place] =
                            found[channel, neuron]
                    }
                    if geometry.consumerHasBias {
                        result[neuron * taps + tap, result.columns - 1] = found[geometry.width, neuron]
                    }
                }
            }
        }
        return result
    }
}

/// What the producers of a residual width share with what its consumers read already.
package struct WidthOverlap: Equatable, Sendable {
    /// Of one producer and one consumer.
    package struct Pair: Equatable, Sendable {
        let producer: Int
        let consumer: Int
        let overlap: SiteOverlap
        let geometry: SiteGeometry

        package init(producer: Int, consumer: Int, overlap: SiteOverlap, geometry: SiteGeometry) {
            self.producer = producer
            self.consumer = consumer
            self.overlap = overlap
            self.geometry = geometry
        }
    }

    /// Columns of a fan-in that belong to each producer.
    let inputs: [Range<Int>]
    /// Of each consumer's S_H.
    let factors: [SemidefiniteFactor]
    /// Consumer by consumer.
    let pairs: [Pair]

    package init(inputs: [Range<Int>], factors: [SemidefiniteFactor], pairs: [Pair]) {
        self.inputs = inputs
        self.factors = factors
        self.pairs = pairs
    }

    /// For each producer Σ_q Σ_e C_pqe S_Hq⁺ C_pqeᵀ, side by side along the diagonal.
    func explained(threshold: Double) throws(LinearAlgebraError) -> Matrix {
        let size = inputs.last?.upperBound ?? 0
        var result = Matrix(rows: size, columns: size)
        for pair in pairs {
            let found = try pair.overlap.explained(
                consumer: factors[pair.consumer], threshold: threshold)
            result.add(found, at: inputs[pair.producer].lowerBound, inputs[pair.producer].lowerBound)
        }
        return result
    }

    /// Σ_p α_p C_pqe S_Hq⁺ for every consumer, tap and hidden input side by side, [k, Σ_q E_q b_q].
    func compensation(of fanIn: Matrix, threshold: Double) throws(LinearAlgebraError) -> Matrix {
        var result = Matrix(rows: fanIn.rows, columns: 0)
        for (consumer, factor) in factors.enumerated() {
            var sum: Matrix?
            for pair in pairs where pair.consumer == consumer {
                let found = try pair.overlap.compensation(
                    of: fanIn.selecting(columns: inputs[pair.producer]), geometry: pair.geometry,
                    consumer: factor, threshold: threshold)
                sum = sum.map { $0 + found } ?? found
            }
            guard let sum else { continue }
            let columns = fanIn.rows > 0 ? sum.values.count / fanIn.rows : 0
            result = result.appending(
                columns: Matrix(rows: fanIn.rows, columns: columns, values: sum.values))
        }
        return result
    }
}

extension Matrix {
    /// Adds a smaller matrix from a row and a column on.
    package mutating func add(_ block: Matrix, at row: Int, _ column: Int) {
        for i in 0..<block.rows {
            for j in 0..<block.columns { self[row + i, column + j] += block[i, j] }
        }
    }
}
