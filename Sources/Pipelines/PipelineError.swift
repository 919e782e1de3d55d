import Parameters

/// What can be wrong with pipelines beyond the values in their files.
package enum PipelineError: ReportableError, Equatable {
    /// `path` is a folder or pattern without any pipeline.
    case noPipelines(path: String)
    case invalidName(file: String, name: String, allowed: String)
    case unknownStep(String, suggestion: String?)
    case unknownPipeline(String, known: [String])
    /// A file that looks like a pipeline and would be passed over.
    case otherEnding(file: String, expected: String)
    /// What does not fit the datasets, and networks that do not fit themselves.
    case shapes([ShapeProblem])
    /// A pipeline or descriptor that is a pipe, a folder or a link to nowhere.
    case notAFile(String)
    /// What is wrong with several pipelines, a message each.
    case several([String])

    package var description: String {
        switch self {
        case .noPipelines(let path):
            return "\(path): there is no pipeline; add a file such as pipelines/digits.yaml"
        case .invalidName(let file, let name, let allowed):
            return "\(file): '\(name)' cannot name a pipeline; allowed is \(allowed)"
        case .unknownStep(let step, let suggestion):
            let hint = suggestion.map { "; did you mean '\($0)'?" } ?? ""
            return
                "there is no step '\(step)'\(hint) (`make list` shows all; a step is named as in digits/tiny-0/grow-1)"
        case .unknownPipeline(let name, let known):
            let hint = Spelling.nearest(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
            return "there is no pipeline '\(name)'\(hint) (there are \(known.joined(separator: ", ")))"
        case .otherEnding(let file, let expected):
            return "\(file): a pipeline's name ends with .yaml; call it \(expected), or move it elsewhere"
        case .notAFile(let file):
            return "\(file): is no regular file, nor a link to one; move it away"
        case .shapes, .several: return messages.joined(separator: "\n")
        }
    }

    package var messages: [String] {
        switch self {
        case .shapes(let problems): problems.map(\.description)
        case .several(let messages): messages
        default: [description]
        }
    }

    package var exitCode: Int32 {
        switch self {
        case .noPipelines: 66
        case .invalidName, .otherEnding, .shapes, .notAFile, .several: 65
        case .unknownStep, .unknownPipeline: 64
        }
    }
}
