import Files

extension FileError: ReportableError {}

extension Tree {
    /// The text of a small file, its kind and size looked at before it is read.
    ///
    /// - Throws: `FileError`, `ParameterError.tooLong`, `.syntax`.
    static func text(ofFile path: String, limit: Int) throws -> String {
        let file = try OpenFile(reading: path)
        guard file.size <= limit, case let bytes = try file.read(limit + 1), bytes.count <= limit else {
            throw ParameterError.tooLong(file: path, limit: limit)
        }
        return try text(bytes[...], file: path)
    }

    /// - Throws: `ParameterError.syntax` with the first line that is not UTF-8.
    private static func text(_ bytes: ArraySlice<UInt8>, file: String) throws -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let isUTF16 = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
        throw ParameterError.syntax(
            file: file, line: isUTF16 ? nil : line.map { $0 + 1 },
            problem: "the text is not UTF-8\(isUTF16 ? " but UTF-16" : ""); save it as UTF-8")
    }
}
