import Files
import Glibc

/// The names in a folder, and how names that people and programs change stand for one another.
struct FolderContents {
    let path: String
    /// Sorted; none where the folder may be entered but not listed.
    let names: [String]
    let isListed: Bool

    /// So many names are looked at; a folder with more is none that somebody put a dataset's files into.
    private static let largestCount = 10_000

    /// - Throws: `FileError.system`.
    init(of path: String) throws(FileError) {
        self.path = path
        do {
            names = try FileSystem.names(in: path, limit: Self.largestCount).filter { !$0.hasPrefix(".") }
            isListed = true
        } catch FileError.system(_, _, EACCES) where access(path, X_OK) == 0 {
            (names, isListed) = ([], false)
        }
    }

    /// The folders in it whose names are like one of these.
    func folders(like wanted: [String]) -> [FolderContents] {
        let wanted = Set(wanted.map(Self.letters))
        return names.filter { wanted.contains(Self.letters($0)) }.map { "\(path)/\($0)" }
            .compactMap { FileSystem.isFolder($0) ? try? FolderContents(of: $0) : nil }
    }

    /// The path of a file: under its name, with the first suffix under which it is there; in a folder of its name, as some
    /// archives unpack; or under a name that differs only in dots, dashes and capitals.
    func path(of file: String) -> String? { Self.path(of: file, in: path) ?? likeness(of: file) }

    /// As above, but for other names.
    static func path(of file: String, in folder: String) -> String? {
        for suffix in ByteStream.suffixes {
            let path = "\(folder)/\(file)\(suffix)"
            guard FileSystem.entry(at: path) != nil else { continue }
            guard FileSystem.isFolder(path) else { return path }
            if let inner = (try? FolderContents(of: path))?.likeness(of: file) { return inner }
        }
        return nil
    }

    private func likeness(of file: String) -> String? {
        names.first { Self.isLike($0, file) && !FileSystem.isFolder("\(path)/\($0)") }.map { "\(path)/\($0)" }
    }

    /// Whether a name stands for a file: `train-images.idx3-ubyte (1).gz` for `train-images-idx3-ubyte`.
    private static func isLike(_ name: String, _ file: String) -> Bool {
        var stem = name.lowercased().replacing(#/\ ?\([0-9]+\)/#, with: "")[...]
        while let suffix = ByteStream.suffixes.dropFirst().first(where: { stem.hasSuffix($0) }) {
            stem = stem.dropLast(suffix.count)
        }
        func parts(_ name: Substring) -> [Substring] {
            name.split { ".-_ ".contains($0) }
        }
        return parts(stem) == parts(file.lowercased()[...])
    }

    /// A name without what differs between `fashion-mnist` and `FashionMNIST`.
    private static func letters(_ name: String) -> String {
        name.lowercased().filter { $0.isLetter || $0.isNumber }
    }
}

extension FileError {
    /// Why a folder cannot be looked into, in a few words.
    var lackOfFolder: String {
        switch self {
        case .system(_, _, ENOENT): "no such folder"
        case .system(_, _, ENOTDIR): "not a folder"
        case .system(_, _, let code): Self.reason(code)
        default: description
        }
    }
}
