import Parameters
import GrowthMath
import Correlations
import Networks
import Tensors

@testable import Growth

// Most tests are about widths between two layers.
extension Width {
    static func plain(in architecture: Architecture) -> [Width] {
        all(in: architecture).filter { !$0.isResidual }
    }

    static func residual(in architecture: Architecture) -> [Width] {
        all(in: architecture).filter(\.isResidual)
    }

    var producer: String { producers[0] }
    var consumer: String { consumers[0] }
    var geometry: SiteGeometry { routes[0].geometry }

    var isFlattened: Bool { routes[0].reading.flattenedChannels != nil }
    var producerHasBias: Bool { geometry.producerHasBias }
    var consumerHasBias: Bool { geometry.consumerHasBias }

    func geometry(_ scheme: SiteGeometry.Scheme) -> SiteGeometry { routes[0].reading(scheme).geometry }
    func producerWeights(of network: Network) -> Matrix { network.extendedWeights(of: producers) }
    func consumerWeights(of network: Network) -> Matrix { network.extendedWeights(of: consumer) }
}

extension Network {
    func grafting(_ extended: Extension, at width: Width) throws -> Network {
        try grafting([extended], at: width)
    }
}

extension WidthBottleneck {
    /// Of the only consumer.
    var only: ConsumerBottleneck {
        get { consumers[0] }
        set { consumers[0] = newValue }
    }

    var effects: CandidateEffects? { only.effects }
    var proposal: Proposal { only.proposal }
}
