package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// The rule as published: first δW*, then the neurons that best follow what δW* leaves.
///
/// S^{-1/2} N = U Λ Vᵀ, α_k = √λ_k S^{-1/2} u_k, ω_k = √λ_k v_k (Verbockhaven et al., "Growing Tiny Networks",
/// TMLR 2024, proposition 3.2).
package struct Tiny: GrowthMethod {
    package static let kind = "tiny"

    /// Whether the neurons follow G⊥ (as published) or the whole gradient G.
    package var isProjected = true
    /// Whether α and ω carry √λ_k (as published) or are unit directions.
    package var scaling = LeadingNeurons.Scaling.root
    package var taps = SiteGeometry.Scheme.full

    package static let schema = Schema(
        Self(),
        .field(
            "projected", \.isProjected, .boolean,
            "follow what the consumer's update leaves, or the whole gradient"),
        .field("size", \.scaling, .choice, "α and ω carry the root of λ, or are unit directions"),
        .field("taps", \.taps, .choice, SiteGeometry.Scheme.help))

    package var needs: StatisticsNeeds {
        [.inputCovariance, isProjected ? .crossCovariance : .inputMoment]
    }
    package var placement: Placement { .searched }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        let target =
            if isProjected {
                try site.require(\.crossCovariance, "N", for: Self.self)
            } else {
                try site.require(\.inputMoment, "XᵀG", for: Self.self)
            }
        let covariance = try site.require(\.inputCovariance, "S", for: Self.self)
        let leading = try LeadingNeurons(
            crossCovariance: target, taps: site.statistics.taps,
            input: SemidefiniteFactor(covariance, threshold: site.thresholds.rank),
            scaling: scaling, threshold: site.thresholds.singularValue, limit: limit)
        return Proposal(
            neurons: leading.neurons, singularValues: leading.singularValues,
            update: site.statistics.bestUpdate.weights)
    }
}
