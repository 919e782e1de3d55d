internal import Networks
package import Parameters
internal import Tensors

/// A rule by which parameters follow the gradient: its own fields, what it keeps for each parameter, and its update.
///
/// A new optimiser is one file in this folder and one line in ``OptimizerParameters/rules``.
package protocol OptimizerRule: Alternative {
    /// The names of the arrays that it moves in every step, as in `/optimizer/<node>/<parameter>/<slot>`.
    static var slots: [String] { get }

    /// Those slots that hold a mean gradient, which `momentum: {scale: …}` shortens; the first by default.
    static var momenta: [String] { get }

    /// Whether an update depends on how many there were before, counted for each value in the slot `steps`.
    static var countsUpdates: Bool { get }

    /// One update, as a function of a stretch whose values have all seen equally many; what its stretches share is
    /// computed here.
    ///
    /// - Parameters:
    ///   - rate: the learning rate of this step.
    ///   - decay: λ, the pull towards 0.
    ///   - count: updates of these values, this one included; counted only if ``countsUpdates``.
    func update(rate: Float, decay: Float, count: Int) -> (ParameterStretch) -> Void
}

extension OptimizerRule {
    package static var momenta: [String] { Array(slots.prefix(1)) }
    package static var countsUpdates: Bool { false }
}

/// A part of the flat array of parameters, for one update.
package struct ParameterStretch {
    package let weights: UnsafeMutablePointer<Float>
    /// The mean gradient.
    package let gradient: UnsafePointer<Float>
    package let count: Int
    let begin: Int
    let state: [ParameterArena]

    /// The rule's own array, by its place among the slots.
    package func slot(_ index: Int) -> UnsafeMutablePointer<Float> { state[index].buffer.pointer + begin }
}

/// The `optimizer:` section: how parameters follow the gradient.
package struct OptimizerParameters: ParameterSet {
    package static let rules = Alternatives<any OptimizerRule>(
        SGD.self,
        AdamW.self)

    package var rule: any OptimizerRule = SGD()
    package var rate = 0.05
    /// λ, for every parameter that no group says otherwise of.
    package var weightDecay = 0.0
    /// No parameter is in two.
    package var groups: [ParameterGroup] = []

    package static let schema = Schema(
        Self(),
        .kind(\.rule, among: rules, "the rule"),
        .field("rate", \.rate, .real(in: 0...1000), "the learning rate"),
        .field("weight-decay", \.weightDecay, .real(in: 0...10), "pull of every parameter towards 0"),
        .sets(
            "groups", \.groups, atMost: 64,
            "parameters with a rate, a decay and a warm-up of their own, by kind and age")
    ) { optimizer, fields in
        let list = fields.tree("groups")?.list ?? []
        for index in optimizer.groups.indices where list.count == optimizer.groups.count {
            let group = optimizer.groups[index]
            guard let other = optimizer.groups[..<index].firstIndex(where: group.overlaps) else { continue }
            fields.refuse(
                "groups", element: ("[\(index)]", list[index]),
                found: "parameters that are in groups[\(other)] too",
                allowed: "other kinds, or other ages of the same kinds")
        }
    }
}
