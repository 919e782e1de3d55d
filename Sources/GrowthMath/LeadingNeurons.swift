package import Tensors

/// The leading directions along which new neurons follow a gradient.
package struct LeadingNeurons: Equatable, Sendable {
    /// The neurons above the threshold, by falling λ.
    package let neurons: NewNeurons
    /// λ_k of ``neurons``.
    package let singularValues: [Double]
    /// All singular values, also those that do not count; of large problems only the leading ones, `limit` of them.
    package let spectrum: [Double]

    /// How α and ω share a singular value.
    package enum Scaling: String, CaseIterable, Sendable {
        /// √λ_k on each side: the neurons' linear activity is the best approximation itself.
        case root
        /// 1 on each side: directions only.
        case unit
    }

    /// The neurons α_k = √λ_k S^{-1/2} u_k, ω_k = √λ_k v_k of S^{-1/2} N = U Λ Vᵀ (TINY, proposition 3.2).
    ///
    /// With S⁺ = B Bᵀ any square root gives the same neurons: Bᵀ N = U' Λ Vᵀ, α_k = √λ_k B u'_k. B comes from a
    /// Cholesky factor, so no eigendecomposition of S is needed; the SVD costs in proportion to the smaller
    /// side squared. (The eigendecomposition of Nᵀ S⁺ N would cost the same and lose half the digits.) Where few neurons
    /// are wanted of many, only the leading part is computed, and Bᵀ N is never multiplied out. v_k, of c E entries, holds
    /// ω_k for every tap.
    ///
    /// - Parameters:
    ///   - crossCovariance: N, [a, c E].
    ///   - taps: E.
    ///   - input: B Bᵀ = S⁺, [a, a]; nil for S = 1.
    ///   - output: a root of E⁺, [c, c], that whitens the other side, tap by tap; nil for none.
    ///   - threshold: a λ counts if above this part of the largest.
    ///   - limit: at most this many neurons.
    package init(
        crossCovariance: Matrix, taps: Int = 1, input: SemidefiniteFactor?,
        output: SemidefiniteFactor? = nil,
        scaling: Scaling = .root, threshold: Double, limit: Int = .max
    ) throws(LinearAlgebraError) {
        let decomposition = try LeadingNeurons.decomposition(
            crossCovariance, input, output.map { TapFactor(factor: $0, taps: taps) }, limit)
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

    /// From this smaller side on, and for so many times fewer neurons than that, only a leading part is computed.
    private static let largeSide = 512
    private static let fewOfMany = 6

    /// Bᵀ N B' = U Λ Vᵀ, in whole or its leading part.
    private static func decomposition(
        _ crossCovariance: Matrix, _ input: SemidefiniteFactor?, _ output: TapFactor?, _ limit: Int
    ) throws(LinearAlgebraError) -> SingularValueDecomposition {
        let rows = input?.rank ?? crossCovariance.rows
        let columns = output?.rank ?? crossCovariance.columns
        if min(rows, columns) >= largeSide, limit <= min(rows, columns) / fewOfMany {
            let map = LinearMap(rows: rows, columns: columns) { right in
                let product = crossCovariance.times(output.map { $0.unwhitening(right) } ?? right)
                return input.map { $0.whitening(product) } ?? product
            } applyTransposed: { left in
                let product = crossCovariance.transposedTimes(input.map { $0.unwhitening(left) } ?? left)
                return output.map { $0.whitening(product) } ?? product
            }
            if let leading = try map.leadingSingularValues(limit) { return leading }
        }
        var whitened = input.map { $0.whitening(crossCovariance) } ?? crossCovariance
        if let output { whitened = output.whitening(whitened.transposed).transposed }
        return try whitened.singularValueDecomposition()
    }
}

/// A root of E⁺ that acts on every tap of [c E, m] alike.
private struct TapFactor {
    let factor: SemidefiniteFactor
    let taps: Int

    var rank: Int { factor.rank * taps }

    func whitening(_ matrix: Matrix) -> Matrix { byTap(matrix) { factor.whitening($0) } }
    func unwhitening(_ matrix: Matrix) -> Matrix { byTap(matrix) { factor.unwhitening($0) } }

    /// Rows item · E + tap become columns of their item, and back.
    private func byTap(_ matrix: Matrix, _ body: (Matrix) -> Matrix) -> Matrix {
        guard taps > 1 else { return body(matrix) }
        let inside = body(matrix.transposed.tapsToRows(taps).transposed)
        return inside.transposed.tapsToColumns(taps).transposed
    }
}
