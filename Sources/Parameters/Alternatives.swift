/// A parameter set that is one of several of its sort, each with a name of its own: a family of networks, an optimiser.
package protocol Alternative: ParameterSet {
    /// The name in files, kebab-case.
    static var kind: String { get }
}

/// Everything of a sort that a file may name, the default first.
///
/// `Member` is the sort's protocol, as in `Alternatives<any NetworkFamily>(MLP.self, VGG.self)`.
package struct Alternatives<Member: Sendable>: Sendable {
    private let types: [any Alternative.Type]

    /// - Precondition: every type is a `Member`, and their names differ.
    package init(_ types: any Alternative.Type...) {
        precondition(!types.isEmpty && Set(types.map { $0.kind }).count == types.count, "the kinds \(types)")
        self.types = types
    }

    package var names: [String] { types.map { $0.kind } }

    /// One of each kind with all its defaults.
    package var all: [Member] { types.map { member($0.init()) } }

    /// The keys of all kinds.
    var keys: [String] { types.flatMap { $0.keys } }

    /// The kind of this name with all its defaults.
    package subscript(name: String) -> Member? {
        types.first { $0.kind == name }.map { member($0.init()) }
    }

    /// Reads a kind's name and the fields of that kind.
    ///
    /// - Returns: the default where the name was refused; which other keys are allowed is then not known.
    package func read(
        _ key: String, _ fields: inout Fields, default: Member?, _ help: String
    ) throws -> Member {
        let usual = `default`.map { type(of: opened($0)).kind }
        let name = try fields.read(key, .choice(among: names), default: usual, help)
        if fields.isDescribing { fields.describe(alternatives: types.map { ($0.kind, $0.documentation) }) }
        guard !fields.isDescribing, !fields.hasRefused(key),
            let type = types.first(where: { $0.kind == name })
        else {
            for key in keys { fields.noteKnown(key) }
            return `default` ?? all[0]
        }
        for other in types {
            for key in other.keys where !type.keys.contains(key) && fields.value(key) != nil {
                fields.refuse(key) { .misplaced($0, "is of kind \(other.kind), not \(name)") }
            }
        }
        return member(try type.init(fields: &fields))
    }

    private func member(_ kind: any Alternative) -> Member {
        guard let member = kind as? Member else { preconditionFailure("\(kind) is no \(Member.self)") }
        return member
    }

    func opened(_ member: Member) -> any Alternative {
        guard let kind = member as? any Alternative else { preconditionFailure("\(member) is no kind") }
        return kind
    }
}

extension ParameterSet {
    fileprivate static var keys: [String] { schema.keys }
}
