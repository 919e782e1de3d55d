internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// Fewer neurons at a width: those whose removal changes least what the layers that read it give.
///
/// With A = (S_H + ρ1)⁻¹ the outputs of a consumer lose w_j (A_jj)⁻¹ w_jᵀ of mean square without neuron j, once its other
/// weights have moved by −w_j (A_jj)⁻¹ A_j to make up for it (Hassibi and Stork, "Optimal Brain Surgeon", 1993, for each
/// layer's outputs). Neurons go one after the other, the least loss first, summed over consumers; A and W follow each time.
struct Shrink: NetworkChange {
    static let kind = ChangeKind.shrink

    private let place: ChangePlace
    /// The neurons that stay, in order.
    private let kept: [Int]
    /// [W | b] of each consumer with zeros for those that go, moved to make up for them.
    private let moved: [Matrix]

    var neurons: Int { kept.count - place.width.count }
    var remaining: [String: [Int]] {
        Dictionary(uniqueKeysWithValues: place.width.producers.map { ($0, kept) })
    }
    /// The first-order decrease of the loss for what is saved; where nothing is known, the least change of outputs counts.
    var decreasePerCost: Double { -loss / Double(max(1, -neurons)) }
    /// Mean square of what outputs lose.
    private let loss: Double

    /// ρ relative to the mean of the diagonal of S_H.
    private static let ridge = 1e-6

    static func proposed(at place: ChangePlace) throws -> ProposedChange {
        let (width, parameters) = (place.width, place.parameters)
        let count = try place.neurons.removal(
            from: width, round: parameters.round, rounds: parameters.rounds)
        guard count > 0 else { return .nothing("it has no neuron to spare") }
        do {
            return .change(try Shrink(by: count, at: place))
        } catch let problem as LinearAlgebraError {
            throw GrowthError.unsolvable(width: width.name, problem: problem)
        }
    }

    private init(by count: Int, at place: ChangePlace) throws {
        self.place = place
        let makesUp = place.parameters.placement.update
        var consumers = try place.measured.consumers.map {
            try ShrinkingConsumer(
                covariance: $0.consumerCovariance, weights: place.network.extendedWeights(of: $0.consumer),
                inputs: place.width.count, ridge: Self.ridge,
                hasBias: place.network.hasBias($0.consumer), makesUp: makesUp)
        }
        var kept = Array(0..<place.width.count)
        var loss = 0.0
        for _ in 0..<count {
            let losses = try kept.map { neuron in
                try consumers.reduce(0) { try $0 + $1.loss(without: neuron) }
            }
            guard let least = losses.indices.min(by: { losses[$0] < losses[$1] }) else { break }
            loss += losses[least]
            for index in consumers.indices { try consumers[index].remove(kept[least]) }
            kept.remove(at: least)
        }
        self.kept = kept
        self.loss = loss
        moved = consumers.map(\.weights)
    }

    func tried(over samples: CarriedSamples, before: Double?) throws -> TriedChange {
        let (network, input, loss) = (place.network, place.width.input, place.parameters.loss)
        let lossBefore = try before ?? samples.loss(of: network, changedBehind: input, as: loss)
        guard lossBefore.isFinite else {
            throw GrowthError.lossNotFinite(what: "the samples that changes are tried on")
        }
        let after = try samples.loss(of: shrunk(), changedBehind: input, as: loss)
        guard after.isFinite else {
            return TriedChange(lossBefore: lossBefore, loss: lossBefore, note: "the loss would not be finite")
        }
        return TriedChange(
            amplitude: try TriedAmplitude(fixed: 1, before: lossBefore) { _, _ in after },
            lossBefore: lossBefore, loss: after, predictedDecrease: predictedDecrease)
    }

    /// ⟨M, δWᵀ⟩ over the consumers, each with the outputs that it has left.
    private var predictedDecrease: Double {
        zip(place.measured.consumers, moved).reduce(0) { sum, pair in
            let (measured, weights) = pair
            let move = weights - place.network.extendedWeights(of: measured.consumer)
            let moment = measured.consumerMoment
            let left = place.remaining[measured.consumer].map { moment.selecting(columns: $0) } ?? moment
            return sum + move.transposed.inner(left)
        }
    }

    func applied(_ tried: TriedChange, over samples: CarriedSamples) throws -> Network {
        let result = try shrunk()
        try result.validate(source: "the network shrunk at \(place.width.name)")
        return result
    }

    private func shrunk() throws -> Network {
        var network = place.network
        for (node, weights) in zip(place.width.consumers, moved) { network.set(node, weights) }
        return try network.keeping(kept, at: place.width)
    }
}

/// A layer that reads a width from which neurons go.
private struct ShrinkingConsumer {
    /// [W | b].
    private(set) var weights: Matrix
    /// (S_H + ρ1)⁻¹ of what is left; rows and columns of neurons that went are 0.
    private var inverse: Matrix
    private let taps: Int
    private let makesUp: Bool

    init(
        covariance: Matrix, weights: Matrix, inputs: Int, ridge: Double, hasBias: Bool, makesUp: Bool
    ) throws {
        self.weights = weights
        self.makesUp = makesUp
        taps = (weights.columns - (hasBias ? 1 : 0)) / max(inputs, 1)
        var penalised = covariance
        let mean = covariance.trace / Double(max(covariance.rows, 1))
        for index in 0..<covariance.rows { penalised[index, index] += mean > 0 ? ridge * mean : 1 }
        inverse = try SemidefiniteFactor(penalised).solving(.identity(covariance.rows))
    }

    private func columns(_ neuron: Int) -> Range<Int> { neuron * taps..<(neuron + 1) * taps }

    /// (A_jj)⁻¹ w_jᵀ, [E, c].
    private func solved(_ neuron: Int) throws -> Matrix {
        let own = columns(neuron)
        return try SemidefiniteFactor(inverse.selecting(rows: own).selecting(columns: own))
            .solving(weights.selecting(columns: own).transposed)
    }

    /// The mean square of what the outputs lose without a neuron.
    func loss(without neuron: Int) throws -> Double {
        weights.selecting(columns: columns(neuron)).transposed.inner(try solved(neuron))
    }

    /// Takes a neuron away: W ← W − w_j (A_jj)⁻¹ A_j, and A ← A − A_jᵀ (A_jj)⁻¹ A_j.
    mutating func remove(_ neuron: Int) throws {
        let own = columns(neuron)
        let rows = inverse.selecting(rows: own)
        if makesUp { weights = weights - (try solved(neuron)).transposedTimes(rows) }
        let factor = try SemidefiniteFactor(rows.selecting(columns: own))
        inverse = inverse - rows.transposedTimes(factor.solving(rows))
        for column in own {
            for row in 0..<weights.rows { weights[row, column] = 0 }
            for index in 0..<inverse.rows {
                inverse[index, column] = 0
                inverse[column, index] = 0
            }
        }
    }
}

extension Architecture {
    /// The same graph with another number of neurons at a width.
    fileprivate func with(_ count: Int, at width: Width) throws -> Architecture {
        try widening(width, by: count - width.count)
    }
}

extension Network {
    /// This network with some of a width's neurons alone, in their order; the optimiser's state, running averages and
    /// births go along.
    func keeping(_ kept: [Int], at width: Width) throws -> Network {
        var result = self
        result.architecture = try architecture.with(kept.count, at: width)
        let (producers, consumers) = (Set(width.producers), Set(width.consumers))
        let between = Set(width.between)
        func part(_ tensor: Tensor, _ node: String) -> Tensor {
            var tensor = tensor
            if producers.contains(node) || between.contains(node) {
                tensor = tensor.keeping(kept, of: width.count, axis: 0)
            }
            if consumers.contains(node), tensor.shape.count > 1 {
                tensor = tensor.keeping(kept, of: width.count, axis: 1)
            }
            return tensor
        }
        for entry in ParameterLayout(architecture).entries {
            let names = [entry.name] + optimizerSlots.map { "\(entry.name)/\($0)" }
            result.parameters[names[0]] = parameters[names[0]].map { part($0, entry.node) }
            result.lags[names[0]] = lags[names[0]].map { part($0, entry.node) }
            for name in names.dropFirst() {
                result.optimizerState[name] = optimizerState[name].map { part($0, entry.node) }
            }
        }
        for entry in ParameterLayout.state(architecture).entries {
            result.state[entry.name] = state[entry.name].map { part($0, entry.node) }
            result.lags[entry.name] = lags[entry.name].map { part($0, entry.node) }
        }
        for (node, births) in births {
            if producers.contains(node) || between.contains(node) {
                result.births[node]?.rows = births.rows.keeping(kept, of: width.count)
            }
            if consumers.contains(node) {
                result.births[node]?.columns = births.columns.keeping(kept, of: width.count)
            }
        }
        return result
    }

    /// Sets W and b of a layer from [W | b] of the same shape. Values that were Float32 before stay the same bits.
    fileprivate mutating func set(_ node: String, _ extended: Matrix) {
        let hasBias = hasBias(node)
        parameters["\(node)/weight"]?.values =
            extended.selecting(columns: 0..<extended.columns - (hasBias ? 1 : 0)).narrowed
        parameters["\(node)/bias"]?.values = extended.column(extended.columns - 1).map(Float.init)
    }
}

extension Array {
    /// What belongs to some of so many channels, each of which has as many elements in a row.
    fileprivate func keeping(_ channels: [Int], of count: Int) -> [Element] {
        let each = self.count / Swift.max(count, 1)
        return channels.flatMap { self[$0 * each..<($0 + 1) * each] }
    }
}

extension Tensor {
    /// What belongs to some of so many channels along an axis; a channel may have several places there in a row.
    fileprivate func keeping(_ channels: [Int], of count: Int, axis: Int) -> Tensor {
        let inner = shape[(axis + 1)...].reduce(1, *)
        let outer = shape[..<axis].reduce(1, *)
        let length = shape[axis] * inner
        var shape = shape
        shape[axis] = shape[axis] / max(count, 1) * channels.count
        return Tensor(
            shape: shape,
            values: (0..<outer).flatMap {
                Array(values[$0 * length..<($0 + 1) * length]).keeping(channels, of: count)
            })
    }
}
