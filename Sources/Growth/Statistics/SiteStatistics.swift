package import Tensors

/// Everything measured at one growth site: sums over the samples, divided by their number.
///
/// X is the producer's input [n, a], H the consumer's input [n, b], each with a 1 appended last where the layer
/// has a bias; G = −dL_i/d(consumer's output) per sample [n, c], without 1/n.
package struct SiteStatistics: Equatable, Sendable {
    /// n.
    package var samples: Int
    /// Whether the last column of X is the bias's 1.
    package var producerHasBias: Bool
    /// Whether the last column of H is the bias's 1.
    package var consumerHasBias: Bool

    /// S_H = HᵀH/n, [b, b].
    package var consumerCovariance: Matrix
    /// M = HᵀG/n, [b, c].
    package var consumerMoment: Matrix
    /// ‖G‖²/n.
    package var gradientNorm: Double
    /// δW* and its decrease.
    package var bestUpdate: BestUpdate
    /// Ψ = ‖G⊥‖²/n, with G⊥ = G − H δW*ᵀ.
    package var bottleneck: Double

    /// S = XᵀX/n, [a, a].
    package var inputCovariance: Matrix?
    /// C = XᵀH/n, [a, b].
    package var overlap: Matrix?
    /// XᵀG/n, [a, c].
    package var inputMoment: Matrix?
    /// N = XᵀG⊥/n, [a, c].
    package var crossCovariance: Matrix?
    /// E = GᵀG/n, [c, c].
    package var gradientCovariance: Matrix?

    /// Ψ / (‖G‖²/n): the part of the functional gradient that the architecture keeps from being followed, 0...1.
    package var relativeBottleneck: Double { gradientNorm > 0 ? bottleneck / gradientNorm : 0 }
}

/// Which of the costly statistics a method needs; S_H, M, ‖G‖² and Ψ are always measured.
package struct StatisticsNeeds: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// S.
    package static let inputCovariance = StatisticsNeeds(rawValue: 1)
    /// C.
    package static let overlap = StatisticsNeeds(rawValue: 2)
    /// XᵀG/n.
    package static let inputMoment = StatisticsNeeds(rawValue: 4)
    /// N.
    package static let crossCovariance = StatisticsNeeds(rawValue: 8)
    /// E.
    package static let gradientCovariance = StatisticsNeeds(rawValue: 16)

    package static let all: StatisticsNeeds = [
        .inputCovariance, .overlap, .inputMoment, .crossCovariance, .gradientCovariance,
    ]
}
