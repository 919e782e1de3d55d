internal import Tensors

/// Which of (α, ω) and (−α, −ω) is added: a singular vector leaves it open, a kinked activation does not.
package enum SignRule: String, CaseIterable, Sendable {
    /// The sign with the larger exact first-order gain.
    case best
    /// Both: ω σ₀(αx) − ω σ₀(−αx) = (r + l) ω αx, linear for any slopes; two neurons for one direction.
    case pair

    /// The neurons with their signs chosen, and the map to the features that they were measured by.
    ///
    /// - Parameters:
    ///   - candidates: k neurons.
    ///   - gains: of the candidates.
    ///   - judge: the gains that decide the signs, where they are others.
    package func choose(
        _ candidates: NewNeurons, gains: NeuronGains, judge: NeuronGains? = nil
    ) -> SignedNeurons {
        switch self {
        case .best:
            let deciding = judge ?? gains
            let signs = zip(deciding.plus, deciding.minus).map { $0 >= $1 ? 1.0 : -1.0 }
            return SignedNeurons(
                neurons: candidates.signed(signs), candidates: Array(0..<candidates.count), signs: signs,
                gains: signs.indices.map { signs[$0] > 0 ? gains.plus[$0] : gains.minus[$0] })
        case .pair:
            let pairs = (0..<candidates.count).flatMap { [$0, $0] }
            let signs = (0..<candidates.count).flatMap { _ in [1.0, -1.0] }
            return SignedNeurons(
                neurons: candidates.selecting(pairs).signed(signs), candidates: pairs, signs: signs,
                gains: zip(gains.plus, gains.minus).flatMap { [$0, $1] })
        }
    }
}

/// Neurons whose signs are chosen.
package struct SignedNeurons: Equatable, Sendable {
    package var neurons: NewNeurons
    /// The candidate that each neuron comes from.
    package var candidates: [Int]
    /// ±1 for each neuron.
    package var signs: [Double]
    /// The exact first-order gain of each neuron.
    package var gains: [Double]

    package init(neurons: NewNeurons, candidates: [Int], signs: [Double], gains: [Double]) {
        self.neurons = neurons
        self.candidates = candidates
        self.signs = signs
        self.gains = gains
    }

    /// Which of the measured features [φ(z) | φ(−z)] are the neurons' first-order activities, all taps of each in turn.
    ///
    /// - Parameter moments: of the k candidates.
    package func features(of moments: CandidateMoments) -> [Int] {
        tapped(zip(candidates, signs).map { $1 > 0 ? $0 : moments.count + $0 }, moments.taps)
    }
}

/// How an activation σ with σ(0) = 0 behaves in its first order around 0: σ₀(z) = lim σ(γz)/γ for γ → 0+.
///
/// A smooth σ has equal slopes and σ₀ is linear; ReLU and SELU have a kink there, and a new neuron,
/// which begins with small pre-activations, feels the kink and not the mean slope.
package struct SlopesAtZero: Equatable, Sendable {
    /// σ'(0+), the slope towards positive pre-activations.
    package var right: Double
    /// σ'(0−), the slope towards negative ones.
    package var left: Double

    package init(right: Double, left: Double) {
        self.right = right
        self.left = left
    }

    /// tanh, identity, and any σ with slope 1 on both sides.
    package static let unit = SlopesAtZero(right: 1, left: 1)
    package static let relu = SlopesAtZero(right: 1, left: 0)
    /// SELU: λ to the right, λα to the left (Klambauer et al., NeurIPS 2017).
    package static let selu = SlopesAtZero(
        right: 1.0507009873554804934193349852946,
        left: 1.0507009873554804934193349852946 * 1.6732632423543772848170429916717)
    package static let gelu = SlopesAtZero(right: 0.5, left: 0.5)

    /// Whether the two slopes differ, so that the sign of a neuron matters to first order.
    package var isKinked: Bool { right != left }

    /// σ₀(z).
    package func callAsFunction(_ z: Double) -> Double { (z > 0 ? right : left) * z }
}
