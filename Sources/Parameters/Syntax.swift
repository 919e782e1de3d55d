/// What may be written for one value, and how it is read and written.
package struct Syntax<Value: Sendable>: Sendable {
    /// `1…64`, `tiny, gradmax`, for messages and documentation.
    let allowed: String
    /// What stands for a value that was refused and has no default.
    var placeholder: Value?
    /// Whether nothing at all (`neurons:` with no value) counts as not given.
    var isOptional = false
    let write: @Sendable (Value) -> Tree
    /// Throws a `Refusal`.
    let read: @Sendable (Tree) throws -> Value
}

/// Why a value is refused, before it is known where it stands.
package enum Refusal: Error {
    case type(String)
    case range
    case choice(String, [String])
    case notAllowed(found: String, allowed: String)
    case elements([Element])

    /// One element of a list, not in a range, or no such thing at all.
    package struct Element {
        var path: String
        var tree: Tree
        var type: String?
        var range: String?
    }
}

extension Syntax<Int> {
    package static func integer(in range: ClosedRange<Int>) -> Self {
        Self(allowed: range.text, placeholder: range.nearest(to: 0), write: { Tree(.integer($0)) }) {
            guard let value = $0.integer else { throw Refusal.type("an integer in \(range.text)") }
            guard range.contains(value) else { throw Refusal.range }
            return value
        }
    }

    /// One of several integers.
    ///
    /// - Precondition: `values` is not empty.
    package static func integer(among values: [Int]) -> Self {
        let names = values.map(String.init), list = names.joined(separator: ", ")
        return Self(allowed: list, placeholder: values[0], write: { Tree(.integer($0)) }) {
            guard let value = $0.integer else { throw Refusal.type("one of \(list)") }
            guard values.contains(value) else { throw Refusal.choice("\(value)", names) }
            return value
        }
    }
}

extension Syntax<Double> {
    /// A finite number; whole numbers may be written without a point.
    package static func real(in range: ClosedRange<Double>) -> Self {
        Self(allowed: range.text, placeholder: range.nearest(to: 0), write: { Tree(.real($0)) }) {
            guard let value = $0.real else { throw Refusal.type("a number in \(range.text)") }
            guard value.isFinite, range.contains(value) else { throw Refusal.range }
            return value
        }
    }
}

extension Syntax<Bool> {
    package static var boolean: Self {
        Self(allowed: "true or false", placeholder: false, write: { Tree(.boolean($0)) }) {
            guard let value = $0.boolean else { throw Refusal.type("true or false") }
            return value
        }
    }
}

extension Syntax<String> {
    package static var text: Self {
        Self(allowed: "text", placeholder: "", write: { Tree(.text($0)) }) {
            guard let value = $0.text else { throw Refusal.type("text (put it in quotes)") }
            return value
        }
    }

    /// One of several names.
    ///
    /// - Precondition: `names` is not empty.
    static func choice(among names: [String]) -> Self {
        let list = names.joined(separator: ", ")
        return Self(allowed: list, placeholder: names[0], write: { Tree(.text($0)) }) {
            guard let value = $0.text else { throw Refusal.type("one of \(list)") }
            guard names.contains(value) else { throw Refusal.choice(value, names) }
            return value
        }
    }
}

extension Syntax where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    package static var choice: Self {
        let all = Array(Value.allCases)
        let names = Syntax<String>.choice(among: all.map(\.rawValue))
        return Self(allowed: names.allowed, placeholder: all[0], write: { Tree(.text($0.rawValue)) }) {
            let name = try names.read($0)
            return Value(rawValue: name) ?? all[0]
        }
    }
}

extension Syntax<[Int]> {
    /// A list of integers of a range.
    ///
    /// - Parameter count: how many there may be.
    package static func integers(in range: ClosedRange<Int>, count: ClosedRange<Int>) -> Self {
        let allowed = "a list of \(count.text) integers in \(range.text)"
        let placeholder = [Int](repeating: range.nearest(to: 0), count: count.lowerBound)
        return Self(allowed: allowed, placeholder: placeholder, write: { Tree($0) }) { tree in
            guard let list = tree.list else { throw Refusal.type(allowed) }
            guard count.contains(list.count) else { throw Refusal.range }
            return try integers(list, in: range, path: "")
        }
    }

    /// - Throws: `Refusal.elements` with everything that is no integer of the range.
    fileprivate static func integers(
        _ list: [Tree], in range: ClosedRange<Int>, path: String
    ) throws -> [Int] {
        let wrong: [Refusal.Element] = list.enumerated().compactMap { index, element in
            let path = "\(path)[\(index)]"
            guard let value = element.integer else {
                return .init(path: path, tree: element, type: "an integer in \(range.text)")
            }
            return range.contains(value) ? nil : .init(path: path, tree: element, range: range.text)
        }
        guard wrong.isEmpty else { throw Refusal.elements(wrong) }
        return list.compactMap(\.integer)
    }
}

extension Syntax<[[Int]]> {
    /// A list of lists of integers of a range.
    ///
    /// - Parameters:
    ///   - count: how many lists there may be.
    ///   - innerCount: how many integers one of them may have.
    package static func integerLists(
        in range: ClosedRange<Int>, count: ClosedRange<Int>, innerCount: ClosedRange<Int>
    ) -> Self {
        let inner = Syntax<[Int]>.integers(in: range, count: innerCount)
        let allowed = "\(count.text) lists, each \(inner.allowed)"
        let placeholder = [[Int]](repeating: inner.placeholder ?? [], count: count.lowerBound)
        return Self(
            allowed: allowed, placeholder: placeholder, write: { Tree(.list($0.map { Tree($0) })) }
        ) { tree in
            guard let lists = tree.list else { throw Refusal.type(allowed) }
            guard count.contains(lists.count) else { throw Refusal.range }
            return try lists.enumerated().map { index, list in
                guard let elements = list.list, innerCount.contains(elements.count) else {
                    throw Refusal.elements([.init(path: "[\(index)]", tree: list, type: inner.allowed)])
                }
                return try Syntax<[Int]>.integers(elements, in: range, path: "[\(index)]")
            }
        }
    }
}

extension Syntax {
    /// A syntax of its own.
    ///
    /// - Parameter read: gives nil for what is not allowed, or throws a `Refusal` that says more.
    package static func custom(
        _ allowed: String, write: @escaping @Sendable (Value) -> Tree,
        read: @escaping @Sendable (Tree) throws -> Value?
    ) -> Self {
        Self(allowed: allowed, isOptional: true, write: write) {
            guard let value = try read($0) else {
                throw Refusal.notAllowed(found: $0.canonicalJSON, allowed: allowed)
            }
            return value
        }
    }
}
