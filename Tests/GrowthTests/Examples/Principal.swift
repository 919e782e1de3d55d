import Correlations
import GrowthMath
import Parameters
import Tensors

@testable import Growth

/// Neurons along the leading directions of the input's covariance, with fan-out 0: the function is kept.
struct Principal: GrowthMethod {
    static let kind = "principal"

    /// The norm of a new fan-in.
    var length = 1.0

    static let schema = Schema(
        Self(), .field("length", \.length, .real(in: 0...1000), "norm of a new fan-in"))

    var needs: StatisticsNeeds { [.inputCovariance] }
    var placement: Placement { .asProposed }

    func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        let leading = try LeadingNeurons(
            crossCovariance: site.require(\.inputCovariance, "S", for: Self.self), input: nil, scaling: .unit,
            threshold: site.thresholds.singularValue, limit: limit)
        let fanIn = length * leading.neurons.fanIn
        let fanOut = Matrix(rows: site.consumerWeights.rows, columns: fanIn.rows * site.consumerTaps)
        return Proposal(neurons: NewNeurons(fanIn: fanIn, fanOut: fanOut))
    }
}
