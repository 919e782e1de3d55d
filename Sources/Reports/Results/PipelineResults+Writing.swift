internal import Artifacts
internal import Files

extension PipelineResults {
    /// Writes the numbers to `path` and the report for people, `.md`, beside it.
    ///
    /// Files that say the same already stay.
    /// - Returns: the path of the report for people.
    /// - Throws: `FileError`.
    @discardableResult
    package func write(to path: String) throws -> String {
        let readable = (path.hasSuffix(".csv") ? String(path.dropLast(4)) : path) + ".md"
        try PlainFile.write(markdown, to: readable)
        try PlainFile.write(csv, to: path)
        return readable
    }
}
