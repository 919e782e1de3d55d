package import Tensors

/// The best fan-out and consumer update for neurons whose fan-in and signs are fixed.
///
/// For a kinked activation the linear solution is not optimal once the kink is felt: the activities that
/// neurons really have to first order are z = σ₀(αx). Over (δW, ω) this is again linear least squares,
/// min ‖G − H δWᵀ − Z ωᵀ‖², with the Schur complement Z̃ = ZᵀZ/n − ZᵀH/n S_H⁺ HᵀZ/n:
/// ω = (Z̃⁺ (ZᵀG − ZᵀH δW*ᵀ)/n)ᵀ and K = ZᵀH/n S_H⁺.
package struct Refit: Equatable, Sendable {
    /// The neurons with ω refitted, K attached, and norms of α and ω balanced.
    package let neurons: NewNeurons
    /// The exact first-order decrease of the loss along (δW, ω), per unit of γ: ‖projection of G‖²/n.
    package let decrease: Double

    /// - Parameters:
    ///   - chosen: m neurons out of the k that `moments` was measured for.
    ///   - threshold: a pivot of Z̃ counts if above this part of the largest of ZᵀZ/n.
    package init(
        _ chosen: SignedNeurons, moments: RectifiedMoments, slopes: SlopesAtZero, bestUpdate: BestUpdate,
        threshold: Double
    ) throws(LinearAlgebraError) {
        let features = chosen.features(of: moments.count, slopes: slopes)
        let covariance = features.transposedTimes(moments.covariance.times(features))
        let overlap = features.transposedTimes(moments.overlap)
        let moment = features.transposedTimes(moments.gradient) - overlap.timesTransposed(bestUpdate.weights)

        let schur = schurComplement(covariance, overlap: overlap, consumer: bestUpdate.factor)
        let factor = try SemidefiniteFactor(schur, threshold: threshold, scale: covariance.largestDiagonal)
        let fanOut = factor.solving(moment).transposed
        let compensation = bestUpdate.factor.solving(overlap.transposed).transposed
        decrease = bestUpdate.decrease + fanOut.transposed.inner(moment)
        neurons = Refit.balanced(
            NewNeurons(fanIn: chosen.neurons.fanIn, fanOut: fanOut, compensation: compensation),
            activity: (0..<covariance.rows).map { covariance[$0, $0].squareRoot() })
    }

    /// Pivots of Z̃ under this part of the largest of ZᵀZ/n are left out: activities that H all but holds.
    package static let threshold = 1e-6

    /// The same function with the root mean square activity of each neuron equal to the norm of its fan-out.
    private static func balanced(_ neurons: NewNeurons, activity: [Double]) -> NewNeurons {
        let shares = zip(neurons.fanOut.columnNorms, activity).map { fanOut, activity in
            fanOut > 0 && activity > 0 ? (fanOut / activity).squareRoot() : 1
        }
        let inverse = shares.map { 1 / $0 }
        return NewNeurons(
            fanIn: neurons.fanIn.scaling(rows: shares), fanOut: neurons.fanOut.scaling(columns: inverse),
            compensation: neurons.compensation?.scaling(rows: shares))
    }
}
