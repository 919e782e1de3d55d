internal import Parameters

/// What can be wrong with a network as a user or a file describes it.
package enum NetworkError: ReportableError, Equatable {
    /// Node `node` cannot take inputs of these shapes.
    case shapeMismatch(node: String, found: [[Int]], allowed: String)
    /// The graph breaks a rule of its own.
    case invalidGraph(node: String, problem: String)
    /// A parameter is missing, or is there but belongs to no node.
    case parameterNames(missing: [String], unexpected: [String], source: String)
    /// A parameter's values have another shape than its node asks for.
    case parameterShape(name: String, found: [Int], expected: [Int], source: String)
    /// A parameter holds NaN or an infinity.
    case notFinite(name: String, source: String)
    /// A file's value is not what a network of this version holds.
    case invalidFile(file: String, path: String, problem: String)

    package var exitCode: Int32 { 65 }

    /// The node that has the trouble, where it is one of a graph.
    package var node: String? {
        switch self {
        case .shapeMismatch(let node, _, _), .invalidGraph(let node, _): node
        case .parameterNames, .parameterShape, .notFinite, .invalidFile: nil
        }
    }

    package var description: String {
        switch self {
        case .shapeMismatch(let node, let found, let allowed):
            "node '\(node)' got input of shape \(found.map(String.init(describing:)).joined(separator: ", ")); "
                + "it takes \(allowed)"
        case .invalidGraph(let node, let problem):
            "node '\(node)': \(problem)"
        case .parameterNames(let missing, let unexpected, let source):
            "\(source): "
                + [
                    missing.isEmpty ? nil : "missing \(missing.joined(separator: ", "))",
                    unexpected.isEmpty ? nil : "unexpected \(unexpected.joined(separator: ", "))",
                ].compactMap { $0 }.joined(separator: "; ")
                + "; the parameters must be those of the architecture in the same file"
        case .parameterShape(let name, let found, let expected, let source):
            "\(source): parameter \(name) has shape \(found), the architecture asks for \(expected)"
        case .notFinite(let name, let source):
            "\(source): parameter \(name) holds a value that is not finite; train it again with a smaller rate"
        case .invalidFile(let file, let path, let problem):
            "\(file): \(path): \(problem)"
        }
    }
}
