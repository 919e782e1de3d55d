internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

extension RoundParameters<PlacementParameters> {
    /// The amplitude that these parameters ask for.
    ///
    /// - Parameters:
    ///   - hasUpdate: whether a consumer moves by itself.
    ///   - before: the loss without the extension where it is known.
    ///   - loss: with the neurons at the first amplitude and the consumers' own moves at the second.
    /// - Throws: `GrowthError.lossNotFinite` where the loss is not finite before anything was changed.
    func amplitude(
        hasUpdate: Bool, before: Double?, _ loss: (_ amplitude: Double, _ update: Double) throws -> Double
    ) throws -> TriedAmplitude {
        let found =
            switch placement.amplitude {
            case .fixed(let amplitude): try TriedAmplitude(fixed: amplitude, before: before, loss)
            case .method where proposal.method.method.placement == .asProposed:
                try TriedAmplitude(fixed: 1, before: before, loss)
            case .search, .method: try TriedAmplitude(hasUpdate: hasUpdate, before: before, loss)
            }
        guard found.lossBefore.isFinite else {
            throw GrowthError.lossNotFinite(what: "the samples that amplitudes are tried on")
        }
        return found
    }

    /// Methods that are put in as proposed, and neurons brought to another size, have no first-order prediction.
    var predictsDecrease: Bool {
        proposal.method.method.placement == .searched && placement.scaling == .none
    }

    /// The extensions of a width's consumers under the scaling rule, which replaces the neurons' own size.
    ///
    /// Where there are several producers or consumers, the rule sees all their weights together.
    func scaled(_ extensions: [Extension], at width: Width, of network: Network) -> [Extension] {
        guard placement.scaling != .none, proposal.method.method.placement == .searched else {
            return extensions
        }
        let consumerWeights = width.consumers.map(network.inputWeights)
        let updates = extensions.enumerated().map { index, extended in
            extended.move.map { network.withoutBias($0, of: width.consumers[index]) }
                ?? consumerWeights[index]
        }
        let neurons = extensions[0].neurons
        let fanIns = zip(width.producers, network.inputRanges(of: width.producers)).map {
            network.withoutBias(neurons.fanIn.selecting(columns: $1), of: $0)
        }
        let factors = placement.scaling.factors(
            update: .row(updates), fanOut: .row(extensions.map(\.neurons.fanOut)), fanIn: .row(fanIns),
            producerWeights: .row(width.producers.map(network.inputWeights)),
            consumerWeights: .row(consumerWeights))
        return extensions.map { extended in
            Extension(
                neurons: extended.neurons.scaling(
                    fanIn: Array(repeating: factors.fanIn, count: neurons.count),
                    fanOut: Array(repeating: factors.fanOut, count: neurons.count)),
                update: extended.update.map { factors.update * $0 },
                room: extended.room.map { factors.update * $0 })
        }
    }
}

extension Matrix {
    /// All entries in one row, for rules that look at their spread alone.
    fileprivate static func row(_ matrices: [Matrix]) -> Matrix {
        let values = matrices.flatMap(\.values)
        return Matrix(rows: 1, columns: values.count, values: values)
    }
}
