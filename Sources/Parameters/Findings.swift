/// Everything that is wrong with one file, each thing once.
///
/// A value that a section inherits is read more than once; its first finding counts.
final class Findings {
    /// Where a value begins.
    struct Position: Hashable {
        var line: Int
        var column: Int
    }

    private var errors: [ParameterError] = []
    private var positions: Set<Position> = []
    private var identities: Set<String> = []

    /// - Parameters:
    ///   - position: of the value that is wrong, if it stands in the file.
    ///   - identity: what is wrong where there is no value.
    func add(_ error: ParameterError, at position: Position? = nil, identity: String? = nil) {
        if let position, !positions.insert(position).inserted { return }
        if let identity, !identities.insert(identity).inserted { return }
        if case .several(let errors) = error { self.errors += errors } else { errors.append(error) }
    }

    /// All findings in the order of their lines, missing keys last; nil if nothing is wrong.
    var error: ParameterError? {
        let sorted = errors.enumerated().sorted { first, second in
            (first.element.rank, first.offset) < (second.element.rank, second.offset)
        }
        return sorted.count > 1 ? .several(sorted.map(\.element)) : errors.first
    }

    func throwIfAny() throws(ParameterError) {
        if let error { throw error }
    }
}

extension ParameterError {
    fileprivate var rank: Int {
        if case .missing = self { return Int.max }
        return place?.line ?? 0
    }
}
