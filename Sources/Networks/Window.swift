internal import Parameters
package import Tensors

extension [Int] {
    /// Rows and columns of an image's shape; one position for a row of features.
    package var extent: Extent { count == 3 ? Extent(self[1], self[2]) : Extent(square: 1) }
}

extension Fields {
    /// Rows and columns: one number for both, or a list of two.
    mutating func extent(
        _ key: String, in range: ClosedRange<Int>, default: Extent? = nil, _ help: String
    ) throws -> Extent {
        let allowed = "a number in \(range.lowerBound)…\(range.upperBound), or [rows, columns] of such"
        let given = tree(key, allowed: allowed, default: `default`.map { "\([$0.height, $0.width])" }, help)
        guard let given, !given.isNull else {
            if let `default` { return `default` }
            addMissing(key, allowed: "\(allowed) (\(help))")
            return Extent(square: range.lowerBound)
        }
        let numbers = given.integer.map { [$0, $0] } ?? given.list?.compactMap(\.integer) ?? []
        guard numbers.count == 2, given.integer != nil || given.list?.count == 2,
            numbers.allSatisfy(range.contains)
        else {
            refuse(key, found: given.canonicalJSON, allowed: allowed)
            return Extent(square: range.lowerBound)
        }
        return Extent(numbers[0], numbers[1])
    }

    /// The window of an operation, in the fields `kernel`, `stride`, `padding` and, where asked, `dilation`.
    mutating func window(stride: Extent = Extent(square: 1), hasDilation: Bool = true) throws -> Window {
        Window(
            kernel: try extent("kernel", in: 1...1024, "rows and columns of the window"),
            stride: try extent(
                "stride", in: 1...1024, default: stride, "steps from one position to the next"),
            padding: try extent("padding", in: 0...1024, default: Extent(0, 0), "zeros on each side"),
            dilation: hasDilation
                ? try extent("dilation", in: 1...1024, default: Extent(square: 1), "steps between taps")
                : Extent(square: 1))
    }
}

extension Window {
    /// The output positions over an image [channels, height, width].
    ///
    /// - Throws: `NetworkError.shapeMismatch` for another rank, or an image that is smaller than the window.
    func positions(over shape: [Int], node: String) throws -> Extent {
        guard shape.count == 3 else {
            throw NetworkError.shapeMismatch(
                node: node, found: [shape], allowed: "an image [channels, height, width]")
        }
        guard let positions = positions(over: Extent(shape[1], shape[2])) else {
            throw NetworkError.shapeMismatch(
                node: node, found: [shape],
                allowed: "an image of at least \(reach.height) x \(reach.width) with its padding of "
                    + "\(padding.height) x \(padding.width); make the kernel smaller or the padding larger")
        }
        return positions
    }
}
