import Growth
import Networks
import Parameters

/// Reads the section `branches:`, each branch as the whole experiment with its own changes.
struct BranchReader {
    let file: String
    /// The file's sections that a branch may change.
    let base: Tree

    /// - Parameters:
    ///   - section: name -> changes, by dotted path or nested; nil is one branch `main` without any.
    ///   - fields: of the file; what is wrong with a branch is added to what is wrong with it.
    func branches(_ section: Tree?, _ fields: inout Fields) throws -> [Pipeline.Branch] {
        guard let section else { return [try branch("main", changes: .empty, fields)].compactMap(\.self) }
        guard let entries = section.entries, (1...Pipeline.maximumChains).contains(entries.count) else {
            fields.refuse("branches") {
                .wrongType(
                    $0, found: section.summary,
                    allowed: "a map of names to changes, such as {tiny: {growth.method: tiny}}")
            }
            return []
        }
        var branches: [(Pipeline.Branch, Tree.Entry)] = []
        for entry in entries {
            if !PipelineName.isValid(entry.key) {
                fields.refuse(
                    "branches", element: (".\(entry.key)", Tree(entry.value.content, line: entry.line)),
                    found: "the name '\(entry.key)'", allowed: PipelineName.allowed)
            }
            let changes = changes(entry.value, ".\(entry.key)", &fields)
            if let changes, let branch = try branch(entry.key, changes: changes, fields) {
                branches.append((branch, entry))
            }
        }
        if branches.count == entries.count { checkReferences(branches, &fields) }
        return branches.map(\.0)
    }

    /// - Returns: nil where the branch cannot be read.
    private func branch(_ name: String, changes: Tree, _ fields: Fields) throws -> Pipeline.Branch? {
        let tree = Experiment.schema.merged(changes, over: base)
        let path = changes == .empty ? "" : "branches.\(name)"
        let experiment = try fields.inside(tree, path: path, identity: "") {
            try Experiment(fields: &$0)
        }
        return experiment.map { experiment in
            Pipeline.Branch(
                name: name, experiment: experiment, setsSeedEpochs: changes["seed.epochs"] != nil,
                tree: tree, changes: changes)
        }
    }

    /// The changes as a tree of sections: `growth.method: x` is `growth: {method: x}`.
    ///
    /// - Parameter path: below `branches`, for messages.
    /// - Returns: nil where they were refused.
    private func changes(_ tree: Tree, _ path: String, _ fields: inout Fields) -> Tree? {
        if tree.isNull { return .empty }
        guard let entries = tree.entries, entries.count <= Self.maximumChanges else {
            fields.refuse("branches", element: (path, tree)) {
                .wrongType(
                    $0, found: tree.summary,
                    allowed: "a map of changes, such as {growth.method: tiny}, at most \(Self.maximumChanges)"
                )
            }
            return nil
        }
        var changes = Tree.empty
        for entry in entries {
            var value = entry.value
            value.line = entry.line
            guard Tree.isPath(entry.key) else {
                fields.refuse(
                    "branches", element: ("\(path).\(entry.key)", value), found: "a path of so many keys",
                    allowed: "a path of at most \(Tree.maximumDepth)")
                continue
            }
            var change = Tree(.map([]), line: entry.line)
            change[entry.key] = value
            if let both = sharedPath(change, changes) {
                fields.refuse("branches", element: ("\(path).\(both)", value)) {
                    .duplicateKey($0, firstLine: changes[both]?.line)
                }
                continue
            }
            changes = change.merged(over: changes)
        }
        return changes
    }

    /// The most branches that `final-of` may lead through.
    private static let longestWay = 16

    /// More than there are fields; each is compared with all others.
    private static let maximumChanges = 1000

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

    /// What a branch needs of others must lead, in the end, to branches that need nothing.
    private func checkReferences(_ branches: [(Pipeline.Branch, Tree.Entry)], _ fields: inout Fields) {
        let byName = Dictionary(uniqueKeysWithValues: branches.map { ($0.0.name, $0.0) })
        var refused: Set<String> = []
        /// Why a way of needs leads nowhere, and the branches on it; nil where all is well.
        func problem(_ way: [String], _ key: String) -> (way: [String], ParameterErrorMaker)? {
            let last = way[way.count - 1]
            let keyword = key == "network" ? "final-of" : "flops-of"
            guard let branch = byName[last] else {
                return (way.dropLast(), { .notAChoice($0, found: last, allowed: branches.map(\.0.name)) })
            }
            let isCircle = way.dropLast().contains(last)
            guard !isCircle, way.count <= Self.longestWay else {
                let found =
                    "\(keyword) \(isCircle ? "in a circle" : "so long a way") (\(way.joined(separator: " -> ")))"
                return (
                    way,
                    {
                        .notAllowed(
                            $0, found: found,
                            allowed: "\(keyword) a branch that leads to a network of its own, at most "
                                + "\(Self.longestWay) branches away")
                    }
                )
            }
            guard !refused.contains(last) else { return nil }
            for need in branch.needs {
                if let found = problem(way + [need.branch], need.key) { return found }
            }
            return nil
        }
        for (branch, entry) in branches {
            for need in branch.needs where !refused.contains(branch.name) {
                if let found = problem([branch.name, need.branch], need.key) {
                    refused.formUnion(found.way)
                    let given = entry.value[need.key] ?? base[need.key] ?? entry.value
                    fields.refuse(
                        "branches", element: (".\(branch.name).\(need.key)", given), found.1)
                } else if need.key == "cost", byName[need.branch]?.experiment.growth.rounds == 0 {
                    refused.insert(branch.name)
                    fields.refuse(
                        "branches", element: (".\(branch.name).cost", entry.value["cost"] ?? entry.value),
                        found: "the cost of \(need.branch), which grows nothing,",
                        allowed: "flops-of a branch that grows")
                }
            }
        }
    }

    private typealias ParameterErrorMaker = (Place) -> ParameterError
}
