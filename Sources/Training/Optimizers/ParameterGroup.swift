package import Networks
package import Parameters

/// An element of `optimizer.groups`: the parameters of some kinds and ages, which are updated in a way of their own.
///
/// What is in no group is updated as the optimiser and the schedule say.
package struct ParameterGroup: ParameterSet {
    package var kinds = ParameterKind.allCases
    /// From and to, in rounds since the younger of a weight's row and column was born. In a network that has not
    /// grown all parameters are of age 0.
    package var ages = [0, Self.oldest]
    /// The optimiser's rate is multiplied by it. With 0 the parameters are frozen: no bit of them, nor of what the
    /// optimiser keeps for them, changes.
    package var rateFactor = 1.0
    /// The optimiser's weight decay is multiplied by it.
    package var decayFactor = 1.0
    /// Epochs of linear rise from 0 at the beginning of a phase; the schedule's own warm-up counts as well.
    package var warmUp = 0.0

    private static let oldest = 10_000

    package static let schema = Schema(
        Self(),
        .field("of", \.kinds, kindList, "the kinds of parameters in the group"),
        .field(
            "ages", \.ages, .integers(in: 0...oldest, count: 2...2),
            "the ages in the group, from and to, in growth rounds since birth"),
        .field("rate-factor", \.rateFactor, .real(in: 0...1000), "times the optimiser's rate; 0: frozen"),
        .field("decay-factor", \.decayFactor, .real(in: 0...1000), "times the optimiser's weight decay"),
        .field("warm-up", \.warmUp, .real(in: 0...10_000), "epochs of linear rise from 0")
    ) { group, fields in
        guard group.ages[0] > group.ages[1] else { return }
        fields.refuse("ages", found: "\(group.ages)", allowed: "a first age that is no larger than the last")
    }

    private static let kindList = Syntax<[ParameterKind]>.custom(
        "a list of \(ParameterKind.allCases.map(\.rawValue).joined(separator: ", "))",
        write: { Tree(.list($0.map { Tree(.text($0.rawValue)) })) }
    ) { tree in
        guard let list = tree.list, !list.isEmpty else { return nil }
        return try list.map { element in
            let name = element.text ?? element.canonicalJSON
            guard let kind = ParameterKind(rawValue: name) else {
                throw Refusal.choice(name, ParameterKind.allCases.map(\.rawValue))
            }
            return kind
        }
    }

    func contains(_ kind: ParameterKind, age: Int) -> Bool {
        kinds.contains(kind) && (ages[0]...ages[1]).contains(age)
    }

    /// Whether a parameter may be in both.
    func overlaps(_ other: ParameterGroup) -> Bool {
        !Set(kinds).isDisjoint(with: other.kinds) && ages[0] <= other.ages[1] && other.ages[0] <= ages[1]
    }
}
