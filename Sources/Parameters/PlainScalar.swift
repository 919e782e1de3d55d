/// The meaning of an unquoted YAML word: null, a truth value, a decimal number, or text.
///
/// The rules are those of YAML 1.2's core schema, without octal, hexadecimal, infinity and not-a-number.
struct PlainScalar {
    private let text: String

    init(_ text: String) { self.text = text }

    /// - Throws: `ParameterError.wrongNumber` for what looks like a number and cannot be held as one.
    func content(at place: Place) throws(ParameterError) -> Tree.Content {
        switch text {
        case "", "~", "null": return .null
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default: break
        }
        if Self.notFinite.contains(text) {
            throw ParameterError.wrongNumber(place, found: text, allowed: "a finite number")
        }
        switch form {
        case .text: return .text(text)
        case .leadingZero:
            throw ParameterError.wrongNumber(
                place, found: text, allowed: "a number without leading zeros, or text in quotes")
        case .integer:
            guard let value = Int(text) else {
                throw ParameterError.wrongNumber(place, found: text, allowed: "\(Int.min)…\(Int.max)")
            }
            return .integer(value)
        case .real:
            guard let value = Double(text), value.isFinite else {
                throw ParameterError.wrongNumber(place, found: text, allowed: "a finite number")
            }
            return .real(value)
        }
    }

    private static let notFinite: Set<String> = Set(
        ["inf", "Inf", "INF"].flatMap { [".\($0)", "+.\($0)", "-.\($0)"] } + [".nan", ".NaN", ".NAN"])

    private enum Form { case text, integer, leadingZero, real }

    /// sign? digits? (. digits?)? (e sign? digits)?, with a digit before or after the point.
    private var form: Form {
        var rest = Substring(text)
        func digits() -> Int {
            let run = rest.prefix { $0.isASCII && $0.isNumber }
            rest.removeFirst(run.count)
            return run.count
        }
        func sign() {
            if let first = rest.first, first == "-" || first == "+" { rest.removeFirst() }
        }
        sign()
        let leadingZero = rest.first == "0"
        let whole = digits()
        if rest.isEmpty, whole > 0 { return leadingZero && whole > 1 ? .leadingZero : .integer }
        var fraction = 0
        if rest.first == "." {
            rest.removeFirst()
            fraction = digits()
        }
        guard whole + fraction > 0 else { return .text }
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            sign()
            guard digits() > 0 else { return .text }
        }
        return rest.isEmpty ? .real : .text
    }
}
