package import Correlations
package import GrowthMath
package import Tensors

extension SiteStatistics {
    /// All statistics in Float64 from whole matrices: the reference that streaming sums are compared with. It is itself
    /// compared with the oracle, and no stage runs it.
    ///
    /// - Parameters:
    ///   - readings: X_e, [rows, a], for every tap e, ones last if the producer has a bias.
    ///   - consumerInput: H, [rows, b], ones last if the consumer has a bias.
    ///   - functionalGradient: G, [rows, c], per sample (no 1/n).
    package init(
        _ geometry: SiteGeometry, readings: [Matrix], consumerInput: Matrix, functionalGradient: Matrix,
        thresholds: Thresholds = Thresholds()
    ) throws(LinearAlgebraError) {
        let samples = functionalGradient.rows / geometry.output.count
        let perSample = 1 / Double(samples)
        let consumerCovariance = perSample * consumerInput.gram
        let consumerMoment = perSample * consumerInput.transposedTimes(functionalGradient)
        let bestUpdate = try BestUpdate(
            covariance: consumerCovariance, moment: consumerMoment, threshold: thresholds.rank)
        let remaining = bottleneckGradient(
            functionalGradient, input: consumerInput, update: bestUpdate.weights)
        func moments(_ gradient: Matrix) -> Matrix {
            byTap(readings.map { perSample * $0.transposedTimes(gradient) })
        }
        self.init(
            samples: samples, geometry: geometry, consumerCovariance: consumerCovariance,
            consumerMoment: consumerMoment, gradientNorm: perSample * functionalGradient.squaredNorm,
            bestUpdate: bestUpdate, bottleneck: perSample * remaining.squaredNorm,
            inputCovariance: perSample * readings.dropFirst().reduce(readings[0].gram) { $0 + $1.gram },
            overlap: .exact(readings.map { perSample * $0.transposedTimes(consumerInput) }),
            inputMoment: moments(functionalGradient), crossCovariance: moments(remaining),
            gradientCovariance: perSample * functionalGradient.gram)
    }

    /// The same for two linear layers: X, [n, a].
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

extension CandidateMoments {
    /// The definition that measured moments are compared with, in Float64 from whole matrices; rows are the consumer's positions of all samples.
    ///
    /// - Parameters:
    ///   - features: F, [rows, 2 k E].
    ///   - consumerInput: H, [rows, b].
    ///   - functionalGradient: G, [rows, c].
    ///   - samples: n.
    package init(
        features: Matrix, consumerInput: Matrix, functionalGradient: Matrix, taps: Int, samples: Int
    ) {
        let perSample = 1 / Double(samples)
        self.init(
            gradient: perSample * features.transposedTimes(functionalGradient),
            covariance: perSample * features.gram,
            overlap: perSample * features.transposedTimes(consumerInput), taps: taps)
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

/// Whether two numbers, lists or matrices agree to 1e-9 of the largest value expected, or of 1.
package func agrees(_ found: Double, _ expected: Double, to tolerance: Double = 1e-9) -> Bool {
    abs(found - expected) <= tolerance * max(abs(expected), 1)
}

package func agrees(_ found: [Double], _ expected: [Double], to tolerance: Double = 1e-9) -> Bool {
    let scale = max(expected.map(abs).max() ?? 0, 1)
    return found.count == expected.count
        && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance * scale }
}

package func agrees(_ found: Matrix, _ expected: Matrix, to tolerance: Double = 1e-9) -> Bool {
    found.rows == expected.rows && found.columns == expected.columns
        && agrees(found.values, expected.values, to: tolerance)
}
