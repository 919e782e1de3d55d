internal import Parameters

/// What can be wrong with what a report or a command on artifacts is asked for.
package enum ReportError: ReportableError, Equatable {
    /// A name that is neither a file, nor a step, nor an object of the store.
    case noSuchArtifact(argument: String, artifacts: String, suggestion: String?)
    /// The beginning of a digest that several objects share.
    case ambiguousObject(prefix: String, count: Int)
    /// A chain of the pipeline has no evaluation yet.
    case notEvaluated(step: String)
    /// The pipeline has no folder with an evaluation in it.
    case nothingEvaluated(pipeline: String, artifacts: String)
    /// The file that says what to report is about another pipeline.
    case otherPipeline(file: String, found: String, asked: String)
    /// An artifact of another kind stands where a step's should.
    case wrongKind(path: String, found: String, expected: String)
    /// An artifact holds what no stage writes.
    case badArtifact(file: String, path: String, found: String, allowed: String)
    /// An export would overwrite a file.
    case alreadyThere(path: String)
    /// A run's results are not those that were kept.
    case otherResults(kept: String, problems: [String])
    /// A plain file was given where a step's name is needed.
    case notAStep(argument: String)

    package var description: String {
        switch self {
        case .noSuchArtifact(let argument, let artifacts, let suggestion):
            "'\(argument)' is neither a file, nor a step with a result in '\(artifacts)', nor the beginning of an "
                + "object's name; steps are written <pipeline>/<branch>-<seed>/<step>"
                + (suggestion.map { ", as in '\($0)'" } ?? "") + "; `make list` shows them"
        case .ambiguousObject(let prefix, let count):
            "\(count) objects of the store begin with '\(prefix)'; give more of the name"
        case .notEvaluated(let step):
            "'\(step)' has no result yet; `make \(step)` computes it"
        case .nothingEvaluated(let pipeline, let artifacts):
            "'\(artifacts)/\(pipeline)' holds no evaluation; `make \(pipeline)` computes them"
        case .otherPipeline(let file, let found, let asked):
            "\(file): is about pipeline '\(found)', but --pipeline asks for '\(asked)'"
        case .wrongKind(let path, let found, let expected):
            "'\(path)' holds a \(found), but a \(expected) is needed here"
        case .badArtifact(let file, let path, let found, let allowed):
            "\(file): \(path): found \(found); allowed is \(allowed)"
        case .alreadyThere(let path):
            "'\(path)' is there already and is not overwritten; remove it, or export into another folder"
        case .otherResults(let kept, let problems):
            "results are not as in \(kept): " + problems.joined(separator: "; ")
        case .notAStep(let argument):
            "'\(argument)' is not a step; give one as <pipeline>/<branch>-<seed>/<step>, as `make list` shows them"
        }
    }

    /// The exit code of a command that stops for this error, as in sysexits.h.
    package var exitCode: Int32 {
        switch self {
        case .noSuchArtifact, .notEvaluated, .nothingEvaluated: 66
        case .ambiguousObject, .otherPipeline, .notAStep: 64
        case .wrongKind, .badArtifact, .otherResults: 65
        case .alreadyThere: 74
        }
    }
}
