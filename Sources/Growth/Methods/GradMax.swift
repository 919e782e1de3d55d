package import Correlations
package import GrowthMath
internal import Tensors

/// New neurons that do nothing yet but get the largest gradient: fan-in 0, fan-out along the leading singular
/// vectors of E[G Xᵀ] (Evci et al., "GradMax", ICLR 2022).
///
/// With α = 0 the function is kept; ‖dL/dα‖ is largest for ω in the leading left singular vectors.
package struct GradMax: GrowthMethod {
    package static let name = "gradmax"
    package static let summary = "fan-in 0, fan-out with the largest gradient (GradMax)"

    /// How long the fan-outs are.
    package enum Length: Equatable, Sendable {
        /// This many times the mean norm of the existing neurons' fan-outs.
        case meanNorm(Double)
        /// Norm 1.
        case unit
    }

    /// The norm of each new fan-out.
    package var length: Length
    /// Whether the gradient of the bias counts too. The published code leaves it out.
    package var countsBias: Bool

    package init(length: Length = .meanNorm(1), countsBias: Bool = false) {
        self.length = length
        self.countsBias = countsBias
    }

    package var needs: StatisticsNeeds { [.inputMoment] }
    package var placement: Placement { .asProposed }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        let moment = try site.require(\.inputMoment, "XᵀG", for: Self.self)
        let inputs = (0..<moment.rows).filter { countsBias || !site.biases.contains($0) }
        let leading = try LeadingNeurons(
            crossCovariance: moment.selecting(rows: inputs), taps: site.statistics.taps, input: nil,
            scaling: .unit,
            threshold: site.thresholds.singularValue, limit: limit)
        let scale =
            switch length {
            case .meanNorm(let part):
                part * site.fanOutScale * site.meanFanOutNorm(for: leading.neurons.count)
            case .unit: 1.0
            }
        var fanIn = Matrix(rows: leading.neurons.count, columns: moment.rows)
        if site.slopes.left == 0 {
            for neuron in 0..<fanIn.rows {
                for bias in site.biases { fanIn[neuron, bias] = NewNeurons.silentBias }
            }
        }
        return Proposal(
            neurons: NewNeurons(fanIn: fanIn, fanOut: scale * leading.neurons.fanOut),
            singularValues: leading.singularValues)
    }
}
