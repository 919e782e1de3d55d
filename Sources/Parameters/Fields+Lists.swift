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
            return try Self.integers(list, in: range, path: "")
        }
    }

    /// - Throws: `Refusal.elements` with everything that is no integer of the range.
    private static func integers(_ list: [Tree], in range: ClosedRange<Int>, path: String) throws -> [Int] {
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
                    throw Refusal.elements([.init(path: "[\(index)]", tree: list, type: inner)])
                }
                return try Self.integers(elements, in: range, path: "[\(index)]")
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
            addMissing(key, allowed: "\(allowed) (\(help))")
            return []
        }
        guard let list = value.list, count.contains(list.count) else {
            refuse(key) {
                .wrongType($0, found: value.summary, allowed: "a list of \(count.text) maps: \(allowed)")
            }
            return []
        }
        return try list.enumerated().compactMap { index, element in
            try inside(
                element, path: "\(fullPath(key))[\(index)]", identity: "\(identity(of: key))[\(index)]", body)
        }
    }
}
