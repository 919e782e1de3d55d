internal import GrowthMath
internal import Networks
internal import Tensors
internal import Training

/// Tries an extension at different amplitudes: the loss of the network as it would be grown.
///
/// What lies before the producer does not change and is kept with the samples; the weights of producer and consumer are
/// exchanged, and what follows is computed again.
final class GrowthTrial {
    private let `extension`: Extension
    private let site: GrowthSite
    /// Before it grows, without its optimiser's state.
    private let network: Network
    private let samples: CarriedSamples
    private let loss: LossParameters
    private let bound: MoveBound?
    private let parameters: ParameterArena
    private let team: CarriedSamples.Team

    /// - Parameters:
    ///   - extension: fits the network as it is, at amplitude 1.
    ///   - bound: how far the consumer may move; nil for any distance.
    init(
        _ extension: Extension, at site: GrowthSite, of network: Network, bound: MoveBound? = nil,
        over samples: CarriedSamples, loss: LossParameters
    ) throws {
        self.extension = `extension`
        self.site = site
        var network = network
        network.optimizerState = [:]
        self.network = network
        self.samples = samples
        self.loss = loss
        self.bound = bound
        try samples.carry(to: site.producerInput, of: network)
        let grown = try network.joining(`extension`.scaled(by: 0), at: site)
        parameters = ParameterArena(ParameterLayout(grown.architecture), grown.parameters)
        team = samples.team(
            grown.architecture, parameters, ParameterArena(.state(grown.architecture), grown.state))
    }

    /// Whether the consumer moves by itself, whatever the neurons need.
    var hasUpdate: Bool { `extension`.update != nil }

    /// What is grafted at amplitude γ, the consumer's own move at another.
    func extended(by amplitude: Double, update: Double? = nil) throws -> Extension {
        let wanted = `extension`.scaled(by: amplitude, update: update)
        return try bound?.bounding(wanted) ?? wanted
    }

    /// The mean loss at amplitude γ, the consumer's own move at γ too or as far as said; not finite where the outputs are not.
    func loss(at amplitude: Double, update: Double? = nil) throws -> Double {
        let grown = try network.joining(extended(by: amplitude, update: update), at: site)
        for entry in parameters.layout.entries where [site.producer, site.consumer].contains(entry.node) {
            grown.parameters[entry.name]?.values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                (parameters.buffer.pointer + entry.offset).update(from: base, count: entry.count)
            }
        }
        let results = ResultSlots<Double>(count: samples.chunks)
        try samples.run(team) { [loss] worker, chunk, rows in
            let found = loss.evaluate(worker.executor.output, labels: worker.labels, rows: rows)
            results.set(chunk, found.loss)
        }
        return results.values.reduce(0, +) / Double(max(samples.count, 1))
    }
}
