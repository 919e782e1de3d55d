package import Tensors

/// The best fan-out and consumer update for neurons whose fan-in and signs are fixed.
///
/// For a kinked activation the linear solution is not optimal once the kink is felt, nor for a consumer with several taps,
/// since they overlap: the activities that neurons really have to first order are φ(αx), read by every tap. Over (δW, ω)
/// this is again linear least squares, min ‖G − H δWᵀ − Z ωᵀ‖² with Z of m E columns, and with the Schur complement Z̃ = ZᵀZ/n − ZᵀH/n S_H⁺ HᵀZ/n:
/// ω = (Z̃⁺ (ZᵀG − ZᵀH δW*ᵀ)/n)ᵀ and K = ZᵀH/n S_H⁺.
package struct Refit: Equatable, Sendable {
    /// The neurons with ω refitted and K attached.
    package let neurons: NewNeurons
    /// The exact first-order decrease of the loss along (δW, ω), per unit of γ: ‖projection of G‖²/n.
    package let decrease: Double
    /// The root mean square activity of each neuron, over what taps read.
    let activity: [Double]

    /// - Parameters:
    ///   - chosen: m neurons out of the k that `moments` was measured for.
    ///   - threshold: a pivot of Z̃ counts if above this part of the largest of ZᵀZ/n.
    package init(
        _ chosen: SignedNeurons, moments: CandidateMoments, bestUpdate: BestUpdate, threshold: Double
    ) throws(LinearAlgebraError) {
        let features = chosen.features(of: moments)
        let covariance = moments.covariance.selecting(rows: features).selecting(columns: features)
        let overlap = moments.overlap.selecting(rows: features)
        let moment =
            moments.gradient.selecting(rows: features) - overlap.timesTransposed(bestUpdate.weights)

        let schur = covariance - bestUpdate.factor.whitening(overlap.transposed).gram
        let factor = try SemidefiniteFactor(schur, threshold: threshold, scale: covariance.largestDiagonal)
        let fanOut = factor.solving(moment).transposed
        let compensation = bestUpdate.factor.solving(overlap.transposed).transposed
        decrease = bestUpdate.decrease + fanOut.transposed.inner(moment)
        neurons = NewNeurons(fanIn: chosen.neurons.fanIn, fanOut: fanOut, compensation: compensation)
        activity = (0..<covariance.rows).map { covariance[$0, $0].squareRoot() }
            .norms(ofEach: moments.taps)
    }

    /// Pivots of Z̃ under this part of the largest of ZᵀZ/n are left out: activities that H all but holds.
    package static let threshold = 1e-6
}

extension [Refit] {
    /// The neurons of all consumers that read them: the same functions with the root mean square activity of each neuron equal to the norm of its fan-out, both over
    /// all consumers.
    package var balanced: [NewNeurons] {
        func overall(_ numbers: (Refit) -> [Double]) -> [Double] {
            let each = map(numbers)
            return each[0].indices.flatMap { neuron in each.map { $0[neuron] } }.norms(ofEach: count)
        }
        let shares = zip(overall(\.neurons.fanOutNorms), overall(\.activity)).map { fanOut, activity in
            fanOut > 0 && activity > 0 ? (fanOut / activity).squareRoot() : 1
        }
        return map { $0.neurons.scaling(fanIn: shares, fanOut: shares.map { 1 / $0 }) }
    }
}
