// Lists, and lists of lists and of maps.

extension Fields {
    /// A list of integers.
    ///
    /// - Parameters:
    ///   - range: of each element.
    ///   - count: how many there may be.
    package mutating func integers(
        _ key: String, in range: ClosedRange<Int>, count: ClosedRange<Int>, default: [Int]? = nil,
        _ help: String
    ) throws -> [Int] {
        let allowed = "a list of \(count.text) integers in \(range.text)"
        let placeholder = [Int](repeating: range.nearest(to: 0), count: count.lowerBound)
        return try read(key, allowed: allowed, default: `default`, placeholder: placeholder, help) { tree in
            guard let list = tree.list else { throw Refusal.type(allowed) }
            guard count.contains(list.count) else { throw Refusal.range }
            return try list.enumerated().map { index, element in
                guard let value = element.integer else {
                    throw Refusal.element(index, element, type: "an integer in \(range.text)")
                }
                guard range.contains(value) else { throw Refusal.element(index, element, range: range.text) }
                return value
            }
        }
    }

    /// A list of lists of integers.
    ///
    /// - Parameters:
    ///   - range: of each element.
    ///   - count: how many lists there may be.
    ///   - innerCount: how many integers one of them may have.
    package mutating func integerLists(
        _ key: String, in range: ClosedRange<Int>, count: ClosedRange<Int>, innerCount: ClosedRange<Int>,
        default: [[Int]]? = nil, _ help: String
    ) throws -> [[Int]] {
        let inner = "a list of \(innerCount.text) integers in \(range.text)"
        let allowed = "\(count.text) lists, each \(inner)"
        let placeholder = [[Int]](
            repeating: [Int](repeating: range.nearest(to: 0), count: innerCount.lowerBound),
            count: count.lowerBound)
        return try read(key, allowed: allowed, default: `default`, placeholder: placeholder, help) { tree in
            guard let lists = tree.list else { throw Refusal.type(allowed) }
            guard count.contains(lists.count) else { throw Refusal.range }
            return try lists.enumerated().map { index, list in
                guard let elements = list.list, innerCount.contains(elements.count) else {
                    throw Refusal.element(index, list, type: inner)
                }
                return try elements.map { element in
                    guard let value = element.integer, range.contains(value) else {
                        throw Refusal.element(index, element, type: "an integer in \(range.text)")
                    }
                    return value
                }
            }
        }
    }

    /// A list of maps, each read as strictly as this one.
    ///
    /// - Parameters:
    ///   - count: how many there may be.
    ///   - body: reads one; what it did not ask for is an error.
    package mutating func maps<Element>(
        _ key: String, count: ClosedRange<Int>, allowed: String, _ help: String,
        _ body: (inout Fields) throws -> Element
    ) throws -> [Element] {
        noteKnown(key)
        describe(key, allowed: allowed, default: nil, help)
        if described != nil { return [] }
        guard let value = value(key) else {
            throw ParameterError.missing(place(key), allowed: "\(allowed) (\(help))")
        }
        guard let list = value.list, count.contains(list.count) else {
            throw ParameterError.wrongType(
                place(key), found: value.summary, allowed: "a list of \(count.text) maps: \(allowed)")
        }
        return try list.enumerated().map { index, element in
            var fields = try Fields(element, file: file, path: "\(fullPath(key))[\(index)]")
            let result = try body(&fields)
            try fields.finish()
            return result
        }
    }
}
