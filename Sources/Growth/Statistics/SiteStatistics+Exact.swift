package import Tensors

extension SiteStatistics {
    /// All statistics in Float64 from whole matrices: the definition that the streaming collector is tested
    /// against, itself tested against the oracle.
    ///
    /// - Parameters:
    ///   - producerInput: X, [n, a], ones last if the producer has a bias.
    ///   - consumerInput: H, [n, b], ones last if the consumer has a bias.
    ///   - functionalGradient: G, [n, c], per sample (no 1/n).
    package init(
        producerInput: Matrix, consumerInput: Matrix, functionalGradient: Matrix,
        producerHasBias: Bool = true,
        consumerHasBias: Bool = true, thresholds: Thresholds = Thresholds()
    ) throws(LinearAlgebraError) {
        let perSample = 1 / Double(functionalGradient.rows)
        samples = functionalGradient.rows
        self.producerHasBias = producerHasBias
        self.consumerHasBias = consumerHasBias
        consumerCovariance = perSample * consumerInput.gram
        consumerMoment = perSample * consumerInput.transposedTimes(functionalGradient)
        gradientNorm = perSample * functionalGradient.squaredNorm
        bestUpdate = try BestUpdate(
            covariance: consumerCovariance, moment: consumerMoment, threshold: thresholds.rank)
        let remaining = bottleneckGradient(
            functionalGradient, input: consumerInput, update: bestUpdate.weights)
        bottleneck = perSample * remaining.squaredNorm
        inputCovariance = perSample * producerInput.gram
        overlap = perSample * producerInput.transposedTimes(consumerInput)
        inputMoment = perSample * producerInput.transposedTimes(functionalGradient)
        crossCovariance = perSample * producerInput.transposedTimes(remaining)
        gradientCovariance = perSample * functionalGradient.gram
    }
}

/// The part of the functional gradient that no change of the consumer's weights can follow.
///
/// G⊥ = G − H δW*ᵀ, so that Hᵀ G⊥ = 0 (TINY, the projected functional gradient).
///
/// - Parameters:
///   - gradient: G, [n, c], per sample (no 1/n).
///   - input: H, [n, b], ones last if the layer has a bias.
///   - update: δW*, [c, b].
/// - Returns: G⊥, [n, c].
/// - Complexity: 2nbc FLOPs, one product.
package func bottleneckGradient(_ gradient: Matrix, input: Matrix, update: Matrix) -> Matrix {
    gradient - input.timesTransposed(update)
}
