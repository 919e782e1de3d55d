/// An error whose description tells a user what is wrong, where, and what to do.
package protocol ReportableError: Error, CustomStringConvertible {
    /// The exit status of a program that ends with it (sysexits): 64 for a wrong command line, 65 for bad data,
    /// 66 for a missing input, 70 for a fault of the program, 74 for I/O.
    var exitCode: Int32 { get }

    /// What a program says, line by line, each behind its name; the description by default.
    var messages: [String] { get }
}

extension ReportableError {
    package var messages: [String] { [description] }
}

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
        return path.isEmpty ? start : "\(start): \(Lookalike.visible(path))"
    }
}

/// What is wrong with a parameter file, where, what was found, and what is allowed.
package enum ParameterError: ReportableError, Equatable {
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
    /// A key that belongs elsewhere, and where.
    case misplaced(Place, String)
    /// Everything that is wrong with one file, in the order of its lines; at least two, none of them several.
    case several([ParameterError])

    package var description: String { messages.joined(separator: "\n") }

    /// One message for each thing that is wrong; of very many, the first.
    package var messages: [String] {
        guard case .several(let errors) = self else { return [message + (note.map { "; \($0)" } ?? "")] }
        let shown = errors.prefix(Self.mostMessages).flatMap(\.messages)
        let left = errors.count - Self.mostMessages
        return left > 0 ? shown + ["\(place?.file ?? "the file"): and \(left) more errors"] : shown
    }

    private static let mostMessages = 50

    private var message: String {
        switch self {
        case .tooLong(let file, let limit): return "\(file): longer than the \(limit) bytes that are allowed"
        case .syntax(let file, let line, let problem): return "\(Place(file: file, line: line)): \(problem)"
        case .duplicateKey(let place, let firstLine):
            let first = firstLine.map { " (first in line \($0))" } ?? ""
            return "\(place): is given twice\(first); keep one"
        case .unknownKey(let place, let allowed): return "\(place): \(Self.unknownKey(place, allowed))"
        case .missing(let place, let allowed): return "\(place): is missing; it must be \(allowed)"
        case .wrongType(let place, let found, let allowed):
            return "\(place): \(Lookalike.visible(found)) is not \(allowed)"
        case .wrongNumber(let place, let found, let allowed):
            return "\(place): \(Lookalike.visible(found)) is not allowed; it must be \(allowed)"
        case .outOfRange(let place, let found, let allowed): return "\(place): \(found) is not in \(allowed)"
        case .notAChoice(let place, let found, let allowed):
            let list = Self.list(allowed)
            let suggestion = Self.suggestion(for: found, among: allowed)
            return "\(place): '\(Lookalike.visible(found))' is not one of \(list)\(suggestion)"
        case .notAllowed(let place, let found, let allowed):
            return "\(place): \(Lookalike.visible(found)) is not allowed; it must be \(allowed)"
        case .misplaced(let place, let hint): return "\(place): \(hint)"
        case .several(let errors): return errors.map(\.message).joined(separator: "\n")
        }
    }

    /// Where it is; of several, the first.
    package var place: Place? {
        switch self {
        case .tooLong(let file, _): Place(file: file)
        case .syntax(let file, let line, _): Place(file: file, line: line)
        case .duplicateKey(let place, _), .unknownKey(let place, _), .missing(let place, _),
            .wrongType(let place, _, _), .wrongNumber(let place, _, _), .outOfRange(let place, _, _),
            .notAChoice(let place, _, _), .notAllowed(let place, _, _), .misplaced(let place, _):
            place
        case .several(let errors): errors.first?.place
        }
    }

    /// The same with another place for each thing that is wrong.
    package func placed(_ place: (Place) -> Place) -> ParameterError {
        switch self {
        case .duplicateKey(let old, let line): .duplicateKey(place(old), firstLine: line)
        case .unknownKey(let old, let allowed): .unknownKey(place(old), allowed: allowed)
        case .missing(let old, let allowed): .missing(place(old), allowed: allowed)
        case .wrongType(let old, let found, let allowed):
            .wrongType(place(old), found: found, allowed: allowed)
        case .wrongNumber(let old, let found, let allowed):
            .wrongNumber(place(old), found: found, allowed: allowed)
        case .outOfRange(let old, let found, let allowed):
            .outOfRange(place(old), found: found, allowed: allowed)
        case .notAChoice(let old, let found, let allowed):
            .notAChoice(place(old), found: found, allowed: allowed)
        case .notAllowed(let old, let found, let allowed):
            .notAllowed(place(old), found: found, allowed: allowed)
        case .several(let errors): .several(errors.map { $0.placed(place) })
        case .misplaced(let old, let hint): .misplaced(place(old), hint)
        case .tooLong, .syntax: self
        }
    }

    /// A character of the key or value that is easily taken for another.
    private var note: String? {
        switch self {
        case .unknownKey(let place, _), .duplicateKey(let place, _): Lookalike.note(on: place.path)
        case .wrongType(_, let found, _), .wrongNumber(_, let found, _), .notAChoice(_, let found, _),
            .notAllowed(_, let found, _):
            Lookalike.note(on: found)
        default: nil
        }
    }

    /// sysexits: bad data.
    package var exitCode: Int32 { 65 }

    private static func unknownKey(_ place: Place, _ allowed: [String]) -> String {
        let key = place.path.split(separator: ".").last.map(String.init) ?? place.path
        let suggestion = suggestion(for: key, among: allowed)
        guard suggestion.isEmpty else { return "unknown key\(suggestion)" }
        return allowed.isEmpty
            ? "unknown key; nothing may stand here"
            : "unknown key; the keys here are \(list(allowed.sorted()))"
    }

    /// Of very many names, the first.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(mostMessages).joined(separator: ", ")
        return names.count > mostMessages ? "\(shown) and \(names.count - mostMessages) more" : shown
    }

    private static func suggestion(for word: String, among candidates: [String]) -> String {
        Spelling.nearest(to: word, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }
}
