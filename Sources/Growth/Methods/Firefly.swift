package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// The neurons of unit norm along which the loss falls fastest (Wu et al., "Firefly Neural Architecture Descent", NeurIPS
/// 2020, sections 2.1 and 2.2), as far as statistics tell.
///
/// The paper adds ε σ(x; δ) with a gate ε and ‖δ‖ ≤ 1, takes steps of gradient descent on δ and keeps the neurons with the
/// largest |∂L/∂ε|. While σ is linear ∂L/∂ε = −⟨XᵀG/n, αᵀω⟩, and these steps end at the leading singular vectors of XᵀG:
/// no neuron with ‖α‖ = ‖ω‖ = 1 has more than σ₁, and none orthogonal to the first k has more than σ_{k+1}. What kinks and
/// maxima make of ∂L/∂ε is measured of each neuron for either sign, as of all that are searched; γ is the gate.
package struct Firefly: GrowthMethod {
    package static let kind = "firefly"

    package var taps = SiteGeometry.Scheme.full

    package static let schema = Schema(
        Self(), .field("taps", \.taps, .choice, SiteGeometry.Scheme.help))

    package var needs: StatisticsNeeds { [.inputMoment] }
    package var placement: Placement { .searched }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        let leading = try LeadingNeurons(
            crossCovariance: site.require(\.inputMoment, "XᵀG", for: Self.self), taps: site.statistics.taps,
            input: nil, scaling: .unit, threshold: site.thresholds.singularValue, limit: limit)
        return Proposal(neurons: leading.neurons, singularValues: leading.singularValues)
    }
}
