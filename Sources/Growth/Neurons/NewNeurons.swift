package import Tensors

/// k neurons for a growth site, not yet scaled by an amplitude.
///
/// A neuron sees the producer's input x as α x, passes it through the activation, and adds ω σ(α x) to the
/// consumer's output.
package struct NewNeurons: Equatable, Sendable {
    /// α, [k, a]: one row per neuron; the producer's bias, if it has one, is the last column.
    package var fanIn: Matrix
    /// ω, [c, k]: one column per neuron.
    package var fanOut: Matrix
    /// K, [k, b]: the consumer's weights move by −Σ ω_k K_k when the neurons are added; nil for none.
    ///
    /// It is how the existing weights make room: for `tiny-joint` K = α C S_H⁺, for `net2net` row k picks the
    /// neuron that k is a copy of.
    package var compensation: Matrix?

    package init(fanIn: Matrix, fanOut: Matrix, compensation: Matrix? = nil) {
        precondition(
            fanIn.rows == fanOut.columns && compensation.map { $0.rows == fanIn.rows } ?? true,
            "fan-in \(fanIn.shape) and fan-out \(fanOut.shape) are not of the same neurons")
        self.fanIn = fanIn
        self.fanOut = fanOut
        self.compensation = compensation
    }

    /// k.
    package var count: Int { fanIn.rows }

    /// ω α, [c, a]: what the neurons do where the activation is the identity; free of signs.
    package var product: Matrix { fanOut.times(fanIn) }

    /// The named neurons, in the order asked for.
    package func selecting(_ indices: some Collection<Int>) -> NewNeurons {
        NewNeurons(
            fanIn: fanIn.selecting(rows: indices), fanOut: fanOut.selecting(columns: indices),
            compensation: compensation?.selecting(rows: indices))
    }

    /// Each neuron multiplied on both sides by its sign, ±1.
    package func signed(_ signs: [Double]) -> NewNeurons {
        NewNeurons(
            fanIn: fanIn.scaling(rows: signs), fanOut: fanOut.scaling(columns: signs),
            compensation: compensation?.scaling(rows: signs))
    }

    /// These neurons, then others.
    package func appending(_ other: NewNeurons) -> NewNeurons {
        NewNeurons(
            fanIn: fanIn.appending(rows: other.fanIn), fanOut: fanOut.appending(columns: other.fanOut),
            compensation: compensation.flatMap { own in other.compensation.map { own.appending(rows: $0) } })
    }

    /// The same neurons with the entry of largest magnitude of each ω_k positive, so that the signs do not
    /// depend on the LAPACK in use.
    package var withCanonicalSigns: NewNeurons {
        signed(
            (0..<count).map { neuron in
                let column = fanOut.column(neuron)
                let largest = column.max { abs($0) < abs($1) } ?? 0
                return largest < 0 ? -1 : 1
            })
    }

    /// α and ω times √γ each: the neurons at amplitude γ, their first-order effect times γ.
    package func scaled(by amplitude: Double) -> NewNeurons {
        let root = amplitude.squareRoot()
        return NewNeurons(
            fanIn: root * fanIn, fanOut: root * fanOut, compensation: compensation.map { root * $0 })
    }
}

/// What a method proposes for one site.
package struct Proposal: Equatable, Sendable {
    /// The best neurons first.
    package var neurons: NewNeurons
    /// λ_k of each neuron, falling; empty where the method has none.
    package var singularValues: [Double]
    /// The consumer's own move without new neurons (δW*, [c, b]); nil where the method leaves it alone.
    package var update: Matrix?

    package init(neurons: NewNeurons, singularValues: [Double] = [], update: Matrix? = nil) {
        self.neurons = neurons
        self.singularValues = singularValues
        self.update = update
    }

    /// How the consumer's weights move, [c, b], if the chosen neurons are added; nil if not at all.
    package func consumerUpdate(with chosen: NewNeurons) -> Matrix? {
        guard let compensation = chosen.compensation else { return update }
        let room = -chosen.fanOut.times(compensation)
        return update.map { $0 + room } ?? room
    }
}
