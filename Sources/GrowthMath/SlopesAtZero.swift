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
