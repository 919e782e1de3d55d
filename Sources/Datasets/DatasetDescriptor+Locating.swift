internal import Foundation

/// All files of a dataset in one folder, not yet looked into.
package struct LocatedMembers: Sendable, Equatable {
    package var folder: String
    /// The path of each file, with `.gz` where it has it.
    package var paths: [DatasetDescriptor.Role: String]
}

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

    /// Looks for folders that have every file of the dataset, with or without `.gz`; where a folder has both, the
    /// one without.
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
            switch members(in: path) {
            case .success(let located): found.append(located)
            case .failure(let lack): tried.append(.init(path: place.label, reason: lack.reason))
            }
        }
        return (found, tried)
    }

    private struct Lack: Error { var reason: String }

    private func members(in folder: String) -> Result<LocatedMembers, Lack> {
        let manager = FileManager.default
        var isFolder: ObjCBool = false
        guard manager.fileExists(atPath: folder, isDirectory: &isFolder) else {
            return .failure(Lack(reason: "no such folder"))
        }
        guard isFolder.boolValue else { return .failure(Lack(reason: "not a folder")) }
        var paths: [Role: String] = [:]
        for (role, member) in members {
            let plain = "\(folder)/\(member.file)"
            paths[role] = [plain, plain + ".gz"].first { manager.fileExists(atPath: $0) }
        }
        let lacking = members.filter { paths[$0.key] == nil }.map(\.value.file).sorted()
        guard lacking.isEmpty else {
            return .failure(Lack(reason: "lacks \(lacking.joined(separator: ", ")) (plain or .gz)"))
        }
        return .success(LocatedMembers(folder: folder, paths: paths))
    }

    /// One sentence for each way to get the files.
    func help(_ environment: DataEnvironment) -> [String] {
        var ways: [String] = []
        if let package { ways.append("`make setup`, or `apt-get install \(package)` as root") }
        if let url, environment.offline { ways.append("unset OFFLINE, and they are downloaded from \(url)") }
        ways.append(
            "put \(files.joined(separator: ", ")) (plain or .gz) into a folder \(name)/ and set DATA_MIRROR to the "
                + "folder above it")
        if url == nil && package == nil { ways.append("see \(homepage)") }
        return ways
    }
}
