internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors
internal import Training

/// A change of a network at one of its widths: what it costs, a trial of it, its application.
///
/// A round proposes one for every width that was measured, each fitted to the network as it then is.
protocol NetworkChange {
    static var kind: ChangeKind { get }

    /// Neurons that it adds; negative for those that it takes away.
    var neurons: Int { get }

    /// What is left of the outputs of layers that lose some, as positions among those that they had.
    var remaining: [String: [Int]] { get }

    /// The first-order decrease of the loss per unit of ``GrowthCost``, as far as it is known before a trial; widths compete by it.
    var decreasePerCost: Double { get }

    /// How far it goes, and what the loss is then.
    ///
    /// - Parameters:
    ///   - samples: to take losses on.
    ///   - before: the loss without the change where it is known.
    /// - Throws: `GrowthError.lossNotFinite` where the loss is not finite before anything was changed.
    func tried(over samples: CarriedSamples, before: Double?) throws -> TriedChange

    /// The network with the change as it was tried.
    ///
    /// - Parameter samples: of the training split, to normalise new channels over.
    func applied(_ tried: TriedChange, over samples: CarriedSamples) throws -> Network
}

extension NetworkChange {
    var remaining: [String: [Int]] { [:] }
}

/// What a trial of a change came to.
struct TriedChange {
    /// nil where the change is not worth making.
    var amplitude: TriedAmplitude?
    var lossBefore: Double
    var loss: Double
    /// The first-order decrease of what is put in; nil where none is predicted.
    var predictedDecrease: Double?
    var note = ""
}

/// A width that is to change, and all that a change may look at.
struct ChangePlace {
    let width: Width
    /// Of the width among all that grow, which names its random numbers.
    let position: Int
    let network: Network
    let measured: WidthBottleneck
    let rankThreshold: Double
    let parameters: GrowthParameters
    /// What is left, of those measured, of the outputs of layers that lost some in this round.
    let remaining: [String: [Int]]

    /// How many neurons the width is to get, or to lose.
    var neurons: NeuronPolicy { parameters.proposal.neurons(of: width, in: network.architecture) }

    /// Whether the budget of parameters allows so many more.
    func affords(_ added: Int) -> Bool {
        let most = parameters.placement.stop.parameters
        return most == 0 || network.parameterCount + added <= most
    }

    /// Parameters, or floating-point operations of a training step per sample, that another architecture has more.
    func cost(of other: Architecture) -> Int {
        switch parameters.placement.cost {
        case .parameters:
            ParameterLayout(other).parameterCount - ParameterLayout(network.architecture).parameterCount
        case .flops: other.flopsPerSample.training - network.architecture.flopsPerSample.training
        }
    }
}

/// What became of the proposal of a change.
enum ProposedChange {
    case change(any NetworkChange)
    /// Why the width is left as it is.
    case nothing(String)
}

extension ChangeKind {
    /// The change of this kind at a width.
    func proposed(at place: ChangePlace) throws -> ProposedChange {
        switch self {
        case .widen: try Widen.proposed(at: place)
        case .deepen: try InsertBlock.proposed(at: place)
        case .shrink: try Shrink.proposed(at: place)
        }
    }
}

extension CarriedSamples {
    /// The mean loss of a network that is, up to a node, the one that the samples are carried by.
    func loss(of network: Network, changedBehind node: String, as loss: LossParameters) throws -> Double {
        try carry(to: node, of: network)
        let layout = ParameterLayout(network.architecture)
        let team = team(
            network.architecture, ParameterArena(layout, network.parameters),
            ParameterArena(.state(network.architecture), network.state))
        return try meanLoss(team, as: loss)
    }

    /// The mean loss that a team computes.
    func meanLoss(_ team: SampleChunks.Team, as loss: LossParameters) throws -> Double {
        let sums = try map(team) {
            loss.evaluate($0.executor.output, labels: $0.labels, rows: $0.rows).loss
        }
        return sums.reduce(0, +) / Double(max(count, 1))
    }
}
