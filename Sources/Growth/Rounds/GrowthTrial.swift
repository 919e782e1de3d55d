internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors
internal import Training

/// Tries extensions of a width at different amplitudes: the loss of the network as it would be grown.
///
/// What lies before the first producer does not change and is kept with the samples; the weights of producers and consumers
/// are exchanged, and what follows is computed again.
final class GrowthTrial {
    private let extensions: [Extension]
    private let width: Width
    /// Before it grows, without its optimiser's state.
    private let network: Network
    private let samples: CarriedSamples
    private let loss: LossParameters
    private let bounds: [MoveBound]
    private let parameters: ParameterArena
    private let team: SampleChunks.Team

    /// - Parameters:
    ///   - extensions: one for each consumer; fit the network as it is, at amplitude 1.
    ///   - bounds: how far each consumer may move; empty for any distance.
    init(
        _ extensions: [Extension], at width: Width, of network: Network, bounds: [MoveBound] = [],
        over samples: CarriedSamples, loss: LossParameters
    ) throws {
        self.extensions = extensions
        self.width = width
        var network = network
        network.optimizerState = [:]
        network.lags = [:]
        self.network = network
        self.samples = samples
        self.loss = loss
        self.bounds = bounds
        try samples.carry(to: width.input, of: network)
        let grown = try network.joining(extensions.map { $0.scaled(by: 0) }, at: width)
        parameters = ParameterArena(ParameterLayout(grown.architecture), grown.parameters)
        team = samples.team(
            grown.architecture, parameters, ParameterArena(.state(grown.architecture), grown.state))
    }

    /// Whether a consumer moves by itself, whatever the neurons need.
    var hasUpdate: Bool { extensions.contains { $0.update != nil } }

    /// What is grafted at amplitude γ, the consumers' own moves at another.
    func extended(by amplitude: Double, update: Double? = nil) throws -> [Extension] {
        let wanted = extensions.map { $0.scaled(by: amplitude, update: update) }
        return bounds.isEmpty ? wanted : try zip(bounds, wanted).map { try $0.bounding($1) }
    }

    /// The mean loss at amplitude γ, the consumers' own moves at γ too or as far as said; not finite where the outputs are
    /// not.
    func loss(at amplitude: Double, update: Double? = nil) throws -> Double {
        let grown = try network.joining(extended(by: amplitude, update: update), at: width)
        let changed = Set(width.producers + width.consumers)
        for entry in parameters.layout.entries where changed.contains(entry.node) {
            grown.parameters[entry.name]?.values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                (parameters.buffer.pointer + entry.offset).update(from: base, count: entry.count)
            }
        }
        return try samples.meanLoss(team, as: loss)
    }
}
