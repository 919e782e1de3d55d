internal import Parameters

/// The channels between the two convolutions of each block of a residual network.
package enum InnerWidths: Hashable, Sendable {
    /// This share of the block's own width, rounded.
    case factor(Double)
    /// One per stage, or one per block.
    case widths([Int])

    /// `inner: 0.25`, `inner: [4, 8, 16]`.
    ///
    /// - Parameter blocks: how many blocks each stage has, which follows from the field `depth`.
    init(_ key: String, _ fields: inout Fields, blocks: [Int]) {
        let total = blocks.reduce(0, +)
        let counts = Set([blocks.count, total]).sorted().map(String.init).joined(separator: " or ")
        let allowed = "a factor in 0…16, or a list of \(counts) widths in 0…65536"
        let help =
            "channels inside the blocks: a factor of the block's width, a width per stage, or one per block"
        guard let given = fields.tree(key, allowed: allowed, default: "1", help), !given.isNull else {
            self = .factor(1)
            return
        }
        if let factor = given.real, (0...16).contains(factor) {
            self = .factor(factor)
            return
        }
        let widths = given.list?.compactMap(\.integer) ?? []
        guard widths.count == given.list?.count, [blocks.count, total].contains(widths.count),
            widths.allSatisfy((0...65_536).contains)
        else {
            fields.refuse(key, with: ["depth"], found: given.canonicalJSON, allowed: allowed)
            self = .factor(1)
            return
        }
        self = .widths(widths)
    }

    /// One width per block.
    ///
    /// - Parameters:
    ///   - stages: how many blocks each stage has.
    ///   - first: the width of the first stage's blocks; each further stage has twice as many.
    /// - Precondition: a list has as many widths as there are stages or blocks.
    func widths(stages: [Int], first: Int) -> [Int] {
        let own = stages.enumerated().flatMap { stage, count in
            [Int](repeating: stage, count: count)
        }
        switch self {
        case .factor(let factor):
            return own.map { stage in Int((factor * Double(first << stage)).rounded()) }
        case .widths(let widths) where widths.count == own.count:
            return widths
        case .widths(let widths):
            precondition(widths.count == stages.count, "\(widths.count) widths for \(stages.count) stages")
            return own.map { widths[$0] }
        }
    }
}

extension InnerWidths: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .factor(let factor): try container.encode(factor)
        case .widths(let widths): try container.encode(widths)
        }
    }
}
