internal import Networks
package import Parameters
internal import Tensors

/// What fine-tuning does with a network before its first step.
package struct TuningStart: ParameterSet {
    package var momentum = KeptMomentum.keep
    package var shrinkPerturb = ShrinkPerturb()

    package static let schema = Schema(
        Self(),
        .field(
            "momentum", \.momentum,
            .custom(KeptMomentum.allowed, write: \.tree, read: KeptMomentum.init(tree:)),
            "what stays of the optimiser's state: all, nothing, or all but a share of the mean gradient"),
        .misplaced("reset-optimizer", "is called momentum: zero for true, keep for false"),
        .set("shrink-perturb", \.shrinkPerturb))

    /// The network as the phase begins with it.
    ///
    /// - Parameters:
    ///   - rule: of the phase's optimiser.
    ///   - seed: of the experiment.
    func begin(_ network: Network, rule: any OptimizerRule, seed: Int) -> Network {
        var result = shrinkPerturb.applied(to: network, seed: seed)
        switch momentum {
        case .keep: break
        case .zero: result.optimizerState = [:]
        case .scale(let share):
            for slot in type(of: rule).momenta {
                for (name, tensor) in result.optimizerState where name.hasSuffix("/\(slot)") {
                    result.optimizerState[name]?.values = tensor.values.map { Float(share) * $0 }
                }
            }
        }
        return result
    }
}

/// What fine-tuning keeps of the optimiser's state.
package enum KeptMomentum: Hashable, Sendable {
    case keep
    /// Nothing, counts of updates included.
    case zero
    /// ``OptimizerRule/momenta`` are multiplied by it; the rest is kept.
    case scale(Double)

    static let allowed = "keep, zero, or {scale: 0…1}"

    /// nil for what is not allowed.
    init?(tree: Tree) {
        switch tree.text {
        case "keep": self = .keep
        case "zero": self = .zero
        default:
            guard tree.entries?.count == 1, let share = tree["scale"]?.real, (0...1).contains(share) else {
                return nil
            }
            self = .scale(share)
        }
    }

    var tree: Tree {
        switch self {
        case .keep: Tree(.text("keep"))
        case .zero: Tree(.text("zero"))
        case .scale(let share): Tree(.map([Tree.Entry(key: "scale", value: Tree(.real(share)))]))
        }
    }
}

/// w ← λ w + σ w₀ with w₀ as freshly drawn, for weights and biases of layers (Ash and Adams, "On Warm-Starting Neural
/// Network Training", 2020).
///
/// Normalisations keep their scales and shifts: they undo what shrinking does. Running averages shrink with the weights.
package struct ShrinkPerturb: ParameterSet {
    /// λ
    package var shrink = 1.0
    /// σ
    package var noise = 0.0

    package static let schema = Schema(
        Self(),
        .field("shrink", \.shrink, .real(in: 0...1), "what weights and biases are multiplied by"),
        .field("noise", \.noise, .real(in: 0...10), "share of freshly drawn weights that is added to them"))

    /// The draw of a parameter depends on the seed, on the epochs that the network has seen and on its node.
    func applied(to network: Network, seed: Int) -> Network {
        guard self != Self() else { return network }
        var result = network
        let layout = ParameterLayout(network.architecture)
        let drawn = network.architecture.drawn(
            layout, seed: seed, purpose: .perturbation, epoch: network.history.epochs.count)
        for entry in layout.entries where entry.specification.kind != .normalization {
            guard let own = network.parameters[entry.name], let fresh = drawn[entry.name] else { continue }
            result.parameters[entry.name]?.values = zip(own.values, fresh.values).map {
                Float(shrink * Double($0) + noise * Double($1))
            }
            result.lags[entry.name]?.values =
                network.lags[entry.name]?.values.map { Float(shrink) * $0 } ?? []
        }
        return result
    }
}
