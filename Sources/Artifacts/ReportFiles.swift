import Files

/// The files of a pipeline's report, `<root>/<pipeline>/report/`.
package enum ReportFiles {
    /// What to report.
    package static let parameters = "report.json"
    /// One row per branch and seed.
    package static let results = "results.csv"
    /// For people.
    package static let readable = "results.md"
    /// As `sha256sum` writes them: by these a report that was damaged, or made from other parameters, is known.
    package static let sums = "SHA256SUMS"

    /// Writes the sums of what stands in a report's folder; to be done last.
    ///
    /// - Throws: `ArtifactError` if a file is missing or cannot be read.
    package static func seal(_ folder: String) throws {
        try PlainFile.write(sums(of: folder), to: "\(folder)/\(sums)")
    }

    /// The text of results.csv, if all files are as they were sealed.
    package static func intactResults(in folder: String) -> String? {
        guard let sealed = try? FileSystem.text(of: "\(folder)/\(sums)"), sealed == (try? sums(of: folder))
        else {
            return nil
        }
        return try? FileSystem.text(of: "\(folder)/\(results)")
    }

    private static func sums(of folder: String) throws -> String {
        try [parameters, results, readable].map { "\(try Digest(ofFile: "\(folder)/\($0)"))  \($0)\n" }
            .joined()
    }
}
