import Growth
import GrowthMath
import Tensors

/// A well-conditioned S [a, a] and an N [a, c] of falling singular values, as large layers have them.
func syntheticProblem(inputs: Int, outputs: Int) -> (covariance: Matrix, cross: Matrix) {
    var random = Philox(seed: 2, purpose: .growth)
    let rank = 256
    let left = Matrix(rows: inputs, columns: rank, widening: random.normal(inputs * rank, deviation: 1))
    let right = Matrix(rows: rank, columns: outputs, widening: random.normal(rank * outputs, deviation: 1))
    var covariance = left.outerGram
    for index in 0..<inputs { covariance[index, index] += 50 }
    let falling = (0..<rank).map { 1 / Double(1 + $0) }
    return (covariance, left.scaling(columns: falling).times(right))
}

/// Seconds to find 32 neurons from S and N: factor, and leading directions.
func secondsOfSolve(_ problem: (covariance: Matrix, cross: Matrix)) throws -> Double {
    try secondsOf {
        let factor = try SemidefiniteFactor(problem.covariance, threshold: 1e-6)
        _ = try LeadingNeurons(
            crossCovariance: problem.cross, taps: 1, input: factor, threshold: 1e-4, limit: 32)
    }
}
