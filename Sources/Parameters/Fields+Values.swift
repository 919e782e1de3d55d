// How one value is read.

extension Fields {
    /// - Parameters:
    ///   - default: nil if the key must be given.
    ///   - placeholder: what stands for a value that was refused, where neither default nor syntax has one.
    package mutating func read<Value>(
        _ key: String, _ syntax: Syntax<Value>, default: Value? = nil, placeholder: Value? = nil,
        _ help: String
    ) throws -> Value {
        noteKnown(key)
        describe(
            key, allowed: syntax.allowed, default: `default`.map { syntax.write($0).flowText }, help)
        guard let instead = `default` ?? syntax.placeholder ?? placeholder else {
            preconditionFailure("nothing stands for a refused '\(key)'")
        }
        if described != nil { return instead }
        guard let value = value(key), !(syntax.isOptional && value.isNull) else {
            if `default` == nil { addMissing(key, allowed: "\(syntax.allowed) (\(help))") }
            return instead
        }
        do {
            return try syntax.read(value)
        } catch Refusal.elements(let elements) {
            for element in elements { add(error(element, place(key)), key, at: element.tree) }
        } catch let refusal as Refusal {
            add(error(refusal, place(key), value, syntax.allowed), key, at: value)
        }
        return instead
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

    /// Refuses a key for not being there.
    package mutating func addMissing(_ key: String, allowed: String) {
        add(.missing(place(key), allowed: allowed), key, at: nil)
    }

    private func error(_ refusal: Refusal, _ place: Place, _ value: Tree, _ allowed: String) -> ParameterError
    {
        switch refusal {
        case .choice(let found, let names): .notAChoice(place, found: found, allowed: names)
        case .type(let wanted): .wrongType(place, found: value.summary, allowed: wanted)
        case .notAllowed(let found, let allowed): .notAllowed(place, found: found, allowed: allowed)
        case .range, .elements: .outOfRange(place, found: value.summary, allowed: allowed)
        }
    }

    private func error(_ element: Refusal.Element, _ whole: Place) -> ParameterError {
        let place = Place(file: file, line: element.tree.line ?? whole.line, path: whole.path + element.path)
        if let range = element.range {
            return .outOfRange(place, found: element.tree.summary, allowed: range)
        }
        return .wrongType(place, found: element.tree.summary, allowed: element.type ?? "allowed here")
    }
}

extension ClosedRange {
    func nearest(to value: Bound) -> Bound { Swift.min(Swift.max(value, lowerBound), upperBound) }
}

extension ClosedRange where Bound == Int {
    /// `1…64`, `at least 1`, or `3` for a single number.
    package var text: String {
        if lowerBound == upperBound { return "\(lowerBound)" }
        if upperBound == .max { return lowerBound == .min ? "the integers" : "\(lowerBound)…" }
        return "\(lowerBound)…\(upperBound)"
    }
}

extension ClosedRange where Bound == Double {
    /// `0…1`, `0…<1` where the last number before 1 is the bound, `above 0` where the first after 0 is.
    var text: String {
        let above = lowerBound.nextDown.isWhole && !lowerBound.isWhole
        let below = upperBound.nextUp.isWhole && !upperBound.isWhole
        let lower = Tree(.real(above ? lowerBound.nextDown : lowerBound)).canonicalJSON
        let upper = Tree(.real(below ? upperBound.nextUp : upperBound)).canonicalJSON
        let start = above ? "above \(lower)" : lower
        if upperBound >= .greatestFiniteMagnitude {
            if lowerBound <= -.greatestFiniteMagnitude { return "the finite numbers" }
            return above ? start : "\(start)…"
        }
        if above { return "\(start), \(below ? "below" : "up to") \(upper)" }
        return "\(start)…\(below ? "<" : "")\(upper)"
    }
}

extension Double {
    fileprivate var isWhole: Bool { self == rounded() }
}

extension Tree {
    /// Where it begins in its file.
    var position: Findings.Position? {
        guard let line, let column else { return nil }
        return Findings.Position(line: line, column: column)
    }
}
