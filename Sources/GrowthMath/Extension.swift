package import Tensors

/// Neurons and a consumer update that fit a width as it stands, amplitude not yet included.
///
/// A width has one for each of its consumers. Fan-ins are the same in all of them: into all producers, side by side.
package struct Extension: Equatable, Sendable {
    /// α [k, Σ a], ω [c, k E] for all of the consumer's taps.
    package var neurons: NewNeurons
    /// How the consumer's weights move by themselves, [c, b]; nil for not at all.
    package var update: Matrix?
    /// How the consumer's weights make room for the neurons, −ω K, [c, b]; nil for not at all.
    package var room: Matrix?

    package init(neurons: NewNeurons, update: Matrix?, room: Matrix? = nil) {
        self.neurons = neurons
        self.update = update
        self.room = room
    }

    /// What is added to the consumer's weights; nil for nothing.
    package var move: Matrix? {
        guard let update, let room else { return update ?? room }
        return update + room
    }

    /// The same at amplitude γ: √γ on either side of the neurons, γ on what makes room for them, γ or an amplitude of its own on
    /// the update.
    package func scaled(by amplitude: Double, update own: Double? = nil) -> Extension {
        Extension(
            neurons: neurons.scaled(by: amplitude), update: update.map { (own ?? amplitude) * $0 },
            room: room.map { amplitude * $0 })
    }

    /// How much less the loss falls, to first order, where the consumer moves as in another extension.
    ///
    /// - Parameter moment: M of the consumer as it was measured, [b, c]; outputs that it has got since count nothing.
    package func decreaseLost(with placed: Extension, moment: Matrix) -> Double {
        guard let move, let moved = placed.move, placed != self else { return 0 }
        return (move - moved).transposed.selecting(columns: 0..<moment.columns).inner(moment)
    }
}
