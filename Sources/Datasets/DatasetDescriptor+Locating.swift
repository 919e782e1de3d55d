import Files

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

    /// Looks for folders that have every file of the dataset, or the archive of them, each plain, gzip or xz, and in those
    /// folders for the ones that archives and other programs make there.
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
            do {
                let folder = try FolderContents(of: path)
                let folders = [folder] + subfolders(of: folder)
                let located = folders.compactMap(loose) + folders.compactMap(packed)
                found += located.filter { !found.contains($0) }
                if located.isEmpty { tried.append(.init(path: place.label, reason: lack(in: folder))) }
            } catch {
                tried.append(.init(path: place.label, reason: error.lackOfFolder))
            }
        }
        return (found, tried)
    }

    /// The archive's own folder, `raw`, and one of the dataset's name with these in it.
    private func subfolders(of folder: FolderContents) -> [FolderContents] {
        let inner = ["raw", archive?.folder ?? ""].filter { !$0.isEmpty }
        let named = folder.folders(like: [name])
        return folder.folders(like: inner) + named + named.flatMap { $0.folders(like: inner) }
    }

    private func loose(in folder: FolderContents) -> LocatedMembers? {
        var paths: [String: String] = [:]
        for file in files { paths[file] = folder.path(of: file) }
        return paths.count == files.count ? LocatedMembers(place: folder.path, source: .files(paths)) : nil
    }

    private func packed(in folder: FolderContents) -> LocatedMembers? {
        archive.flatMap { folder.path(of: $0.file) }.map { LocatedMembers(place: $0, source: .archive) }
    }

    // MARK: Why nothing was found

    private func lack(in folder: FolderContents) -> String {
        let present = files.reduce(into: [String: String]()) { $0[$1] = folder.path(of: $1) }
        let lacking = files.filter { present[$0] == nil }.sorted()
        let archived = archive.map { "\($0.file), and " } ?? ""
        let names = folder.names.filter {
            !files.contains("\($0).bin") || !FileSystem.isFolder("\(folder.path)/\($0)")
        }
        var notes = [note(on: names), elsewhere(in: folder, lacking)].compactMap { $0 }
        if !folder.isListed { notes.append("you have no permission to list it") }
        if notes.isEmpty {
            let known = Set(present.values)
            let others = folder.names.filter { !known.contains("\(folder.path)/\($0)") }
            if !others.isEmpty { notes = ["there are \(Self.listed(others))"] }
        }
        let lacks = "lacks \(archived)\(lacking.joined(separator: ", ")) (plain, .gz or .xz)"
        return ([lacks] + notes).joined(separator: "; ")
    }

    /// What lies deeper, where it is not looked for on its own, since folders of different datasets hold equal names.
    private func elsewhere(in folder: FolderContents, _ lacking: [String]) -> String? {
        func inside(_ path: String, _ names: [String]) -> [String] {
            names.prefix(100).map { "\(path)/\($0)" }.filter(FileSystem.isFolder)
        }
        let near = inside(folder.path, folder.names)
        let far = near.flatMap { inside($0, (try? FolderContents(of: $0))?.names ?? []) }
        func held(_ folder: String) -> [String] {
            lacking.filter { FolderContents.path(of: $0, in: folder) != nil }
        }
        guard let best = (near + far).first(where: { !held($0).isEmpty }) else { return nil }
        return
            "\(best) has \(held(best).joined(separator: ", ")): if they are this dataset's, put them here, or "
            + "that folder's path into `places` of \(path)"
    }

    /// What is to be said of files that are no dataset's of this format, by their names.
    func note(on names: [String]) -> String? {
        guard format != .idx else { return nil }
        let versions = ["Python": ["-python", "batches-py"], "MATLAB": ["-matlab", "batches-mat"]]
        for (version, marks) in versions.sorted(by: { $0.key > $1.key }) {
            let name = names.first { name in
                marks.contains { name.contains($0) } || version == "Python" && files.contains("\(name).bin")
            }
            guard let name else { continue }
            let wanted = archive?.file ?? files.joined(separator: ", ")
            let source = url.map { " from \($0)" } ?? ""
            return "\(name) is of the \(version) version, which is not read; "
                + "the binary version is needed, \(wanted)\(source)"
        }
        return nil
    }

    /// The first few names of a list.
    static func listed(_ names: [String]) -> String {
        let rest = names.count > 6 ? " and \(names.count - 6) more" : ""
        return names.prefix(6).joined(separator: ", ") + rest
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
