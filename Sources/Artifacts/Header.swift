package import Files
package import HDF5
package import Parameters

/// What kind of artifact a file is.
package enum Kind: String, CaseIterable, Sendable {
    case dataset, network, bottlenecks, evaluation

    /// The `format_version` that is written, and the only one that is read; it rises where the content of a kind changes.
    package var formatVersion: Int64 {
        switch self {
        case .dataset, .evaluation: 1
        // 2: what the network was trained on. 3: when its weights were born. 4: what growth changed. 5: what epochs cost, and parity.
        case .network: 5
        // 2: the method with its fields. 3: widths, each with all layers that read it.
        case .bottlenecks: 3
        }
    }
}

/// The root attributes of every artifact: enough to walk back to the dataset from the file alone.
///
/// The key, the source digest and the platform are not among them: they would change the bytes, and with them
/// every name downstream, after a refactoring that changed no number.
package struct Header: Equatable, Sendable {
    /// The `format` of every artifact.
    package static let format = "meristem"
    /// What the file holds.
    package var kind: Kind
    /// The stage that made it.
    package var stage: String
    /// The stage's resolved parameters.
    package var parameters: Tree
    /// The SHA-256 of every input, by the name of the option that took it.
    package var inputs: [String: Digest]

    package init(kind: Kind, stage: String, parameters: Tree, inputs: [String: Digest]) {
        self.kind = kind
        self.stage = stage
        self.parameters = parameters
        self.inputs = inputs
    }

    /// The header as attributes of the root group.
    package var attributes: [String: Attribute] {
        [
            "format": .text(Self.format),
            "format_version": .integer(kind.formatVersion),
            "kind": .text(kind.rawValue),
            "stage": .text(stage),
            "parameters": .text(parameters.canonicalJSON),
            "inputs": .text(Tree(inputs: inputs).canonicalJSON),
        ]
    }

    /// Reads and checks a file's header.
    ///
    /// - Parameter kind: the kind the file must be of; nil for any.
    /// - Throws: `ArtifactError.invalidHeader` if it is not an artifact of ours, `HDF5Error` if it cannot be
    ///   read.
    package init(reading file: borrowing HDF5.File, kind expected: Kind? = nil) throws {
        let reader = HeaderReader(path: file.path, attributes: try file.attributes(of: ""))
        let format = try reader.text("format", allowed: "'\(Self.format)'")
        guard format == Self.format else { throw reader.invalid("format", allowed: "'\(Self.format)'") }
        let kinds = expected.map { [$0] } ?? Kind.allCases
        let allowedKinds = kinds.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        guard let kind = Kind(rawValue: try reader.text("kind", allowed: allowedKinds)), kinds.contains(kind)
        else { throw reader.invalid("kind", allowed: allowedKinds) }
        let version = reader.attributes["format_version"]?.integer
        guard version == kind.formatVersion else {
            let advice = version.map {
                $0 < kind.formatVersion
                    ? " (an earlier release wrote it: make it again, or read it with that release)"
                    : " (a later release wrote it: read it with that one)"
            }
            throw reader.invalid("format_version", allowed: "\(kind.formatVersion)\(advice ?? "")")
        }
        guard let inputs = try reader.tree("inputs").inputs else {
            throw reader.invalid("inputs", allowed: "a map of names to SHA-256 digests")
        }
        let parameters = try reader.tree("parameters")
        guard parameters.entries != nil else { throw reader.invalid("parameters", allowed: "a map") }
        self.init(
            kind: kind, stage: try reader.text("stage", allowed: "the name of a stage"),
            parameters: parameters,
            inputs: inputs)
    }
}

private struct HeaderReader {
    let path: String
    let attributes: [String: Attribute]

    func text(_ name: String, allowed: String) throws -> String {
        guard let text = attributes[name]?.text else { throw invalid(name, allowed: allowed) }
        return text
    }

    func tree(_ name: String) throws -> Tree {
        let json = try text(name, allowed: "JSON")
        do {
            return try Tree(json: json, file: "\(path)@\(name)")
        } catch {
            throw invalid(name, allowed: "JSON (\(error))")
        }
    }

    func invalid(_ name: String, allowed: String) -> ArtifactError {
        let found =
            switch attributes[name] {
            case .text(let text)?: "'\(text.prefix(60))'"
            case .integer(let value)?: "\(value)"
            case let other?: "of kind \(other.kind)"
            case nil: "missing"
            }
        return .invalidHeader(path: path, attribute: name, found: found, allowed: allowed)
    }
}
