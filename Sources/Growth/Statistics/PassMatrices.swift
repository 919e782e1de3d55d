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
    /// What X and H share.
    package var overlap: SiteOverlap?
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
