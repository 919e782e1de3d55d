import Parameters

/// All pipelines of a folder.
package enum PipelineFolder {
    /// Reads every .yaml file of a folder, in the order of their names.
    ///
    /// - Throws: `PipelineError.several` with the errors of each file that cannot be read, so that all can be
    ///   mended at once; `.otherEnding` for a .yml; `.noPipelines`.
    package static func read(_ folder: String) throws -> [Pipeline] {
        try refuseOtherEndings(in: folder)
        let files = Files.names(in: folder, suffix: ".yaml").map { "\(folder)/\($0).yaml" }
        guard !files.isEmpty else { throw PipelineError.noPipelines(path: folder) }
        var pipelines: [Pipeline] = []
        var errors: [ParameterError] = []
        for file in files {
            do {
                pipelines.append(try Pipeline(reading: file))
            } catch let error as ParameterError {
                errors.append(error)
            }
        }
        if errors.count == 1, let error = errors.first { throw error }
        guard errors.isEmpty else { throw PipelineError.several(errors) }
        return pipelines
    }

    /// An experiment that is passed over in silence would be missed only much later.
    private static func refuseOtherEndings(in folder: String) throws {
        for name in Files.names(in: folder, suffix: "") {
            let lower = name.lowercased()
            guard [".yml", ".yaml"].contains(where: lower.hasSuffix), !name.hasSuffix(".yaml") else {
                continue
            }
            let stem = name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex)
            throw PipelineError.otherEnding(file: "\(folder)/\(name)", expected: "\(stem).yaml")
        }
    }
}
