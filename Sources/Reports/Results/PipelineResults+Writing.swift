internal import Artifacts
internal import Foundation

extension PipelineResults {
    /// Writes the numbers to `path` and the report for people, `.md`, beside it.
    ///
    /// Files that say the same already stay, but the first one gets a new time: it is make's target.
    /// - Returns: the path of the report for people.
    /// - Throws: `ArtifactError.system`.
    @discardableResult
    package func write(to path: String) throws -> String {
        let readable = (path.hasSuffix(".csv") ? String(path.dropLast(4)) : path) + ".md"
        try PlainFile.write(markdown, to: readable)
        if try !PlainFile.write(csv, to: path) {
            try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
        }
        return readable
    }
}
