internal import Tensors

/// TINY whitened on both sides by the empirical covariances: P = S^{-1/2} N E^{-1/2}, ω ← E^{-1/2} ω.
///
/// The consumer's update is E⁺ Mᵀ S_H⁺, and N is what remains of the gradient after that update, as in the
/// K-FAC-like variant of the gromo library. E = GᵀG/n.
package struct Fisher: GrowthMethod {
    package static let name = "fisher"
    package static let summary = "TINY preconditioned by the covariance of the gradient"

    package init() {}

    package var needs: StatisticsNeeds { [.inputCovariance, .overlap, .inputMoment, .gradientCovariance] }
    package var placement: Placement { .searched }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        let threshold = site.thresholds.rank
        let overlap = try site.require(\.overlap, "C", for: Self.self)
        let input = try SemidefiniteFactor(
            site.require(\.inputCovariance, "S", for: Self.self), threshold: threshold)
        let gradient = try SemidefiniteFactor(
            site.require(\.gradientCovariance, "E", for: Self.self), threshold: threshold)
        let update = gradient.solving(site.statistics.bestUpdate.weights)
        let remaining =
            try site.require(\.inputMoment, "XᵀG", for: Self.self) - overlap.timesTransposed(update)
        let leading = try LeadingNeurons(
            crossCovariance: remaining, input: input, output: gradient,
            threshold: site.thresholds.singularValue, limit: limit)
        return Proposal(neurons: leading.neurons, singularValues: leading.singularValues, update: update)
    }
}
