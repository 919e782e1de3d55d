/// The name of a piece of work: equal keys mean equal bytes.
package struct StepKey: Hashable, Sendable, CustomStringConvertible {
    /// The SHA-256 over the canonical JSON of the key's parts.
    package let digest: Digest

    package var description: String { digest.description }

    /// A key that is known already, as from the name of a run record.
    package init(_ digest: Digest) { self.digest = digest }
}

/// Everything a step's output may depend on, and nothing else.
package struct KeyParts: Hashable, Sendable {
    /// The version of what a key is made of; a new one makes every step run again.
    package static let schema = 1

    /// The stage's executable, as in `grow`.
    package var stage: String
    /// The digest of the stage's sources and of every module it uses, comments aside.
    package var source: String
    /// The kernel libraries' versions and the instruction set.
    package var platform: String
    /// The resolved parameters, as canonical JSON.
    package var parameters: String
    /// The SHA-256 of every input, by the name of the option that takes it.
    package var inputs: [String: Digest]

    /// - Parameter parameters: canonical JSON; other spellings of the same values give other keys.
    package init(
        stage: String, source: String, platform: String, parameters: String, inputs: [String: Digest]
    ) {
        self.stage = stage
        self.source = source
        self.platform = platform
        self.parameters = parameters
        self.inputs = inputs
    }

    /// SHA-256 over `canonicalJSON`.
    package var key: StepKey { StepKey(Digest(of: canonicalJSON)) }

    /// The parts as canonical JSON: names sorted, no spaces.
    package var canonicalJSON: String { JSONText.object(members) }

    /// The parts by name, each as JSON.
    var members: [String: String] {
        [
            "inputs": JSONText.object(inputs.mapValues { JSONText.string($0.hexadecimal) }),
            "parameters": parameters,
            "platform": JSONText.string(platform),
            "schema": String(Self.schema),
            "source": JSONText.string(source),
            "stage": JSONText.string(stage),
        ]
    }
}

/// The spelling of canonical JSON, put together from members that are JSON already.
enum JSONText {
    /// `{"a":1,"b":2}`, names in the order of their UTF-8 bytes.
    static func object(_ members: [String: String]) -> String {
        let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return "{" + sorted.map { string($0.key) + ":" + $0.value }.joined(separator: ",") + "}"
    }

    /// A quoted string; only what JSON requires is escaped.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
