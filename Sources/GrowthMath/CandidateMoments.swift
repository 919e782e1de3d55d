package import Tensors

/// What candidate neurons do to first order, for either sign, from one pass over the samples.
///
/// With z = X αᵀ and φ the first order around 0 of what lies between the layers, the features F = [φ(z) | φ(−z)], as the
/// consumer's taps read them, are 2 k E columns: (half · k + neuron) · E + tap. φ is σ₀ for an activation; pooling takes
/// its maxima and means of them; a batch normalisation lets a new channel pass. φ(t z) = t φ(z) for t > 0, but a kink or a
/// maximum makes φ(−z) another function than −φ(z), so that both signs have features of their own.
package struct CandidateMoments: Equatable, Sendable {
    /// FᵀG/n, [2 k E, c].
    package var gradient: Matrix
    /// FᵀF/n, [2 k E, 2 k E].
    package var covariance: Matrix
    /// FᵀH/n, [2 k E, b].
    package var overlap: Matrix
    /// E.
    package var taps: Int

    package init(gradient: Matrix, covariance: Matrix, overlap: Matrix, taps: Int) {
        self.gradient = gradient
        self.covariance = covariance
        self.overlap = overlap
        self.taps = taps
    }

    /// k.
    package var count: Int { gradient.rows / (2 * taps) }
}

/// How fast the loss falls, to first order and exactly (kinks and maxima included), when a neuron is added; per unit of γ.
package struct NeuronGains: Equatable, Sendable {
    /// Of (α_k, ω_k): ⟨G, Σ_e φ(X α_k)_e ω_keᵀ⟩/n.
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

    /// Of neurons that several consumers read.
    package init(sumOf parts: [NeuronGains]) {
        func sum(_ gains: (NeuronGains) -> [Double]) -> [Double] {
            parts.dropFirst().reduce(gains(parts[0])) { zip($0, gains($1)).map(+) }
        }
        self.init(plus: sum(\.plus), minus: sum(\.minus), linear: sum(\.linear))
    }

    /// - Parameters:
    ///   - gradient: FᵀG, [2 k E, c], over all samples or part of them.
    ///   - neurons: the candidates that the moments were taken for.
    ///   - slopes: σ₀ between the layers, for `linear` alone.
    package init(_ gradient: Matrix, neurons: NewNeurons, slopes: SlopesAtZero) {
        let (taps, fanOut) = (neurons.taps, neurons.fanOut)
        precondition(
            gradient.rows == 2 * fanOut.columns && gradient.columns == fanOut.rows,
            "moments \(gradient.shape) are not of neurons with fan-out \(fanOut.shape)")
        func inner(_ half: Int, _ neuron: Int) -> Double {
            var sum = 0.0
            for tap in 0..<taps {
                let (column, row) = (neuron * taps + tap, half * fanOut.columns + neuron * taps + tap)
                for output in 0..<fanOut.rows { sum += gradient[row, output] * fanOut[output, column] }
            }
            return sum
        }
        plus = (0..<neurons.count).map { inner(0, $0) }
        minus = (0..<neurons.count).map { -inner(1, $0) }
        // For σ₀ with slopes r and l, φ(z) − φ(−z) = (r + l) z.
        let both = slopes.right + slopes.left
        let share = both > 0 ? slopes.right / both : 0
        linear = zip(plus, minus).map { share * ($0 + $1) }
    }
}

/// How fast the loss falls when a proposal is applied, to first order; all per unit of the amplitude γ.
package struct FirstOrderDecrease: Equatable, Sendable {
    /// Of the consumer's own move: ⟨M, δWᵀ⟩.
    package let update: Double
    /// Of the new neurons, exactly: the sum of their gains, kink included.
    package let neurons: Double

    /// The slope of the loss at γ = 0, with the sign turned.
    package var total: Double { update + neurons }

    package init(update: Matrix?, moment: Matrix, gains: [Double]) {
        self.update = update.map { $0.transposed.inner(moment) } ?? 0
        neurons = gains.reduce(0, +)
    }
}

/// A mean over samples that were summed in chunks, and how far it may be off.
package struct ChunkedMean {
    package let mean: Double
    /// The standard error of the mean, from the spread between chunks; 0 where there is only one.
    package let error: Double

    /// - Parameter chunks: rows and sum of each chunk.
    package init(_ chunks: [(rows: Int, sum: Double)]) {
        let total = Double(chunks.reduce(0) { $0 + $1.rows })
        let mean = total > 0 ? chunks.reduce(0) { $0 + $1.sum } / total : 0
        self.mean = mean
        guard chunks.count > 1 else {
            error = 0
            return
        }
        let spread = chunks.reduce(0) { sum, chunk in
            let share = (chunk.sum - Double(chunk.rows) * mean) / total
            return sum + share * share
        }
        error = (spread * Double(chunks.count) / Double(chunks.count - 1)).squareRoot()
    }
}
