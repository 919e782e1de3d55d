package import Files
package import Parameters

/// The name of a piece of work: equal keys mean equal bytes.
package struct StepKey: Hashable, Sendable, CustomStringConvertible {
    /// The SHA-256 over the canonical JSON of the key's parts.
    package let digest: Digest

    package var description: String { digest.description }

    /// A key that is known already, as from the name of a run record.
    package init(_ digest: Digest) { self.digest = digest }
}

/// Everything a step's output may depend on, and nothing else.
package struct KeyParts: Equatable, Sendable {
    /// The version of what a key is made of; a new one makes every step run again.
    package static let schema = 1

    /// The stage's executable, as in `grow`.
    package var stage: String
    /// The digest of the stage's sources and of every module it uses, comments aside.
    package var source: String
    /// The numeric libraries' versions and what they chose for the processor.
    package var platform: String
    /// The resolved parameters, every default filled in.
    package var parameters: Tree
    /// The SHA-256 of every input, by the name of the option that takes it.
    package var inputs: [String: Digest]

    package init(
        stage: String, source: String, platform: String, parameters: Tree, inputs: [String: Digest]
    ) {
        self.stage = stage
        self.source = source
        self.platform = platform
        self.parameters = parameters
        self.inputs = inputs
    }

    /// SHA-256 over `canonicalJSON`.
    package var key: StepKey { StepKey(Digest(of: canonicalJSON)) }

    /// The parts as canonical JSON.
    package var canonicalJSON: String { Tree(.map(entries)).canonicalJSON }

    /// The parts by name.
    var entries: [Tree.Entry] {
        [
            Tree.Entry(key: "inputs", value: Tree(inputs: inputs)),
            Tree.Entry(key: "parameters", value: parameters),
            Tree.Entry(key: "platform", value: Tree(.text(platform))),
            Tree.Entry(key: "schema", value: Tree(.integer(Self.schema))),
            Tree.Entry(key: "source", value: Tree(.text(source))),
            Tree.Entry(key: "stage", value: Tree(.text(stage))),
        ]
    }
}

extension Tree {
    /// A map of names to digests.
    init(inputs: [String: Digest]) {
        self.init(.map(inputs.map { Entry(key: $0.key, value: Tree(.text($0.value.hexadecimal))) }))
    }

    /// Names and digests, if this is a map of just these.
    var inputs: [String: Digest]? {
        guard let entries else { return nil }
        var inputs: [String: Digest] = [:]
        for entry in entries {
            guard let text = entry.value.text, let digest = Digest(text) else { return nil }
            inputs[entry.key] = digest
        }
        return inputs
    }
}
