internal import Parameters

// The keys `files` and `archive` of a descriptor.

extension DatasetDescriptor {
    static func members(_ fields: inout Fields, _ format: Format) throws -> [Role: [Member]] {
        guard let tree = fields.tree("files") else {
            fields.addMissing(
                "files", allowed: "a map with \(format.roles.map(\.rawValue).joined(separator: ", "))")
            return [:]
        }
        // Which files there are follows from the format.
        if fields.hasRefused("format") { return [:] }
        let members = try fields.inside(tree, path: "files") { try Self.members(of: &$0, format) } ?? [:]
        var seen: Set<String> = []
        for name in members.values.joined().map(\.file) where !seen.insert(name).inserted && !name.isEmpty {
            fields.refuse("files", found: "'\(name)' twice", allowed: "a map of different files")
        }
        return members
    }

    private static func members(of roles: inout Fields, _ format: Format) throws -> [Role: [Member]] {
        var members: [Role: [Member]] = [:]
        for role in format.roles {
            let allowed = "{file: …, sha256: …}" + (format.isDivisible ? ", or a list of these" : "")
            guard let tree = roles.tree(role.rawValue) else {
                roles.addMissing(role.rawValue, allowed: allowed)
                continue
            }
            let isDivided = tree.list != nil && format.isDivisible
            let parts = isDivided ? tree.list ?? [] : [tree]
            if parts.isEmpty { roles.refuse(role.rawValue, found: "an empty list", allowed: allowed) }
            members[role] = try parts.enumerated().compactMap { index, part in
                let place = "files.\(role.rawValue)" + (isDivided ? "[\(index)]" : "")
                return try roles.inside(part, path: place) { try Member(fields: &$0) }
            }
        }
        return members
    }

    static func archive(_ fields: inout Fields) throws -> Archive? {
        guard fields.contains("archive"), let tree = fields.tree("archive") else { return nil }
        return try fields.inside(tree, path: "archive") { keys in
            let file = try keys.fileName("file", "the tar archive's name, without .gz or .xz")
            if !file.hasSuffix(".tar") {
                keys.refuse("file", found: "'\(file)'", allowed: "a name that ends in .tar")
            }
            let folder = try keys.read("folder", .text, default: "", "the folder in it that has the files")
            if !folder.isEmpty, !isFileName(folder) {
                keys.refuse("folder", found: "'\(folder)'", allowed: "one folder's name")
            }
            return Archive(file: file, folder: folder)
        }
    }

    /// A name that is safe to put behind a folder.
    fileprivate static func isFileName(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9._-]*/) != nil
    }
}

extension DatasetDescriptor.Member {
    fileprivate init(fields: inout Fields) throws {
        file = try fields.fileName("file", "the file's name, without .gz or .xz and without a folder")
        sha256 = try fields.read("sha256", .text, "SHA-256 of the decompressed bytes")
        if sha256.wholeMatch(of: /[0-9a-f]{64}/) == nil {
            fields.refuse(
                "sha256", found: "'\(sha256)'",
                allowed: "64 lower-case hexadecimal digits, of the decompressed bytes")
        }
    }
}

extension Fields {
    fileprivate mutating func fileName(_ key: String, _ help: String) throws -> String {
        let name = try read(key, .text, help)
        if !DatasetDescriptor.isFileName(name) || name.hasSuffix(".gz") || name.hasSuffix(".xz") {
            refuse(
                key, found: "'\(name)'", allowed: "a file's name, without .gz or .xz and without a folder")
        }
        return name
    }
}
