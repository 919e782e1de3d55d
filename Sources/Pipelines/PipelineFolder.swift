import Files
package import Parameters

/// A pipeline that cannot be read, or that does not fit its datasets; the others are made without it.
package struct BrokenPipeline: Sendable {
    /// Nil where the file's name cannot be a pipeline's.
    package var name: String?
    package var error: any ReportableError
}

/// All pipelines of a folder.
enum PipelineFolder {
    /// Reads every .yaml file of a folder, in the order of their names.
    ///
    /// - Returns: the pipelines, and what is wrong with each file that is none: a .yml among them, which would be missed
    ///   only much later if it were passed over in silence.
    /// - Throws: `PipelineError.noPipelines`.
    static func read(_ folder: String) throws -> (pipelines: [Pipeline], broken: [BrokenPipeline]) {
        var pipelines: [Pipeline] = []
        var broken: [BrokenPipeline] = []
        for name in (try? FileSystem.names(in: folder)) ?? []
        // A dot in front is for files of editors and systems.
        where !name.hasPrefix(".") && [".yml", ".yaml"].contains(where: name.lowercased().hasSuffix) {
            let file = "\(folder)/\(name)"
            let stem = String(name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex))
            do {
                guard name.hasSuffix(".yaml") else {
                    throw PipelineError.otherEnding(file: file, expected: "\(stem).yaml")
                }
                guard FileSystem.isFile(file) else { throw PipelineError.notAFile(file) }
                pipelines.append(try Pipeline(reading: file))
            } catch let error as any ReportableError {
                broken.append(
                    BrokenPipeline(name: (try? PipelineName.of("\(stem).yaml")) ?? nil, error: error))
            }
        }
        guard !pipelines.isEmpty || !broken.isEmpty else { throw PipelineError.noPipelines(path: folder) }
        return (pipelines, broken)
    }
}
