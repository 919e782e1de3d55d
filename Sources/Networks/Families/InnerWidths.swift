internal import Parameters

/// The channels between the two convolutions of each block of a residual network.
package enum InnerWidths: Hashable, Sendable {
    /// This share of the block's own width, rounded.
    case factor(Double)
    /// One per stage, or one per block.
    case widths([Int])

    static let allowed = "a factor in 0…16, or a list of widths in 0…65536, per stage or per block"

    /// What is allowed for stages of so many blocks.
    static func allowed(_ blocks: [Int]) -> String {
        let counts = Set([blocks.count, blocks.reduce(0, +)]).sorted().map(String.init)
        return "a factor in 0…16, or a list of \(counts.joined(separator: " or ")) widths in 0…65536"
    }

    /// Refuses a list of another length in the field `inner`, which fits what `depth` says.
    func check(stages: [Int], _ fields: inout Fields) {
        guard case .widths(let widths) = self, ![stages.count, stages.reduce(0, +)].contains(widths.count)
        else { return }
        fields.refuse(
            "inner", with: ["depth"], found: tree.canonicalJSON, allowed: Self.allowed(stages))
    }

    /// `0.25`, `[4, 8, 16]`; nil for anything else.
    init?(tree: Tree) {
        if let factor = tree.real, (0...16).contains(factor) {
            self = .factor(factor)
            return
        }
        let widths = tree.list?.compactMap(\.integer) ?? []
        guard !widths.isEmpty, widths.count == tree.list?.count, widths.allSatisfy((0...65_536).contains)
        else {
            return nil
        }
        self = .widths(widths)
    }

    var tree: Tree {
        switch self {
        case .factor(let factor): Tree(.real(factor))
        case .widths(let widths): Tree(widths)
        }
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
