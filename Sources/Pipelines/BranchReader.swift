import Networks
import Parameters

/// Reads the section `branches:`, each branch as the whole experiment with its own changes.
struct BranchReader {
    let file: String
    /// The file's sections that a branch may change.
    let base: Tree

    /// - Parameter section: name -> changes, by dotted path or nested; nil is one branch `main` without any.
    func branches(_ section: Tree?) throws -> [Pipeline.Branch] {
        guard let section else { return [try branch("main", changes: .empty)] }
        guard let entries = section.entries, !entries.isEmpty else {
            throw ParameterError.wrongType(
                Place(file: file, line: section.line, path: "branches"), found: section.summary,
                allowed: "a map of names to changes, such as {tiny: {growth.method: tiny}}")
        }
        let branches = try entries.map { entry in
            let place = Place(file: file, line: entry.line, path: "branches.\(entry.key)")
            guard PipelineName.isValid(entry.key) else {
                throw ParameterError.notAllowed(
                    place, found: "the name '\(entry.key)'", allowed: PipelineName.allowed)
            }
            return try branch(entry.key, changes: try changes(entry.value, at: place))
        }
        try checkReferences(branches, entries)
        return branches
    }

    private func branch(_ name: String, changes: Tree) throws -> Pipeline.Branch {
        var base = base
        // The forms of `neurons` exclude each other: another one replaces it, and is not merged with it.
        if changes["growth.neurons"] != nil { base["growth.neurons"] = nil }
        // So do families of networks.
        let kind = base["network.kind"]?.text ?? MLP.kind
        if let other = changes["network.kind"]?.text, other != kind { base["network"] = nil }
        let tree = changes.merged(over: base)
        let path = changes == .empty ? "" : "branches.\(name)"
        var fields = try Fields(tree, file: file, path: path)
        let experiment = try Experiment(fields: &fields, file: file, path: path)
        try fields.finish()
        return Pipeline.Branch(
            name: name, experiment: experiment, setsSeedEpochs: changes["seed.epochs"] != nil,
            tree: tree, changes: changes)
    }

    /// The changes as a tree of sections: `growth.method: x` is `growth: {method: x}`.
    private func changes(_ tree: Tree, at place: Place) throws -> Tree {
        if tree.isNull { return .empty }
        guard let entries = tree.entries else {
            throw ParameterError.wrongType(
                Place(file: file, line: tree.line, path: place.path), found: tree.summary,
                allowed: "a map of changes, such as {growth.method: tiny}")
        }
        var changes = Tree.empty
        for entry in entries {
            var change = Tree(.map([]), line: entry.line)
            change[entry.key] = Tree(entry.value.content, line: entry.line)
            if let both = sharedPath(change, changes) {
                throw ParameterError.duplicateKey(
                    Place(file: file, line: entry.line, path: "\(place.path).\(both)"),
                    firstLine: changes[both]?.line)
            }
            changes = change.merged(over: changes)
        }
        return changes
    }

    /// The path of a value that both trees give.
    private func sharedPath(_ first: Tree, _ second: Tree) -> String? {
        guard let firstEntries = first.entries, second.entries != nil else { return "" }
        for entry in firstEntries {
            guard let other = second[entry.key] else { continue }
            guard let rest = sharedPath(entry.value, other) else { continue }
            return rest.isEmpty ? entry.key : "\(entry.key).\(rest)"
        }
        return nil
    }

    /// `final-of` must lead, in the end, to a branch with a network of its own.
    private func checkReferences(_ branches: [Pipeline.Branch], _ entries: [Tree.Entry]) throws {
        let byName = Dictionary(uniqueKeysWithValues: branches.map { ($0.name, $0) })
        for (branch, entry) in zip(branches, entries) {
            let line = entry.value["network"]?.line ?? base["network"]?.line ?? entry.line
            let place = Place(file: file, line: line, path: "branches.\(branch.name).network")
            var way = [branch.name]
            var current = branch
            while case .finalOf(let next) = current.experiment.start {
                guard let found = byName[next] else {
                    throw ParameterError.notAChoice(place, found: next, allowed: branches.map(\.name))
                }
                way.append(next)
                guard Set(way).count == way.count else {
                    throw ParameterError.notAllowed(
                        place, found: "final-of in a circle (\(way.joined(separator: " -> ")))",
                        allowed: "final-of a branch that leads to a network of its own")
                }
                current = found
            }
        }
    }
}
