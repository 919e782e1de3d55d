extension File {
    /// A group or dataset reached by hard links alone.
    struct Object {
        let content: StoredObject
        let place: Place

        var isGroup: Bool { content.links != nil }
        /// The names of a group's children in the order of their bytes.
        var names: [String] { (content.links ?? [:]).keys.sorted(by: precedesInBytes) }
    }

    /// Walks to the object at `path`, one name at a time.
    func open(_ path: String) throws -> Object {
        let place = Place(file: self.path, path: "/")
        let root = Object(
            content: try objects.object(at: objects.root, limits, place: place), place: place)
        guard root.isGroup else { throw place.refused(found: "a dataset", allowed: "a group, as the root") }
        return try Group.split(path).reduce(root) { try open($1, in: $0) }
    }

    func openGroup(_ path: String) throws -> Object {
        let object = try open(path)
        guard object.isGroup else { throw object.place.refused(found: "a dataset", allowed: "a group") }
        return object
    }

    func openDataset(_ path: String) throws -> Object {
        let object = try open(path)
        guard !object.isGroup else { throw object.place.refused(found: "a group", allowed: "a dataset") }
        return object
    }

    /// The child `name` of a group. The link is looked at before it is followed.
    func open(_ name: String, in parent: Object) throws -> Object {
        guard let links = parent.content.links else {
            throw parent.place.refused(found: "a dataset", allowed: "a group, to hold '\(name)'")
        }
        let place = parent.place.child(name)
        guard Name.isUsable(name, limit: limits.nameBytes) else {
            throw place.refused(found: "a name that is not usable", allowed: Name.rule)
        }
        guard let target = links[name] else {
            throw HDF5Error.missing(file: path, path: place.path, present: parent.names)
        }
        guard case .hard(let address) = target else {
            throw place.refused(
                found: Self.describe(target), allowed: "hard links (objects inside this file)")
        }
        return Object(content: try objects.object(at: address, limits, place: place), place: place)
    }

    private static func describe(_ target: Link.Target) -> String {
        switch target {
        case .hard: "a hard link"
        case .soft: "a soft link"
        case .external: "an external link (into another file)"
        case .userDefined: "a user-defined link"
        }
    }
}
