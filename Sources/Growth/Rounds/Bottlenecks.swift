internal import Correlations
package import GrowthMath
package import Networks
package import Tensors

/// What compute-bottlenecks finds: how far the network is from what its gradient asks for, and which neurons would help.
package struct Bottlenecks: Equatable, Sendable {
    /// What they were measured for.
    package var change = ChangeKind.widen
    package var method: MethodParameters
    /// The growth round, from 1.
    package var round: Int
    /// Training samples measured.
    package var samples: Int
    /// Mean loss over them.
    package var loss: Double
    /// Floating-point operations spent.
    package var flops: Int
    /// Pivots of a covariance under this part of the largest counted as zero.
    package var rankThreshold: Double
    /// The other thresholds, and the parts that samples were summed in.
    package var singularThreshold = 1e-4
    package var shards = 2
    /// In the order of ``Width/all(in:)``.
    package var widths: [WidthBottleneck]
}

extension Bottlenecks {
    /// What candidates were proposed under.
    var thresholds: Thresholds {
        Thresholds(rank: rankThreshold, singularValue: singularThreshold)
    }
}

/// The bottleneck of one width, and the candidates for it.
package struct WidthBottleneck: Equatable, Sendable {
    /// The width's name: its first producer.
    package var width: String
    /// a of each producer: candidates' fan-ins are into all of them side by side.
    package var inputs: [Int]
    /// Of each layer that reads the width; candidates are the same for all.
    package var consumers: [ConsumerBottleneck]
    /// Of the candidates over all consumers; nil where there are none or their function is kept.
    package var gains: MeasuredGains?
    /// The raw statistics, where they are kept.
    package var statistics: WidthStatistics?

    /// The candidates, with the fan-outs of the first consumer.
    package var neurons: NewNeurons { consumers[0].proposal.neurons }

    /// Σ Ψ and Σ ‖G‖²/n over the consumers.
    package var bottleneck: Double { consumers.reduce(0) { $0 + $1.bottleneck } }
    package var gradientNorm: Double { consumers.reduce(0) { $0 + $1.gradientNorm } }
    /// Ψ / (‖G‖²/n), 0...1.
    package var relativeBottleneck: Double { gradientNorm > 0 ? bottleneck / gradientNorm : 0 }

    /// The standard error of Ψ; those of several consumers are added as if they were one.
    package var bottleneckError: Double {
        consumers.count == 1
            ? consumers[0].bottleneckError
            : consumers.reduce(0) { $0 + $1.bottleneckError * $1.bottleneckError }.squareRoot()
    }

    /// How fast the loss falls along the best updates of all consumers, per unit of amplitude.
    package var bestUpdateDecrease: Double { consumers.reduce(0) { $0 + $1.bestUpdateDecrease } }

    /// The exact first-order decrease of the loss if all candidates were added, each with its better sign, together
    /// with the updates; per unit of γ.
    package var predictedDecrease: Double {
        guard let gains else { return 0 }
        let updates = consumers.reduce(0) { sum, consumer in
            sum
                + FirstOrderDecrease(
                    update: consumer.proposal.consumerUpdate(with: consumer.proposal.neurons),
                    moment: consumer.consumerMoment, gains: []
                ).total
        }
        return updates + zip(gains.gains.plus, gains.gains.minus).map(max).reduce(0, +)
    }
}

/// What was measured of one layer that reads a width.
package struct ConsumerBottleneck: Equatable, Sendable {
    package var consumer: String
    /// E: the taps through which candidates are read, see ``SiteStatistics/taps``.
    package var taps: Int = 1
    /// ‖G‖²/n.
    package var gradientNorm: Double
    /// Ψ = ‖G⊥‖²/n, and its standard error.
    package var bottleneck: Double
    package var bottleneckError: Double
    /// S_H, [b, b], and M, [b, c].
    package var consumerCovariance: Matrix
    package var consumerMoment: Matrix
    /// δW*, [c, b], and how fast the loss falls along it, per unit of amplitude.
    package var bestUpdate: Matrix
    package var bestUpdateDecrease: Double
    /// The method's candidates; none for methods that need no data, which propose when the network grows.
    package var proposal: Proposal
    /// What the candidates do; nil where there are none or their function is kept.
    package var effects: CandidateEffects?
}

/// What candidates gain, and how well that is known.
package struct MeasuredGains: Equatable, Sendable {
    package var gains: NeuronGains
    /// Standard errors of the gains of either sign.
    package var plusErrors: [Double]
    package var minusErrors: [Double]

    /// The standard error of Σ of the better gains relative to it; the errors are added as if they were one.
    package var relativeError: Double {
        let gains = zip(gains.plus, gains.minus).map(max).reduce(0, +)
        let errors = zip(plusErrors, minusErrors).map(max).reduce(0) { $0 + $1 * $1 }.squareRoot()
        return gains > 0 ? errors / gains : .infinity
    }
}

/// What candidate neurons do to first order, measured.
package struct CandidateEffects: Equatable, Sendable {
    package var moments: CandidateMoments
    package var gains: NeuronGains
    /// Standard errors of the gains of either sign, and of λ_k².
    package var plusErrors: [Double]
    package var minusErrors: [Double]
    package var squareErrors: [Double]
}
