import CHDF5

extension File {
    /// An object reached by hard links alone.
    struct Object: ~Copyable {
        let handle: Handle
        let place: Place
        let isGroup: Bool
        /// Where the object header stands in the file.
        let address: UInt
    }

    /// Walks to the object at `path`, one name at a time.
    func open(_ path: String) throws -> Object {
        var object = try root()
        for name in Group.split(path) {
            object = try open(name, in: object)
        }
        return object
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

    private func root() throws -> Object {
        let place = Place(file: path, path: "/")
        let handle = try Handle(
            H5Oopen(handle.id, "/", chdf5_default()), closedBy: H5Oclose, at: place, "open the root group")
        return try identify(handle, at: place)
    }

    /// The child `name` of a group. The link is looked at before it is followed.
    func open(_ name: String, in parent: borrowing Object) throws -> Object {
        guard parent.isGroup else {
            throw parent.place.refused(found: "a dataset", allowed: "a group, to hold '\(name)'")
        }
        let place = parent.place.child(name)
        guard Name.isUsable(name, limit: limits.nameBytes) else {
            throw place.refused(found: "a name that is not usable", allowed: Name.rule)
        }
        let exists = H5Lexists(parent.handle.id, name, chdf5_default())
        try place.check(exists >= 0, "look up the name")
        guard exists > 0 else {
            throw HDF5Error.missing(file: path, path: place.path, present: try names(in: parent))
        }
        var link = H5L_info_t()
        try place.check(
            chdf5_link_info(parent.handle.id, name, &link, chdf5_default()) >= 0, "look at the link")
        guard link.type == H5L_TYPE_HARD else {
            throw place.refused(
                found: Self.describe(link.type), allowed: "hard links (objects inside this file)")
        }
        let access = try noTraversal(at: place)
        let handle = try Handle(
            H5Oopen(parent.handle.id, name, access.id), closedBy: H5Oclose, at: place, "open the object")
        return try identify(handle, at: place)
    }

    /// Denies every external link, should one be met all the same.
    private func noTraversal(at place: Place) throws -> Handle {
        let access = try Handle(
            H5Pcreate(chdf5_link_access()), closedBy: H5Pclose, at: place, "make a property list")
        let status = H5Pset_elink_cb(access.id, { _, _, _, _, _, _, _ in -1 }, nil)
        try place.check(status >= 0 && H5Pset_nlinks(access.id, 1) >= 0, "set up the lookup")
        return access
    }

    private func identify(_ handle: consuming Handle, at place: Place) throws -> Object {
        var information = H5O_info_t()
        try place.check(chdf5_object_info(handle.id, &information) >= 0, "look at the object")
        guard information.type == H5O_TYPE_GROUP || information.type == H5O_TYPE_DATASET else {
            throw place.refused(found: "a named datatype or unknown object", allowed: "a group or a dataset")
        }
        guard information.hdr.version >= 2 || limits.acceptsOldFormat else {
            throw place.refusedOldFormat("header", version: Int(information.hdr.version))
        }
        return Object(
            handle: handle, place: place, isGroup: information.type == H5O_TYPE_GROUP,
            address: UInt(information.addr))
    }

    private static func describe(_ type: H5L_type_t) -> String {
        switch type {
        case H5L_TYPE_SOFT: "a soft link"
        case H5L_TYPE_EXTERNAL: "an external link (into another file)"
        default: "a user-defined link"
        }
    }

    /// The names of a group's children in the order of their bytes.
    func names(in group: borrowing Object) throws -> [String] {
        guard group.isGroup else { return [] }
        var collector = NameCollector(limits: limits)
        let status = withUnsafeMutablePointer(to: &collector) { context in
            chdf5_links(
                group.handle.id, { _, name, _, context in NameCollector.visit(name, context) }, context)
        }
        return try collector.finish(status, what: "children", at: group.place)
    }
}

/// Gathers names from a libhdf5 iteration, and stops it where a limit is passed.
struct NameCollector {
    private let limits: Limits
    private var names: [String] = []
    private var isOverflowing = false
    private var hasBadName = false

    init(limits: Limits) { self.limits = limits }

    static func visit(_ name: UnsafePointer<CChar>?, _ context: UnsafeMutableRawPointer?) -> herr_t {
        guard let name, let context else { return -1 }
        return context.withMemoryRebound(to: NameCollector.self, capacity: 1) { $0.pointee.add(name) }
    }

    private mutating func add(_ pointer: UnsafePointer<CChar>) -> herr_t {
        guard names.count < limits.children else {
            isOverflowing = true
            return 1
        }
        guard let name = String(validatingCString: pointer), !name.isEmpty,
            name.utf8.count <= limits.nameBytes
        else {
            hasBadName = true
            return 1
        }
        names.append(name)
        return 0
    }

    /// The sorted names, or the reason why there are none.
    func finish(_ status: herr_t, what: String, at place: Place) throws -> [String] {
        if isOverflowing {
            throw place.refused(
                found: "more than \(limits.children) \(what)", allowed: "at most \(limits.children)")
        }
        if hasBadName {
            throw place.refused(
                found: "a name among its \(what) that is empty, too long or not UTF-8",
                allowed: "1 to \(limits.nameBytes) bytes of UTF-8")
        }
        try place.check(status >= 0, "list the \(what)")
        return names.sorted(by: precedesInBytes)
    }
}
