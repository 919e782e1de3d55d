import CHDF5

extension File {
    /// The names of the groups in a group, sorted.
    package func groups(in path: String = "/") throws -> [String] {
        try Library.exclusively { try children(of: path, areGroups: true) }
    }

    /// The names of the datasets in a group, sorted.
    package func datasets(in path: String = "/") throws -> [String] {
        try Library.exclusively { try children(of: path, areGroups: false) }
    }

    private func children(of path: String, areGroups: Bool) throws -> [String] {
        let group = try openGroup(path)
        var result: [String] = []
        for name in try names(in: group) where try open(name, in: group).isGroup == areGroups {
            result.append(name)
        }
        return result
    }

    /// Whether there is a group or dataset at `path`. False where a name is missing; other trouble is thrown.
    package func has(_ path: String) throws -> Bool {
        do {
            return try Library.exclusively {
                _ = try open(path)
                return true
            }
        } catch HDF5Error.missing {
            return false
        }
    }

    /// Checks that a group has all of `children`, perhaps some of `optional`, and nothing else.
    package func require(
        _ children: Set<String>, optional: Set<String> = [], in path: String = "/"
    ) throws {
        try Library.exclusively {
            let group = try openGroup(path)
            let present = Set(try names(in: group))
            let missing = children.subtracting(present)
            let unexpected = present.subtracting(children).subtracting(optional)
            guard missing.isEmpty, unexpected.isEmpty else {
                throw HDF5Error.unexpectedChildren(
                    file: self.path, path: group.place.path, missing: missing.sorted(by: precedesInBytes),
                    unexpected: unexpected.sorted(by: precedesInBytes))
            }
        }
    }

    /// A group and everything below it, as a value.
    ///
    /// An object that two hard links reach is refused: a tree has none, and a file could make a loop of it.
    package func group(_ path: String = "/") throws -> Group {
        try Library.exclusively {
            var seen: Set<UInt> = []
            return try readTree(try openGroup(path), depth: 0, seen: &seen)
        }
    }

    private func readTree(_ object: borrowing Object, depth: Int, seen: inout Set<UInt>) throws -> Group {
        guard depth <= limits.depth else {
            throw object.place.refused(
                found: "groups nested deeper than \(limits.depth) levels", allowed: "\(limits.depth) levels")
        }
        seen.insert(object.address)
        var group = Group(attributes: try attributes(of: object))
        for name in try names(in: object) {
            let child = try open(name, in: object)
            guard !seen.contains(child.address) else {
                throw child.place.refused(
                    found: "a second link to an object met before", allowed: "one link to each object")
            }
            if child.isGroup {
                group.groups[name] = try readTree(child, depth: depth + 1, seen: &seen)
            } else {
                seen.insert(child.address)
                group.datasets[name] = try readDataset(child)
            }
        }
        return group
    }
}
