package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// TINY preconditioned on both sides by the empirical covariances, a K-FAC step for the new neurons:
/// P = S^{-1/2} N E^{-1/2}, ω ← E^{-1/2} ω, with E = GᵀG/n; the consumer moves by E⁺ Mᵀ S_H⁺ = E⁺ δW*.
/// With several taps E^{-1/2} acts on each: the covariance of the gradient is taken to be the same for all.
package struct Fisher: GrowthMethod {
    package static let kind = "fisher"

    /// What the neurons follow.
    package enum Target: String, CaseIterable, Sendable {
        /// N = XᵀG⊥/n: what no update of the consumer can follow.
        case bottleneck
        /// Xᵀ(G − H δW_Fᵀ)/n with the preconditioned update, as the gromo library has it. Where E is small the update
        /// is large, and the neurons mostly undo it.
        case afterOwnUpdate = "after-own-update"
    }

    package var target = Target.bottleneck
    package var taps = SiteGeometry.Scheme.full

    package static let schema = Schema(
        Self(),
        .field(
            "target", \.target, .choice, "what neurons follow: N, or what the preconditioned update leaves"),
        .field("taps", \.taps, .choice, SiteGeometry.Scheme.help))

    package var needs: StatisticsNeeds {
        switch target {
        case .bottleneck: [.inputCovariance, .crossCovariance, .gradientCovariance]
        case .afterOwnUpdate: [.inputCovariance, .overlap, .inputMoment, .gradientCovariance]
        }
    }
    package var placement: Placement { .searched }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        let threshold = site.thresholds.rank
        let input = try SemidefiniteFactor(
            site.require(\.inputCovariance, "S", for: Self.self), threshold: threshold)
        let gradient = try SemidefiniteFactor(
            site.require(\.gradientCovariance, "E", for: Self.self), threshold: threshold)
        let update = gradient.solving(site.statistics.bestUpdate.weights)
        let leading = try LeadingNeurons(
            crossCovariance: crossCovariance(site, update), taps: site.statistics.taps, input: input,
            output: gradient,
            threshold: site.thresholds.singularValue, limit: limit)
        return Proposal(neurons: leading.neurons, singularValues: leading.singularValues, update: update)
    }

    private func crossCovariance(_ site: SiteProblem, _ update: Matrix) throws -> Matrix {
        switch target {
        case .bottleneck:
            return try site.require(\.crossCovariance, "N", for: Self.self)
        case .afterOwnUpdate:
            let overlap = try site.require(\.overlap, "C", for: Self.self)
            guard case .exact(let taps) = overlap else {
                throw GrowthError.missingStatistic(name: "C", method: Self.kind)
            }
            let followed = byTap(taps.map { $0.timesTransposed(update) })
            return try site.require(\.inputMoment, "XᵀG", for: Self.self) - followed
        }
    }
}
