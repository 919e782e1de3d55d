package import Tensors

/// What candidate neurons do to first order, for either sign, from one pass over the samples.
///
/// With z = X αᵀ [n, k], the features F = [max(z, 0), min(z, 0)] [n, 2k] carry the neuron for any slopes and
/// either sign: σ₀(z) = r max(z, 0) + l min(z, 0) and σ₀(−z) = −l max(z, 0) − r min(z, 0).
package struct RectifiedMoments: Equatable, Sendable {
    /// FᵀG/n, [2k, c].
    package var gradient: Matrix
    /// FᵀF/n, [2k, 2k].
    package var covariance: Matrix
    /// FᵀH/n, [2k, b].
    package var overlap: Matrix

    package init(gradient: Matrix, covariance: Matrix, overlap: Matrix) {
        self.gradient = gradient
        self.covariance = covariance
        self.overlap = overlap
    }

    /// The definition, in Float64 from whole matrices.
    ///
    /// - Parameters:
    ///   - producerInput: X, [n, a].
    ///   - consumerInput: H, [n, b].
    ///   - functionalGradient: G, [n, c].
    ///   - fanIn: α, [k, a].
    package init(producerInput: Matrix, consumerInput: Matrix, functionalGradient: Matrix, fanIn: Matrix) {
        let perSample = 1 / Double(functionalGradient.rows)
        let activity = producerInput.timesTransposed(fanIn)
        let features = activity.mapping { max($0, 0) }.appending(columns: activity.mapping { min($0, 0) })
        gradient = perSample * features.transposedTimes(functionalGradient)
        covariance = perSample * features.gram
        overlap = perSample * features.transposedTimes(consumerInput)
    }

    /// k.
    package var count: Int { gradient.rows / 2 }
}

/// How fast the loss falls, to first order and exactly (kink included), when a neuron is added; per unit of γ.
package struct NeuronGains: Equatable, Sendable {
    /// Of (α_k, ω_k): ⟨G, σ₀(X α_k) ω_kᵀ⟩/n.
    package let plus: [Double]
    /// Of (−α_k, −ω_k).
    package let minus: [Double]
    /// Of the neuron if σ had its right slope everywhere: what the published rule counts.
    package let linear: [Double]

    package init(plus: [Double], minus: [Double], linear: [Double]) {
        self.plus = plus
        self.minus = minus
        self.linear = linear
    }

    /// - Parameters:
    ///   - gradient: FᵀG, [2k, c], over all samples or part of them.
    ///   - fanOut: ω, [c, k], of the candidates that the moments were taken for.
    package init(_ gradient: Matrix, fanOut: Matrix, slopes: SlopesAtZero) {
        let count = gradient.rows / 2
        func inner(_ feature: Int, _ neuron: Int) -> Double {
            (0..<fanOut.rows).reduce(0) { $0 + gradient[feature, $1] * fanOut[$1, neuron] }
        }
        let positive = (0..<count).map { inner($0, $0) }
        let negative = (0..<count).map { inner(count + $0, $0) }
        plus = zip(positive, negative).map { slopes.right * $0 + slopes.left * $1 }
        minus = zip(positive, negative).map { slopes.left * $0 + slopes.right * $1 }
        linear = zip(positive, negative).map { slopes.right * ($0 + $1) }
    }
}
