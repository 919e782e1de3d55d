/// A small value attached to a group or dataset.
///
/// In the file: fixed-length UTF-8 strings, little-endian 64-bit integers and floating point; scalars, or one dimension.
package enum Attribute: Sendable, Equatable {
    case text(String)
    case integer(Int64)
    case real(Double)
    case texts([String])
    case integers([Int64])
    case reals([Double])

    /// The text, if this is one.
    package var text: String? { if case .text(let value) = self { value } else { nil } }
    /// The integer, if this is one.
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The real number, if this is one.
    package var real: Double? { if case .real(let value) = self { value } else { nil } }

    /// The case in words, for messages.
    package var kind: String {
        switch self {
        case .text: "text"
        case .integer: "integer"
        case .real: "real"
        case .texts: "texts"
        case .integers: "integers"
        case .reals: "reals"
        }
    }
}

extension Attribute: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self = .text(value) }
}
