package import Tensors

/// What the first pass over a site gives: sums over samples and positions, divided by the number of samples.
///
/// Columns and rows are channel-major as PyTorch unfolds patches, the 1 of a bias last.
package struct FirstPassMatrices: Equatable, Sendable {
    /// S_H = Σ_j h_j h_jᵀ, [b, b], over Q's output positions j.
    package var consumerCovariance: Matrix
    /// M = Σ_j h_j g_jᵀ, [b, c].
    package var consumerMoment: Matrix
    /// ‖G‖².
    package var gradientNorm: Double
    /// E = Σ_j g_j g_jᵀ, [c, c].
    package var gradientCovariance: Matrix?
    /// S = Σ_l mult(l) x_l x_lᵀ, [a, a]: mult(l) counts the pairs of output position and tap that read l.
    package var inputCovariance: Matrix?
    /// Σ_l x_l g_j(l,e)ᵀ, [a, c E], column c E + e: N without the projection.
    package var inputMoment: Matrix?
    /// C_e = Σ_j x_l(j,e) h_jᵀ for every tap e, [a, b] each; or alone, where that is too large, Σ_je x_l(j,e) f_jeᵀ,
    /// [a, width + 1], with f_je what Q reads at the place of its tap e, and a 1 if Q has a bias.
    package var overlap: [Matrix]?
    /// Σ_je f_je f_jeᵀ, [width + 1, width + 1]; nil where the overlap is known for every tap.
    package var alignedHidden: Matrix?
}

/// What the second pass over a site gives.
package struct SecondPassMatrices: Equatable, Sendable {
    /// N = Σ_l x_l g⊥_j(l,e)ᵀ / n, [a, c E], column c E + e.
    package var crossCovariance: Matrix?
    /// ‖G⊥‖² of each chunk, not divided, in the order of shards and of their chunks.
    package var squares: [(rows: Int, sum: Double)]

    package static func == (left: Self, right: Self) -> Bool {
        left.crossCovariance == right.crossCovariance && left.squares.elementsEqual(right.squares, by: ==)
    }
}

/// Which of the costly statistics a method needs; S_H, M, ‖G‖² and Ψ are always measured.
package struct StatisticsNeeds: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// S.
    package static let inputCovariance = StatisticsNeeds(rawValue: 1)
    /// C.
    package static let overlap = StatisticsNeeds(rawValue: 2)
    /// XᵀG/n.
    package static let inputMoment = StatisticsNeeds(rawValue: 4)
    /// N.
    package static let crossCovariance = StatisticsNeeds(rawValue: 8)
    /// E.
    package static let gradientCovariance = StatisticsNeeds(rawValue: 16)

    package static let all: StatisticsNeeds = [
        .inputCovariance, .overlap, .inputMoment, .crossCovariance, .gradientCovariance,
    ]
}
