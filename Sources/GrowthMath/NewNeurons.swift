package import Tensors

/// k neurons for a growth site, not yet scaled by an amplitude.
///
/// A neuron sees the producer's input x as α x at every position, passes it through what lies between, and adds
/// Σ_e ω_e φ(α x)_e to the consumer's output, φ(α x)_e being what the consumer's tap e reads.
package struct NewNeurons: Equatable, Sendable {
    /// α, [k, a]: one row per neuron, patches channel-major; the producer's bias, if it has one, is the last column.
    package var fanIn: Matrix
    /// ω, [c, k E]: E columns per neuron, one for each tap.
    package var fanOut: Matrix
    /// K, [k E, b]: the consumer's weights move by −Σ ω_k K_k when the neurons are added; nil for none.
    ///
    /// It is how the existing weights make room: for `tiny-joint` K = α C S_H⁺, for `net2net` the rows of k pick the
    /// neuron that k is a copy of.
    package var compensation: Matrix?
    /// The neuron that each is a copy of, so that it also gets that one's parameters between the layers; nil where
    /// neurons are new, and pass what lies between as if it were not there.
    package var originals: [Int]?

    package init(fanIn: Matrix, fanOut: Matrix, compensation: Matrix? = nil, originals: [Int]? = nil) {
        let fits = fanIn.rows > 0 ? fanOut.columns.isMultiple(of: fanIn.rows) : fanOut.columns == 0
        precondition(
            fits && compensation.map { $0.rows == fanOut.columns } ?? true
                && originals.map { $0.count == fanIn.rows } ?? true,
            "fan-in \(fanIn.shape) and fan-out \(fanOut.shape) are not of the same neurons")
        self.fanIn = fanIn
        self.fanOut = fanOut
        self.compensation = compensation
        self.originals = originals
    }

    /// k.
    package var count: Int { fanIn.rows }
    /// E; 1 where there are no neurons.
    package var taps: Int { count > 0 ? fanOut.columns / count : 1 }

    /// ω α, [c E, a]: what the neurons do through each tap where all between is the identity; free of signs.
    package var product: Matrix { fanOut.tapsToRows(taps).times(fanIn) }

    /// The bias of neurons that nothing comes into. At exactly 0 a ReLU has a derivative of 0, so that they would never learn
    /// (the published rule takes 1 there).
    ///
    /// Later rounds put such neurons in a row, and each may multiply what comes in by its fan-out, ten times or more: even
    /// after many of them this is far under the rounding of any output.
    package static let silentBias = 1e-20

    /// The norm of each ω_k over all its taps.
    package var fanOutNorms: [Double] { fanOut.columnNorms.norms(ofEach: taps) }

    /// The named neurons, in the order asked for.
    package func selecting(_ indices: some Collection<Int>) -> NewNeurons {
        NewNeurons(
            fanIn: fanIn.selecting(rows: indices), fanOut: fanOut.selecting(columns: tapped(indices, taps)),
            compensation: compensation?.selecting(rows: tapped(indices, taps)),
            originals: originals.map { own in indices.map { own[$0] } })
    }

    /// Each neuron multiplied on both sides by its sign, ±1.
    package func signed(_ signs: [Double]) -> NewNeurons {
        scaling(fanIn: signs, fanOut: signs)
    }

    /// α_k and ω_k times a factor each; K goes with α.
    package func scaling(fanIn inner: [Double], fanOut outer: [Double]) -> NewNeurons {
        NewNeurons(
            fanIn: fanIn.scaling(rows: inner), fanOut: fanOut.scaling(columns: outer.repeating(each: taps)),
            compensation: compensation?.scaling(rows: inner.repeating(each: taps)), originals: originals)
    }

    /// The same neurons for a consumer of more taps, which read them through one of these alone.
    ///
    /// - Parameter tap: where the only tap of these neurons lies among the consumer's.
    package func placed(at tap: Int, of consumerTaps: Int) -> NewNeurons {
        precondition(taps == 1 && (0..<consumerTaps).contains(tap), "tap \(tap) of \(consumerTaps)")
        guard consumerTaps > 1 else { return self }
        var result = self
        result.fanOut = Matrix(rows: fanOut.rows, columns: count * consumerTaps)
        for row in 0..<fanOut.rows {
            for neuron in 0..<count { result.fanOut[row, neuron * consumerTaps + tap] = fanOut[row, neuron] }
        }
        result.compensation = compensation.map { compensation in
            var widened = Matrix(rows: count * consumerTaps, columns: compensation.columns)
            for neuron in 0..<count {
                for column in 0..<compensation.columns {
                    widened[neuron * consumerTaps + tap, column] = compensation[neuron, column]
                }
            }
            return widened
        }
        return result
    }

    /// The same neurons with the entry of largest magnitude of each ω_k positive, so that the signs do not
    /// depend on the LAPACK in use.
    package var withCanonicalSigns: NewNeurons {
        signed(
            (0..<count).map { neuron in
                let entries = (0..<fanOut.rows).flatMap { row in
                    (0..<taps).map { fanOut[row, neuron * taps + $0] }
                }
                let largest = entries.max { abs($0) < abs($1) } ?? 0
                return largest < 0 ? -1 : 1
            })
    }

    /// How the consumer's weights make room for the neurons, −ω K, [c, b]; nil if not at all.
    package var room: Matrix? { compensation.map { -fanOut.times($0) } }

    /// α and ω times √γ each: the neurons at amplitude γ, their first-order effect times γ.
    package func scaled(by amplitude: Double) -> NewNeurons {
        let roots = Array(repeating: amplitude.squareRoot(), count: count)
        return scaling(fanIn: roots, fanOut: roots)
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
        Extension(neurons: chosen, update: update, room: chosen.room).move
    }
}

extension [Double] {
    /// The norm of each so many neighbours.
    package func norms(ofEach size: Int) -> [Double] {
        guard size > 1 else { return self }
        return stride(from: 0, to: count - count % size, by: size).map { first in
            self[first..<first + size].reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
    }
}

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
