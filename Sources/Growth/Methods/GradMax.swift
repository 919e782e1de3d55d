package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// New neurons that do nothing yet but get the largest gradient: fan-in 0, fan-out along the leading singular
/// vectors of E[G Xᵀ] (Evci et al., "GradMax", ICLR 2022).
///
/// With α = 0 the function is kept; ‖dL/dα‖ is largest for ω in the leading left singular vectors.
package struct GradMax: GrowthMethod {
    package static let kind = "gradmax"

    /// What the norm of a new fan-out is measured in.
    package enum Unit: String, CaseIterable, Sendable {
        /// The mean norm of the existing neurons' fan-outs.
        case mean
        case one
    }

    /// The norm of each new fan-out, in this unit.
    package var scale = 1.0
    package var unit = Unit.mean
    /// Whether the gradient of the bias counts too. The published code leaves it out.
    package var countsBias = false
    package var taps = SiteGeometry.Scheme.full

    package static let schema = Schema(
        Self(),
        .scale(\.scale),
        .field(
            "unit", \.unit, .choice, "what scale is relative to: the mean norm of existing fan-outs, or one"),
        .field("counts-bias", \.countsBias, .boolean, "whether the gradient of the bias counts"),
        .field("taps", \.taps, .choice, SiteGeometry.Scheme.help))

    package var needs: StatisticsNeeds { [.inputMoment] }
    package var placement: Placement { .asProposed }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        let moment = try site.require(\.inputMoment, "XᵀG", for: Self.self)
        let inputs = (0..<moment.rows).filter { countsBias || !site.biases.contains($0) }
        let leading = try LeadingNeurons(
            crossCovariance: moment.selecting(rows: inputs), taps: site.statistics.taps, input: nil,
            scaling: .unit,
            threshold: site.thresholds.singularValue, limit: limit)
        let norm =
            switch unit {
            case .mean: scale * site.meanFanOutNorm(for: leading.neurons.count)
            case .one: scale
            }
        var fanIn = Matrix(rows: leading.neurons.count, columns: moment.rows)
        if site.slopes.left == 0 {
            for neuron in 0..<fanIn.rows {
                for bias in site.biases { fanIn[neuron, bias] = NewNeurons.silentBias }
            }
        }
        return Proposal(
            neurons: NewNeurons(fanIn: fanIn, fanOut: norm * leading.neurons.fanOut),
            singularValues: leading.singularValues)
    }
}
