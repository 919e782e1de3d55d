/// Where in a file a value stands.
package struct Place: Sendable, Equatable, CustomStringConvertible {
    package var file: String
    package var line: Int?
    /// Dotted, from the root of the file: `growth.method`. Empty for the root.
    package var path: String

    package init(file: String, line: Int? = nil, path: String = "") {
        self.file = file
        self.line = line
        self.path = path
    }

    /// `pipelines/x.yaml:7: growth.method`
    package var description: String {
        let start = line.map { "\(file):\($0)" } ?? file
        return path.isEmpty ? start : "\(start): \(path)"
    }
}

/// What is wrong with a parameter file, where, what was found, and what is allowed.
package enum ParameterError: ReportableError, Equatable {
    case unreadable(file: String, problem: String)
    case tooLong(file: String, limit: Int)
    case syntax(file: String, line: Int?, problem: String)
    case duplicateKey(Place, firstLine: Int?)
    case unknownKey(Place, allowed: [String])
    case missing(Place, allowed: String)
    case wrongType(Place, found: String, allowed: String)
    case wrongNumber(Place, found: String, allowed: String)
    case outOfRange(Place, found: String, allowed: String)
    case notAChoice(Place, found: String, allowed: [String])
    /// Fields that do not fit together, or one with a syntax of its own.
    case notAllowed(Place, found: String, allowed: String)
    case notEncodable(type: String, path: String, found: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let problem): return "\(file): cannot be read: \(problem)"
        case .tooLong(let file, let limit): return "\(file): longer than the \(limit) bytes that are allowed"
        case .syntax(let file, let line, let problem): return "\(Place(file: file, line: line)): \(problem)"
        case .duplicateKey(let place, let firstLine):
            let first = firstLine.map { " (first in line \($0))" } ?? ""
            return "\(place): is given twice\(first); keep one"
        case .unknownKey(let place, let allowed): return "\(place): \(Self.unknownKey(place, allowed))"
        case .missing(let place, let allowed): return "\(place): is missing; it must be \(allowed)"
        case .wrongType(let place, let found, let allowed): return "\(place): \(found) is not \(allowed)"
        case .wrongNumber(let place, let found, let allowed):
            return "\(place): \(found) is not allowed; it must be \(allowed)"
        case .outOfRange(let place, let found, let allowed): return "\(place): \(found) is not in \(allowed)"
        case .notAChoice(let place, let found, let allowed):
            let list = allowed.joined(separator: ", ")
            return "\(place): '\(found)' is not one of \(list)\(Self.suggestion(for: found, among: allowed))"
        case .notAllowed(let place, let found, let allowed):
            return "\(place): \(found) is not allowed; it must be \(allowed)"
        case .notEncodable(let type, let path, let found):
            return "\(type): \(path): \(found) cannot be written as JSON"
        }
    }

    /// sysexits: 66 for a file that cannot be opened, 70 for a value of ours that cannot be written, 65 for bad data.
    package var exitCode: Int32 {
        switch self {
        case .unreadable: 66
        case .notEncodable: 70
        default: 65
        }
    }

    private static func unknownKey(_ place: Place, _ allowed: [String]) -> String {
        let key = place.path.split(separator: ".").last.map(String.init) ?? place.path
        let suggestion = suggestion(for: key, among: allowed)
        guard suggestion.isEmpty else { return "unknown key\(suggestion)" }
        return allowed.isEmpty
            ? "unknown key; nothing may stand here"
            : "unknown key; the keys here are \(allowed.sorted().joined(separator: ", "))"
    }

    private static func suggestion(for word: String, among candidates: [String]) -> String {
        Spelling.nearest(to: word, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }
}
