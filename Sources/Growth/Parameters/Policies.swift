package import Networks
package import Parameters

/// What rounds do at each width.
package struct ChangePolicy: Equatable, Sendable {
    /// One for all rounds, or one for each.
    package var kinds = [ChangeKind.widen]

    /// What a round does, from 1.
    package subscript(round: Int) -> ChangeKind { kinds.count == 1 ? kinds[0] : kinds[round - 1] }
}

extension ChangePolicy {
    private static let names = ChangeKind.allCases.map(\.rawValue)
    static let allowed = names.joined(separator: ", ") + ", or a list of these"
    static let help =
        "what a round does at each width: widen it by neurons, deepen the network by a residual block behind it of so "
        + "many neurons, or shrink it by the neurons whose removal changes the outputs least"

    /// `widen`, `[widen, deepen]`; nil for other forms.
    ///
    /// - Throws: `Refusal` for a text that is no change.
    init?(tree: Tree) throws {
        let texts = (tree.list ?? [tree]).map(\.text)
        guard !texts.isEmpty, !texts.contains(nil) else { return nil }
        kinds = try texts.compactMap(\.self).map { name in
            guard let kind = ChangeKind(rawValue: name) else { throw Refusal.choice(name, Self.names) }
            return kind
        }
    }

    var tree: Tree {
        let names = kinds.map { Tree(.text($0.rawValue)) }
        return names.count == 1 ? names[0] : Tree(.list(names))
    }
}

/// Which widths grow in a round.
package enum WidthPolicy: String, CaseIterable, Sendable {
    /// Every width.
    case all
    /// One width per round, in turn.
    case each
    /// The width with the largest predicted decrease per unit of cost.
    case best
}

/// What the decrease is divided by when widths or neurons compete.
package enum GrowthCost: String, CaseIterable, Sendable {
    /// Added parameters.
    case parameters
    /// Added floating-point operations of a training step.
    case flops
}

/// How large the new neurons are put in.
package enum AmplitudePolicy: Equatable, Sendable {
    /// As the method is meant: searched for `tiny-joint`, `tiny`, `fisher`; as proposed for the others.
    case method
    /// Searched so that the validation loss falls, whatever the method.
    case search
    /// This γ, whatever it does to the loss.
    case fixed(Double)
}

extension AmplitudePolicy {
    static let allowed = "method, search or a number above 0, up to 1000"

    /// nil for what is not allowed.
    init?(tree: Tree) {
        switch tree.text {
        case "method": self = .method
        case "search": self = .search
        default:
            guard let amplitude = tree.real, amplitude > 0, amplitude <= 1000 else { return nil }
            self = .fixed(amplitude)
        }
    }

    var tree: Tree {
        switch self {
        case .method: Tree(.text("method"))
        case .search: Tree(.text("search"))
        case .fixed(let amplitude): Tree(.real(amplitude))
        }
    }
}

/// How many training samples are measured.
package enum SamplePolicy: Equatable, Sendable {
    case count(Int)
    case all
    /// More and more, until the neurons' gains are known to the tolerance.
    case auto
}

extension SamplePolicy {
    static let allowed = "a number in 1…\(Int32.max), all or auto"

    /// nil for what is not allowed.
    init?(tree: Tree) {
        switch tree.text {
        case "all": self = .all
        case "auto": self = .auto
        default:
            guard let count = tree.integer, (1...Int(Int32.max)).contains(count) else { return nil }
            self = .count(count)
        }
    }

    var tree: Tree {
        switch self {
        case .count(let count): Tree(.integer(count))
        case .all: Tree(.text("all"))
        case .auto: Tree(.text("auto"))
        }
    }
}

/// When growth stops: a round that meets one of these passes the network on untouched.
package struct StopParameters: ParameterSet {
    /// Stop a width whose bottleneck is under this part of the gradient norm.
    package var bottleneck = 0.0
    /// Stop when the last round improved the validation loss by less than this part.
    package var gain = 0.0
    /// Most parameters the network may have; 0 for any.
    package var parameters = 0
    /// Most training FLOPs the network may have cost; 0 for any.
    package var flops = 0

    package static let schema = Schema(
        Self(),
        .field(
            "bottleneck", \.bottleneck, .real(in: 0...1),
            "leave a width alone whose bottleneck is under this part of the gradient"),
        .field(
            "gain", \.gain, .real(in: 0...1),
            "stop when a round improved the validation loss by less than this part"),
        .field(
            "parameters", \.parameters, .integer(in: 0...Int(Int32.max)),
            "most parameters of the network, 0 for any"),
        .field("flops", \.flops, .integer(in: 0...Int.max), "most training FLOPs spent so far, 0 for any"))
}
