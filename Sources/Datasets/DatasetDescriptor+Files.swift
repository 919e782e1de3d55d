internal import Parameters

// The keys `files` and `archive` of a descriptor.

extension DatasetDescriptor {
    static func members(_ fields: inout Fields, _ path: String, _ format: Format) throws -> [Role: [Member]] {
        guard let tree = fields.tree("files") else {
            throw fields.failure(
                "files", found: "nothing",
                allowed: "a map with \(format.roles.map(\.rawValue).joined(separator: ", "))")
        }
        var roles = try Fields(tree, file: path, path: "files")
        var members: [Role: [Member]] = [:]
        for role in format.roles {
            let allowed = "{file: …, sha256: …}" + (format.isDivisible ? ", or a list of these" : "")
            guard let tree = roles.tree(role.rawValue) else {
                throw roles.failure(role.rawValue, found: "nothing", allowed: allowed)
            }
            let isDivided = tree.list != nil && format.isDivisible
            let parts = isDivided ? tree.list ?? [] : [tree]
            guard !parts.isEmpty else {
                throw roles.failure(role.rawValue, found: "an empty list", allowed: allowed)
            }
            members[role] = try parts.enumerated().map { index, part in
                let place = "files.\(role.rawValue)" + (isDivided ? "[\(index)]" : "")
                var member = try Fields(part, file: path, path: place)
                return try Member(fields: &member)
            }
        }
        try roles.finish()
        let names = members.values.joined().map(\.file)
        if let name = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw fields.failure("files", found: "'\(name)' twice", allowed: "a map of different files")
        }
        return members
    }

    static func archive(_ fields: inout Fields, _ path: String) throws -> Archive? {
        guard fields.contains("archive"), let tree = fields.tree("archive") else { return nil }
        var keys = try Fields(tree, file: path, path: "archive")
        let file = try keys.fileName("file", "the tar archive's name, without .gz or .xz")
        guard file.hasSuffix(".tar") else {
            throw keys.failure("file", found: "'\(file)'", allowed: "a name that ends in .tar")
        }
        let folder = try keys.text("folder", default: "", "the folder in it that has the files")
        guard folder.isEmpty || isFileName(folder) else {
            throw keys.failure("folder", found: "'\(folder)'", allowed: "one folder's name")
        }
        try keys.finish()
        return Archive(file: file, folder: folder)
    }

    /// A name that is safe to put behind a folder.
    fileprivate static func isFileName(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9._-]*/) != nil
    }
}

extension DatasetDescriptor.Member {
    fileprivate init(fields: inout Fields) throws {
        file = try fields.fileName("file", "the file's name, without .gz or .xz and without a folder")
        sha256 = try fields.text("sha256", "SHA-256 of the decompressed bytes")
        guard sha256.wholeMatch(of: /[0-9a-f]{64}/) != nil else {
            throw fields.failure(
                "sha256", found: "'\(sha256)'",
                allowed: "64 lower-case hexadecimal digits, of the decompressed bytes")
        }
        try fields.finish()
    }
}

extension Fields {
    fileprivate mutating func fileName(_ key: String, _ help: String) throws -> String {
        let name = try text(key, help)
        guard DatasetDescriptor.isFileName(name), !name.hasSuffix(".gz"), !name.hasSuffix(".xz") else {
            throw failure(
                key, found: "'\(name)'", allowed: "a file's name, without .gz or .xz and without a folder")
        }
        return name
    }
}
