internal import Foundation

extension DatasetDescriptor {
    /// A folder to look in, and what it is called in messages when there is no such folder to name.
    private struct Place {
        var path: String?
        var label: String
    }

    /// In order: the descriptor's places, `$DATA_MIRROR/<name>`, `$DATA_MIRROR`, the download cache.
    private func candidates(_ environment: DataEnvironment) -> [Place] {
        let own = places.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" }.map { Place(path: $0, label: $0) }
        var mirror = [Place(path: nil, label: "$DATA_MIRROR")]
        if let root = environment.mirror {
            let folders: [String] = ["\(root)/\(name)", root]
            mirror = folders.map { Place(path: $0, label: "\($0) ($DATA_MIRROR)") }
        }
        return own + mirror + [Place(path: cache, label: cache)]
    }

    /// Looks for folders that have every file of the dataset, or the archive of them, each with or without `.gz` or `.xz`;
    /// where a folder has several of these, the plain one first.
    /// - Returns: those that have them, in the order in which they are to be used, and why the others do not.
    package func locate(_ environment: DataEnvironment) -> (
        found: [LocatedMembers], tried: [DatasetError.Place]
    ) {
        var found: [LocatedMembers] = []
        var tried: [DatasetError.Place] = []
        for place in candidates(environment) {
            guard let path = place.path else {
                tried.append(.init(path: place.label, reason: "not set"))
                continue
            }
            let located = [loose(in: path), unpacked(in: path), packed(in: path)].compactMap { $0 }
            found += located
            if located.isEmpty { tried.append(.init(path: place.label, reason: lack(in: path))) }
        }
        return (found, tried)
    }

    /// The path of a file, with the first suffix under which it is there.
    private func existing(_ file: String, in folder: String) -> String? {
        ByteStream.suffixes.map { "\(folder)/\(file)\($0)" }.first {
            FileManager.default.fileExists(atPath: $0)
        }
    }

    private func loose(in folder: String) -> LocatedMembers? {
        var paths: [String: String] = [:]
        for file in files { paths[file] = existing(file, in: folder) }
        return paths.count == files.count ? LocatedMembers(place: folder, source: .files(paths)) : nil
    }

    private func unpacked(in folder: String) -> LocatedMembers? {
        guard let archive, !archive.folder.isEmpty else { return nil }
        return loose(in: "\(folder)/\(archive.folder)")
    }

    private func packed(in folder: String) -> LocatedMembers? {
        archive.flatMap { existing($0.file, in: folder) }.map { LocatedMembers(place: $0, source: .archive) }
    }

    /// Why nothing was found in a folder.
    private func lack(in folder: String) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            return "no such folder"
        }
        guard isFolder.boolValue else { return "not a folder" }
        let lacking = files.filter { existing($0, in: folder) == nil }.sorted().joined(separator: ", ")
        let archived = archive.map { "\($0.file), and " } ?? ""
        return "lacks \(archived)\(lacking) (plain, .gz or .xz)"
    }

    /// One sentence for each way to get the files.
    func help(_ environment: DataEnvironment) -> [String] {
        var ways: [String] = []
        if let package { ways.append("`make setup`, or `apt-get install \(package)` as root") }
        if let url, environment.offline { ways.append("unset OFFLINE, and they are downloaded from \(url)") }
        let archived = archive.map { "\($0.file), or " } ?? ""
        ways.append(
            "put \(archived)\(files.joined(separator: ", ")) (plain, .gz or .xz) into a folder \(name)/ and set "
                + "DATA_MIRROR to the folder above it")
        if url == nil && package == nil { ways.append("see \(homepage)") }
        return ways
    }
}
