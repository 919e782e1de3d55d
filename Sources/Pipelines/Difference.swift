package import Artifacts
package import Files
import Parameters

/// One part of a key that is not as it was.
package enum Difference: Equatable, Sendable, CustomStringConvertible {
    case source(from: String, to: String)
    case platform(from: String, to: String)
    case parameter(path: String, from: String?, to: String?)
    case input(name: String, from: Digest?, to: Digest?)

    package var description: String {
        switch self {
        case .source(let from, let to): "the source code changed (\(from.prefix(12)) -> \(to.prefix(12)))"
        case .platform(let from, let to): "the numeric libraries changed from '\(from)' to '\(to)'"
        case .parameter(let path, let from?, let to?): "\(path) changed from \(from) to \(to)"
        case .parameter(let path, nil, let to): "\(path) is new: \(to ?? "nothing")"
        case .parameter(let path, let from?, nil): "\(path) is gone; it was \(from)"
        case .input(let name, let from?, let to?):
            "the input \(name) changed (\(from.hexadecimal.prefix(12)) -> \(to.hexadecimal.prefix(12)))"
        case .input(let name, nil, _): "the input \(name) is new"
        case .input(let name, _, nil): "the input \(name) is gone"
        }
    }

    /// What differs between two keys of the same stage, in the order source, platform, parameters, inputs.
    package static func between(_ old: KeyParts, _ new: KeyParts) -> [Difference] {
        var differences: [Difference] = []
        if old.source != new.source { differences.append(.source(from: old.source, to: new.source)) }
        if old.platform != new.platform {
            differences.append(.platform(from: old.platform, to: new.platform))
        }
        differences += changes(old.parameters.leaves, new.parameters.leaves).map {
            .parameter(path: $0, from: $1, to: $2)
        }
        differences += changes(old.inputs, new.inputs).map { .input(name: $0, from: $1, to: $2) }
        return differences
    }

    private static func changes<Value: Equatable>(
        _ old: [String: Value], _ new: [String: Value]
    ) -> [(String, Value?, Value?)] {
        Set(old.keys).union(new.keys).sorted()
            .filter { old[$0] != new[$0] }
            .map { ($0, old[$0], new[$0]) }
    }
}

extension Tree {
    /// Everything that is not a map, as canonical JSON by dotted path; lists count as one value.
    var leaves: [String: String] {
        var leaves: [String: String] = [:]
        func collect(_ tree: Tree, _ path: String) {
            guard let entries = tree.entries, !(entries.isEmpty && path.isEmpty) else {
                if !path.isEmpty { leaves[path] = tree.canonicalJSON }
                return
            }
            for entry in entries { collect(entry.value, path.isEmpty ? entry.key : "\(path).\(entry.key)") }
        }
        collect(self, "")
        return leaves
    }
}
