package import Tensors

/// The best move of the consumer's weights at fixed architecture.
///
/// δW* = (S_H⁺ M)ᵀ minimises ‖G − H δWᵀ‖² over all δW (TINY, proposition 3.1); of minimum norm where S_H is
/// rank deficient.
package struct BestUpdate: Equatable, Sendable {
    /// δW*, [c, b].
    package let weights: Matrix
    /// tr(Mᵀ S_H⁺ M): how fast the loss falls along δW*, per unit of amplitude; ‖G‖²/n − Ψ.
    package let decrease: Double
    /// The factor of S_H, for further solves.
    package let factor: SemidefiniteFactor

    /// - Parameters:
    ///   - covariance: S_H, [b, b].
    ///   - moment: M, [b, c].
    ///   - threshold: relative, see ``Thresholds/rank``.
    package init(covariance: Matrix, moment: Matrix, threshold: Double) throws(LinearAlgebraError) {
        factor = try SemidefiniteFactor(covariance, threshold: threshold)
        let whitened = factor.whitening(moment)
        weights = factor.unwhitening(whitened).transposed
        decrease = whitened.squaredNorm
    }
}

/// What counts as zero, free of the units of inputs and loss.
package struct Thresholds: Equatable, Sendable {
    /// A pivot of a covariance counts if above this part of the largest.
    package var rank: Double
    /// A singular value counts if at least this part of the largest.
    package var singularValue: Double

    package init(rank: Double = SemidefiniteFactor.defaultThreshold, singularValue: Double = 1e-4) {
        self.rank = rank
        self.singularValue = singularValue
    }
}
