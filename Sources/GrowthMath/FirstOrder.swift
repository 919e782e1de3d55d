package import Tensors

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
