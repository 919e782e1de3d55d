internal import Parameters

/// How many neurons a width gets in one round.
package enum NeuronPolicy: Equatable, Sendable {
    /// Exactly so many; fewer useful directions are an error.
    case number(Int)
    /// So many, or as many as there are useful directions.
    case most(Int)
    /// This part of the width, at least one; fewer where there are fewer directions.
    case fraction(Double)
    /// Widths to reach, or one for all, in equal steps by the last round: see ``ProposalParameters/neurons(of:in:)``.
    case target([Int])
    /// As many as pay for themselves, at most so many: see ``GrowthPlan``'s documentation of `neurons`.
    case auto(most: Int)

    /// The neurons to propose for a width; of several targets, for the first.
    ///
    /// - Parameters:
    ///   - width: now.
    ///   - round: from 1, out of `rounds`.
    package func request(width: Int, round: Int, rounds: Int) -> Int {
        switch self {
        case .number(let count), .most(let count), .auto(let count): return count
        case .fraction(let part): return max(1, Int((part * Double(width)).rounded()))
        case .target(let widths):
            guard let target = widths.first, target > width else { return 0 }
            let left = max(rounds - round + 1, 1)
            return (target - width + left - 1) / left
        }
    }

    /// The neurons to take away from a width, so that one stays; of several targets, for the first.
    ///
    /// - Throws: `GrowthError.noNeuronLeft`, `.targetAboveWidth`.
    package func removal(from width: Width, round: Int, rounds: Int) throws(GrowthError) -> Int {
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
            let target = widths[0]
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

extension NeuronPolicy {
    static let allowed =
        "a number, auto, {most: NUMBER}, {fraction: PART}, {target: [WIDTH, …]} or {auto: NUMBER}"

    private static let range = 1...65_536

    /// `8`, `auto`, `{most: 8}`, `{fraction: 0.5}`, `{target: [64, 64]}`, `{auto: 64}`; nil for other forms.
    ///
    /// - Throws: `Refusal` for a form with a value that it does not allow.
    init?(tree: Tree) throws {
        if let count = tree.integer {
            guard Self.range.contains(count) else {
                throw Refusal.notAllowed(found: "\(count)", allowed: Self.range.text)
            }
            self = .number(count)
        } else if tree.text == "auto" {
            self = .auto(most: 64)
        } else if let entries = tree.entries, entries.count == 1 {
            try self.init(entries[0].key, entries[0].value)
        } else {
            return nil
        }
    }

    private init(_ form: String, _ value: Tree) throws {
        var allowed = Self.allowed
        switch form {
        case "most", "auto":
            if let count = value.integer, Self.range.contains(count) {
                self = form == "most" ? .most(count) : .auto(most: count)
                return
            }
            allowed = "\(form): \(Self.range.text)"
        case "fraction":
            if let part = value.real, part > 0, part <= 16 {
                self = .fraction(part)
                return
            }
            allowed = "fraction: above 0, up to 16"
        case "target":
            let widths = value.list?.compactMap(\.integer) ?? []
            if !widths.isEmpty, widths.count == value.list?.count, widths.allSatisfy(Self.range.contains) {
                self = .target(widths)
                return
            }
            allowed = "target: a list of widths in \(Self.range.text)"
        default: break
        }
        throw Refusal.notAllowed(found: "\(form): \(value.canonicalJSON)", allowed: allowed)
    }

    var tree: Tree {
        func form(_ key: String, _ value: Tree) -> Tree { Tree(.map([Tree.Entry(key: key, value: value)])) }
        return switch self {
        case .number(let count): Tree(.integer(count))
        case .most(let count): form("most", Tree(.integer(count)))
        case .fraction(let part): form("fraction", Tree(.real(part)))
        case .target(let widths): form("target", Tree(widths))
        case .auto(let count): form("auto", Tree(.integer(count)))
        }
    }
}
