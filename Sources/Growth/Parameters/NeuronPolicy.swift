internal import Parameters

/// How many neurons a width gets in one round.
package enum NeuronPolicy: Equatable, Sendable {
    /// Exactly so many; fewer useful directions are an error.
    case number(Int)
    /// So many, or as many as there are useful directions.
    case most(Int)
    /// This part of the width, at least one; fewer where there are fewer directions.
    case fraction(Double)
    /// Widths to reach, in order, or one for all, to be reached in equal steps by the last round.
    case target([Int])
    /// As many as pay for themselves, at most so many: see ``GrowthPlan``'s documentation of `neurons`.
    case auto(most: Int)

    /// The neurons to propose for a width.
    ///
    /// - Parameters:
    ///   - width: now.
    ///   - position: among all widths that grow, from 0.
    ///   - round: from 1, out of `rounds`.
    package func request(width: Int, position: Int, round: Int, rounds: Int) -> Int {
        switch self {
        case .number(let count), .most(let count), .auto(let count): return count
        case .fraction(let part): return max(1, Int((part * Double(width)).rounded()))
        case .target(let widths):
            guard let target = position < widths.count ? widths[position] : widths.last, target > width else {
                return 0
            }
            let left = max(rounds - round + 1, 1)
            return (target - width + left - 1) / left
        }
    }

    /// The neurons to take away from a width, so that one stays.
    ///
    /// - Throws: `GrowthError.noNeuronLeft`, `.targetAboveWidth`.
    package func removal(
        from width: Width, position: Int, round: Int, rounds: Int
    ) throws(GrowthError) -> Int {
        let spare = max(0, width.count - 1)
        switch self {
        case .number(let count):
            guard count <= spare else {
                throw .noNeuronLeft(width: width.name, asked: count, count: width.count)
            }
            return count
        case .most(let count), .auto(let count): return min(count, spare)
        case .fraction(let part): return min(spare, max(1, Int((part * Double(width.count)).rounded())))
        case .target(let widths):
            let target = position < widths.count ? widths[position] : widths[widths.count - 1]
            guard target <= width.count else {
                throw .targetAboveWidth(width: width.name, target: target, count: width.count)
            }
            let left = max(rounds - round + 1, 1)
            return (width.count - target + left - 1) / left
        }
    }

    /// Whether fewer directions than requested are an error.
    package var isStrict: Bool { if case .number = self { true } else { false } }
}

extension NeuronPolicy: Encodable {
    private enum CodingKeys: String, CodingKey { case most, fraction, target, auto }

    package func encode(to encoder: any Encoder) throws {
        if case .number(let count) = self {
            var container = encoder.singleValueContainer()
            return try container.encode(count)
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .number: break
        case .most(let count): try container.encode(count, forKey: .most)
        case .fraction(let part): try container.encode(part, forKey: .fraction)
        case .target(let widths): try container.encode(widths, forKey: .target)
        case .auto(let count): try container.encode(count, forKey: .auto)
        }
    }
}

extension Fields {
    private static let mostNeurons = 65_536

    /// `neurons: 8`, `auto`, `{most: 8}`, `{fraction: 0.5}`, `{target: [64, 64]}`, `{auto: 64}`.
    mutating func neuronPolicy() -> NeuronPolicy {
        let allowed =
            "a number, auto, {most: NUMBER}, {fraction: PART}, {target: [WIDTH, …]} or {auto: NUMBER}"
        let given = tree(
            "neurons", allowed: allowed, default: "{most: 8}",
            "neurons added to each width per round: a number (an error where there are fewer useful directions), at most "
                + "a number, a fraction of the width, widths to reach by the last round, or auto (those whose gain "
                + "per parameter beats the best update's and twice their standard error)")
        guard let given, !given.isNull else { return .most(8) }
        if let count = given.integer {
            guard (1...Self.mostNeurons).contains(count) else {
                refuse("neurons", found: "\(count)", allowed: "1…\(Self.mostNeurons)")
                return .most(8)
            }
            return .number(count)
        }
        if given.text == "auto" { return .auto(most: 64) }
        guard let entries = given.entries, entries.count == 1 else {
            refuse("neurons", found: given.canonicalJSON, allowed: allowed)
            return .most(8)
        }
        return neuronPolicy(entries[0].key, entries[0].value, allowed)
    }

    private mutating func neuronPolicy(_ key: String, _ value: Tree, _ allowed: String) -> NeuronPolicy {
        let range = 1...Self.mostNeurons
        var allowed = allowed
        switch key {
        case "most", "auto":
            if let count = value.integer, range.contains(count) {
                return key == "most" ? .most(count) : .auto(most: count)
            }
            allowed = "\(key): 1…\(Self.mostNeurons)"
        case "fraction":
            if let part = value.real, part > 0, part <= 16 { return .fraction(part) }
            allowed = "fraction: above 0, up to 16"
        case "target":
            let widths = value.list?.compactMap(\.integer) ?? []
            if !widths.isEmpty, widths.count == value.list?.count, widths.allSatisfy(range.contains) {
                return .target(widths)
            }
            allowed = "target: a list of widths in 1…\(Self.mostNeurons)"
        default: break
        }
        refuse("neurons", found: "\(key): \(value.canonicalJSON)", allowed: allowed)
        return .most(8)
    }
}
