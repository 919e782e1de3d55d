package import Tensors

/// The leading directions along which new neurons follow a gradient.
package struct LeadingNeurons: Equatable, Sendable {
    /// The neurons above the threshold, by falling λ.
    package let neurons: NewNeurons
    /// λ_k of ``neurons``.
    package let singularValues: [Double]
    /// All singular values, also those that do not count.
    package let spectrum: [Double]

    /// How α and ω share a singular value.
    package enum Scaling: Sendable {
        /// √λ_k on each side: the neurons' linear activity is the best approximation itself.
        case root
        /// 1 on each side: directions only.
        case unit
    }

    /// The neurons α_k = √λ_k S^{-1/2} u_k, ω_k = √λ_k v_k of S^{-1/2} N = U Λ Vᵀ (TINY, proposition 3.2).
    ///
    /// With S⁺ = B Bᵀ any square root gives the same neurons: Bᵀ N = U' Λ Vᵀ, α_k = √λ_k B u'_k. B comes from a
    /// Cholesky factor, so no eigendecomposition of S is needed; the SVD costs in proportion to the smaller
    /// side squared. v_k, of c E entries, holds ω_k for every tap. (The eigendecomposition of Nᵀ S⁺ N would cost the same and lose half the digits.)
    ///
    /// - Parameters:
    ///   - crossCovariance: N, [a, c E].
    ///   - taps: E.
    ///   - input: B Bᵀ = S⁺, [a, a]; nil for S = 1.
    ///   - output: a root of E⁺, [c, c], that whitens the other side, tap by tap; nil for none.
    ///   - threshold: a λ counts if above this part of the largest.
    ///   - limit: at most this many neurons.
    package init(
        crossCovariance: Matrix, taps: Int, input: SemidefiniteFactor?, output: SemidefiniteFactor? = nil,
        scaling: Scaling = .root, threshold: Double, limit: Int = .max
    ) throws(LinearAlgebraError) {
        var whitened = input.map { $0.whitening(crossCovariance) } ?? crossCovariance
        if let output {
            whitened = output.whitening(whitened.tapsToRows(taps).transposed).transposed.tapsToColumns(taps)
        }
        let decomposition = try whitened.singularValueDecomposition()
        spectrum = decomposition.values
        let largest = spectrum.first ?? 0
        let kept = 0..<min(limit, spectrum.prefix { $0 > 0 && $0 >= threshold * largest }.count)
        singularValues = Array(spectrum[kept])

        let roots = singularValues.map { scaling == .root ? $0.squareRoot() : 1 }
        let left = decomposition.left.selecting(columns: kept)
        let right = decomposition.rightTransposed.selecting(rows: kept).tapsToRows(taps).transposed
        neurons =
            NewNeurons(
                fanIn: (input.map { $0.unwhitening(left) } ?? left).transposed,
                fanOut: output.map { $0.unwhitening(right) } ?? right
            ).scaling(fanIn: roots, fanOut: roots).withCanonicalSigns
    }
}
