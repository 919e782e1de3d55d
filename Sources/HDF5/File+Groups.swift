extension File {
    /// The names of the groups in a group, sorted.
    package func groups(in path: String = "/") throws -> [String] {
        try children(of: path, areGroups: true)
    }

    /// The names of the datasets in a group, sorted.
    package func datasets(in path: String = "/") throws -> [String] {
        try children(of: path, areGroups: false)
    }

    private func children(of path: String, areGroups: Bool) throws -> [String] {
        let group = try openGroup(path)
        return try group.names.filter { try open($0, in: group).isGroup == areGroups }
    }

    /// Whether there is a group or dataset at `path`. False where a name is missing; other trouble is thrown.
    package func has(_ path: String) throws -> Bool {
        do {
            _ = try open(path)
            return true
        } catch HDF5Error.missing {
            return false
        }
    }

    /// Checks that a group has all of `children`, perhaps some of `optional`, and nothing else.
    package func require(
        _ children: Set<String>, optional: Set<String> = [], in path: String = "/"
    ) throws {
        let group = try openGroup(path)
        let present = Set(group.names)
        let missing = children.subtracting(present)
        let unexpected = present.subtracting(children).subtracting(optional)
        guard missing.isEmpty, unexpected.isEmpty else {
            throw HDF5Error.unexpectedChildren(
                file: self.path, path: group.place.path, missing: missing.sorted(by: precedesInBytes),
                unexpected: unexpected.sorted(by: precedesInBytes))
        }
    }

    /// A group and everything below it, as a value.
    package func group(_ path: String = "/") throws -> Group {
        try readTree(try openGroup(path), depth: 0)
    }

    private func readTree(_ object: Object, depth: Int) throws -> Group {
        guard depth <= limits.depth else {
            throw object.place.refused(
                found: "groups nested deeper than \(limits.depth) levels", allowed: "\(limits.depth) levels")
        }
        var group = Group(attributes: try attributes(of: object))
        for name in object.names {
            let child = try open(name, in: object)
            if child.isGroup {
                group.groups[name] = try readTree(child, depth: depth + 1)
            } else {
                group.datasets[name] = try readDataset(child)
            }
        }
        return group
    }
}
