package import Correlations
package import Tensors

/// Everything measured at one growth site: sums over samples and positions, divided by the number of samples.
///
/// Rows are the consumer's output positions of all samples, one per sample for a linear consumer. H [rows, b] is what the
/// consumer reads there, G = −dL_i/d(consumer's output) [rows, c], without 1/n. X_e [rows, a] is what a new neuron's tap
/// e would read if all between the layers were linear: the producer's input at the hidden position that tap e sees, zero
/// where that lies outside the image. Patches are channel-major, and a 1 is appended last where the layer has a bias.
/// A row or column of an input and a tap is input · E + tap.
package struct SiteStatistics: Equatable, Sendable {
    /// n.
    package var samples: Int
    /// How X, H and G lie to one another.
    package var geometry: SiteGeometry

    /// S_H = HᵀH/n, [b, b]; empty where the width is 0 and there is no bias.
    package var consumerCovariance: Matrix
    /// M = HᵀG/n, [b, c].
    package var consumerMoment: Matrix
    /// ‖G‖²/n.
    package var gradientNorm: Double
    /// δW* and its decrease.
    package var bestUpdate: BestUpdate
    /// Ψ = ‖G⊥‖²/n, with G⊥ = G − H δW*ᵀ.
    package var bottleneck: Double

    /// S = Σ_e X_eᵀX_e/n, [a, a].
    package var inputCovariance: Matrix?
    /// C_e = X_eᵀH/n, or what stands for it where that is too large.
    package var overlap: SiteOverlap?
    /// X_eᵀG/n, [a, c E].
    package var inputMoment: Matrix?
    /// N_e = X_eᵀG⊥/n, [a, c E].
    ///
    /// Precision: sums of Float32 products in another order are off by 1e-6 to 3e-6 of ‖XᵀG/n‖, the moment that N is taken
    /// from, not of ‖N‖: where δW* follows most of G, N is a small part of it and known to so many digits less.
    package var crossCovariance: Matrix?
    /// E = GᵀG/n, [c, c].
    package var gradientCovariance: Matrix?

    package init(
        samples: Int, geometry: SiteGeometry, consumerCovariance: Matrix, consumerMoment: Matrix,
        gradientNorm: Double, bestUpdate: BestUpdate, bottleneck: Double, inputCovariance: Matrix? = nil,
        overlap: SiteOverlap? = nil, inputMoment: Matrix? = nil, crossCovariance: Matrix? = nil,
        gradientCovariance: Matrix? = nil
    ) {
        self.samples = samples
        self.geometry = geometry
        self.consumerCovariance = consumerCovariance
        self.consumerMoment = consumerMoment
        self.gradientNorm = gradientNorm
        self.bestUpdate = bestUpdate
        self.bottleneck = bottleneck
        self.inputCovariance = inputCovariance
        self.overlap = overlap
        self.inputMoment = inputMoment
        self.crossCovariance = crossCovariance
        self.gradientCovariance = gradientCovariance
    }

    /// E: the taps through which the consumer is thought to read new neurons.
    package var taps: Int { geometry.taps }

    /// Ψ / (‖G‖²/n): the part of the functional gradient that the architecture keeps from being followed, 0...1.
    package var relativeBottleneck: Double { gradientNorm > 0 ? bottleneck / gradientNorm : 0 }
}

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
