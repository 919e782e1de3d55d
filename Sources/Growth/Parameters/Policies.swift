package import Parameters

/// Which widths grow in a round.
package enum WidthPolicy: String, CaseIterable, Codable, Sendable {
    /// Every width.
    case all
    /// One width per round, in turn.
    case each
    /// The width with the largest predicted decrease per unit of cost.
    case best
}

/// What the decrease is divided by when widths or neurons compete.
package enum GrowthCost: String, CaseIterable, Codable, Sendable {
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

extension AmplitudePolicy: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .method: try container.encode("method")
        case .search: try container.encode("search")
        case .fixed(let amplitude): try container.encode(amplitude)
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

extension SamplePolicy: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .count(let count): try container.encode(count)
        case .all: try container.encode("all")
        case .auto: try container.encode("auto")
        }
    }
}

/// When growth stops: a round that meets one of these passes the network on untouched.
package struct StopParameters: ParameterSet {
    /// Stop a width whose bottleneck is under this part of the gradient norm.
    package var bottleneck: Double = 0
    /// Stop when the last round improved the validation loss by less than this part.
    package var gain: Double = 0
    /// Most parameters the network may have; 0 for any.
    package var parameters: Int = 0
    /// Most training FLOPs the network may have cost; 0 for any.
    package var flops: Int = 0

    package init(bottleneck: Double = 0, gain: Double = 0, parameters: Int = 0, flops: Int = 0) {
        self.bottleneck = bottleneck
        self.gain = gain
        self.parameters = parameters
        self.flops = flops
    }

    package init(fields: inout Fields) throws {
        bottleneck = try fields.real(
            "bottleneck", in: 0...1, default: 0,
            "leave a width alone whose bottleneck is under this part of the gradient")
        gain = try fields.real(
            "gain", in: 0...1, default: 0,
            "stop when a round improved the validation loss by less than this part")
        parameters = try fields.integer(
            "parameters", in: 0...Int(Int32.max), default: 0, "most parameters of the network, 0 for any")
        flops = try fields.integer(
            "flops", in: 0...Int.max, default: 0, "most training FLOPs spent so far, 0 for any")
    }
}

extension Fields {
    mutating func amplitudePolicy() -> AmplitudePolicy {
        let allowed = "method, search or a number above 0, up to 1000"
        let given = tree(
            "amplitude", allowed: allowed, default: "method",
            "γ: as the method says, searched on the validation split, or fixed")
        guard let given, !given.isNull, given.text != "method" else { return .method }
        if given.text == "search" { return .search }
        guard let amplitude = given.real, amplitude > 0, amplitude <= 1000 else {
            refuse("amplitude", found: given.canonicalJSON, allowed: allowed)
            return .method
        }
        return .fixed(amplitude)
    }

    mutating func samplePolicy() -> SamplePolicy {
        let allowed = "a number in 1…\(Int32.max), all or auto"
        let given = tree(
            "samples", allowed: allowed, default: "10000",
            "training samples measured: a number (drawn by the seed), all, or auto (until gains are known to the tolerance)"
        )
        guard let given, !given.isNull else { return .count(10_000) }
        if given.text == "all" { return .all }
        if given.text == "auto" { return .auto }
        guard let count = given.integer, (1...Int(Int32.max)).contains(count) else {
            refuse("samples", found: given.canonicalJSON, allowed: allowed)
            return .count(10_000)
        }
        return .count(count)
    }
}
