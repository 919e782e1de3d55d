/// What a file is instead of what it should be, by its first bytes, for messages.
enum FileKind {
    private static let signatures: [(start: [UInt8], name: String)] = [
        (Array("PK\u{3}\u{4}".utf8), "a ZIP archive"),
        (Array("BZh".utf8), "bzip2 data"),
        ([0x28, 0xb5, 0x2f, 0xfd], "Zstandard data"),
        ([0x1f, 0x8b, 0x08], "gzip data"),
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "xz data"),
        ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive"),
        ([0x89, 0x50, 0x4e, 0x47], "a PNG image"),
        ([0xff, 0xd8, 0xff], "a JPEG image"),
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
        ([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], "a NumPy array"),
        (Array("PAR1".utf8), "a Parquet file"),
        (Array("MATLAB".utf8), "a MATLAB file"),
        (Array("version https://git-lfs".utf8), "a Git LFS pointer, in place of the file itself"),
        (Array("<!DOCTYPE".utf8), "a web page"),
        (Array("<!doctype".utf8), "a web page"),
        (Array("<html".utf8), "a web page"),
    ]

    /// Bytes that tell every kind apart.
    static let startSize = signatures.map(\.start.count).max() ?? 0

    /// What a file that begins like this is, if it is well known.
    static func name(of start: some Collection<UInt8>) -> String? {
        if isPickle(start) { return "a Python pickle" }
        return signatures.first { start.starts(with: $0.start) }?.name
    }

    /// Python's `pickle` of protocol 2 to 5 begins with its version.
    static func isPickle(_ start: some Collection<UInt8>) -> Bool {
        start.first == 0x80 && start.dropFirst().first.map { (2...5).contains($0) } == true
    }

    /// Bytes as a message shows them: `50 4b 03 04 (a ZIP archive)`.
    static func described(_ start: some Collection<UInt8>) -> String {
        let digits = start.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(
            separator: " ")
        return digits + (name(of: start).map { " (\($0))" } ?? "")
    }
}
