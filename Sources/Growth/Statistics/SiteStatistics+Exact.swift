internal import Networks
package import Tensors

extension SiteStatistics {
    /// All statistics in Float64 from whole matrices: the definition that the streaming sums are tested
    /// against, itself tested against the oracle.
    ///
    /// - Parameters:
    ///   - readings: X_e, [rows, a], for every tap e, ones last if the producer has a bias.
    ///   - consumerInput: H, [rows, b], ones last if the consumer has a bias.
    ///   - functionalGradient: G, [rows, c], per sample (no 1/n).
    package init(
        _ geometry: SiteGeometry, readings: [Matrix], consumerInput: Matrix, functionalGradient: Matrix,
        thresholds: Thresholds = Thresholds()
    ) throws(LinearAlgebraError) {
        self.geometry = geometry
        samples = functionalGradient.rows / geometry.output.count
        let perSample = 1 / Double(samples)
        consumerCovariance = perSample * consumerInput.gram
        consumerMoment = perSample * consumerInput.transposedTimes(functionalGradient)
        gradientNorm = perSample * functionalGradient.squaredNorm
        bestUpdate = try BestUpdate(
            covariance: consumerCovariance, moment: consumerMoment, threshold: thresholds.rank)
        let remaining = bottleneckGradient(
            functionalGradient, input: consumerInput, update: bestUpdate.weights)
        bottleneck = perSample * remaining.squaredNorm
        inputCovariance =
            perSample * readings.dropFirst().reduce(readings[0].gram) { $0 + $1.gram }
        overlap = .exact(readings.map { perSample * $0.transposedTimes(consumerInput) })
        func moments(_ gradient: Matrix) -> Matrix {
            byTap(readings.map { perSample * $0.transposedTimes(gradient) })
        }
        inputMoment = moments(functionalGradient)
        crossCovariance = moments(remaining)
        gradientCovariance = perSample * functionalGradient.gram
    }

    /// The same for the site between two linear layers: X, [n, a].
    package init(
        producerInput: Matrix, consumerInput: Matrix, functionalGradient: Matrix,
        producerHasBias: Bool = true, consumerHasBias: Bool = true, thresholds: Thresholds = Thresholds()
    ) throws(LinearAlgebraError) {
        try self.init(
            SiteGeometry(
                inputs: producerInput.columns - (producerHasBias ? 1 : 0), producerHasBias: producerHasBias,
                width: consumerInput.columns - (consumerHasBias ? 1 : 0), consumerHasBias: consumerHasBias,
                outputs: functionalGradient.columns),
            readings: [producerInput], consumerInput: consumerInput, functionalGradient: functionalGradient,
            thresholds: thresholds)
    }
}

/// The part of the functional gradient that no change of the consumer's weights can follow.
///
/// G⊥ = G − H δW*ᵀ at every position, so that Hᵀ G⊥ = 0 (TINY, the projected functional gradient).
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
