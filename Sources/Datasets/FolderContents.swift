import Foundation

/// The names in a folder, and how names that people and programs change stand for one another.
struct FolderContents {
    let path: String
    /// In the order of their bytes; none where the folder may be entered but not listed.
    let names: [String]
    let isListed: Bool

    /// So many names are looked at; a folder with more is none that somebody put a dataset's files into.
    private static let largestCount = 10_000

    /// - Throws: `Absence` with the system's reason.
    init(of path: String) throws(Absence) {
        self.path = path
        guard let folder = opendir(path) else {
            let code = errno
            guard code == EACCES, access(path, X_OK) == 0 else {
                throw Absence(reason: Self.reason(code, folder: true))
            }
            (names, isListed) = ([], false)
            return
        }
        defer { closedir(folder) }
        var names: [String] = []
        while names.count < Self.largestCount, let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        isListed = true
        self.names = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Why something is not there.
    struct Absence: Error { var reason: String }

    private static func reason(_ code: Int32, folder: Bool) -> String {
        switch code {
        case ENOENT: folder ? "no such folder" : "no such file"
        case ENOTDIR: folder ? "not a folder" : "no such file"
        default: String(cString: strerror(code)).lowercased()
        }
    }

    /// Why there is no file of this path; nil if there is something, were it a link that leads nowhere.
    static func absence(of path: String) -> String? {
        var status = stat()
        return lstat(path, &status) == 0 ? nil : reason(errno, folder: false)
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The folders in it whose names are like one of these.
    func folders(like wanted: [String]) -> [FolderContents] {
        let wanted = Set(wanted.map(Self.letters))
        return names.filter { wanted.contains(Self.letters($0)) }.map { "\(path)/\($0)" }
            .compactMap { Self.isFolder($0) ? try? FolderContents(of: $0) : nil }
    }

    /// The path of a file: under its name, with the first suffix under which it is there; in a folder of its name, as some
    /// archives unpack; or under a name that differs only in dots, dashes and capitals.
    func path(of file: String) -> String? { Self.path(of: file, in: path) ?? likeness(of: file) }

    /// As above, but for other names.
    static func path(of file: String, in folder: String) -> String? {
        for suffix in ByteStream.suffixes {
            let path = "\(folder)/\(file)\(suffix)"
            guard absence(of: path) == nil else { continue }
            guard isFolder(path) else { return path }
            if let inner = (try? FolderContents(of: path))?.likeness(of: file) { return inner }
        }
        return nil
    }

    private func likeness(of file: String) -> String? {
        names.first { Self.isLike($0, file) && !Self.isFolder("\(path)/\($0)") }.map { "\(path)/\($0)" }
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
