import Correlations
import GrowthMath
import Tensors
import Testing

@testable import Growth

/// A case of Tests/Oracle with a consumer that is linear, or a convolution that reads neurons by its whole kernel.
enum RuleCase: Sendable, CustomTestStringConvertible {
    case linear(OracleCase)
    case convolution(ConvolutionCase)

    static let all =
        OracleCase.regular.map(RuleCase.linear)
        + ConvolutionCase.all.filter { $0.scheme == .full }.map(RuleCase.convolution)

    var testDescription: String {
        switch self {
        case .linear(let named): named.testDescription
        case .convolution(let named): named.testDescription
        }
    }

    func open() throws -> OpenRuleCase {
        switch self {
        case .linear(let named):
            let oracle = try named.open()
            return OpenRuleCase(
                problem: try oracle.problem(largest: 1), readings: [try oracle.producerInput],
                h: try oracle.consumerInput, gradient: try oracle.gradient, samples: oracle.samples.rows
            ) { neurons, amplitude in
                let grown = oracle.network.grown(oracle.layer, neurons, update: nil, amplitude: amplitude)
                return (grown.output(oracle.samples), grown.meanLoss(oracle.samples, oracle.target))
            }
        case .convolution(let named):
            let oracle = try named.open()
            return OpenRuleCase(
                problem: try oracle.problem(largest: 1), readings: oracle.readings,
                h: oracle.consumerInput, gradient: oracle.gradient, samples: oracle.images.samples
            ) { neurons, amplitude in
                let grown = oracle.network.grown(neurons, update: nil, amplitude: amplitude)
                return (
                    grown.forward(oracle.images).output, grown.meanLoss(oracle.images, oracle.target)
                )
            }
        }
    }
}

/// What a rule sees of a case, and what was summed for it, row by row.
struct OpenRuleCase {
    var problem: SiteProblem
    /// X_e, [rows, a], for every tap.
    let readings: [Matrix]
    /// H, [rows, b], and G, [rows, c].
    let h: Matrix
    let gradient: Matrix
    let samples: Int
    /// The network's outputs and mean loss with neurons at an amplitude.
    let grown: (NewNeurons, Double) -> (output: Matrix, loss: Double)

    /// Columns of a fan-in that are no biases.
    var inputs: [Int] { (0..<problem.producerWeights.columns).filter { !problem.biases.contains($0) } }

    /// Σ_e (X_e αᵀ)ᵀ (X_e βᵀ)/n: what the pre-activations of two sets of neurons have in common, as the consumer reads them.
    func common(_ some: Matrix, _ others: Matrix, of readings: [Matrix]) -> Matrix {
        let parts = readings.map {
            (1 / Double(samples)) * $0.timesTransposed(some).transposedTimes($0.timesTransposed(others))
        }
        return parts.dropFirst().reduce(parts[0], +)
    }
}
