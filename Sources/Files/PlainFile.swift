import Glibc

/// A file that is there whole or not at all.
package enum PlainFile {
    /// Writes a file: a temporary beside it, to the disk, then its name, replacing what was there.
    ///
    /// - Parameters:
    ///   - path: the file; its folder is made if need be.
    ///   - write: creates a new file at the path it is given.
    /// - Throws: `FileError.system` if the folder cannot be written; what `write` throws. Nothing partial
    ///   stays.
    package static func publish(at path: String, write: (String) throws -> Void) throws {
        let folder = FileSystem.folder(of: path) ?? "/"
        try FileSystem.makeFolder(folder)
        let temporary = temporaryPath(for: path)
        try FileSystem.withTemporary(temporary) {
            try write(temporary)
            try FileSystem.synchronize(temporary)
            try FileSystem.rename(temporary, to: path)
        }
        try FileSystem.synchronize(folder)
    }

    /// Makes way for a file that is opened for writing under its name: a folder is moved aside, what else is no regular
    /// file goes, a link without what it leads to.
    package static func makeWay(for path: String) throws {
        guard let entry = FileSystem.entry(at: path) else { return }
        if case .file = entry { return }
        try FileSystem.remove(path)
    }

    /// Writes a text under a name at once, unless the file holds just that already.
    ///
    /// It does not wait for the disk: for files that the planner can write again.
    /// - Returns: whether it had to be written.
    @discardableResult
    package static func write(_ text: String, to path: String) throws -> Bool {
        if (try? FileSystem.text(of: path)) == text { return false }
        try FileSystem.makeFolder(FileSystem.folder(of: path) ?? "/")
        let temporary = temporaryPath(for: path)
        try FileSystem.withTemporary(temporary) {
            try OpenFile(creating: temporary).write(text.utf8)
            try FileSystem.rename(temporary, to: path)
        }
        return true
    }

    private static func temporaryPath(for path: String) -> String {
        "\(FileSystem.folder(of: path) ?? "/")/\(TemporaryName.of("\(FileSystem.name(of: path)).\(getpid())"))"
    }
}

/// Names of files that are not complete yet.
package enum TemporaryName {
    package static func of(_ name: String) -> String { ".\(name).temporary" }

    package static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(".") && name.hasSuffix(".temporary")
    }
}
