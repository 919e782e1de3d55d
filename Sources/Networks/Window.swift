internal import Parameters
package import Tensors

extension [Int] {
    /// Rows and columns of an image's shape; one position for a row of features.
    package var extent: Extent { count == 3 ? Extent(self[1], self[2]) : Extent(square: 1) }
}

extension Schema.Field {
    static func kernel(_ path: Schema.Path<Extent>) -> Self {
        extent("kernel", path, in: 1...1024, default: .required, "rows and columns of the window")
    }

    static func stride(_ path: Schema.Path<Extent>) -> Self {
        extent("stride", path, in: 1...1024, "steps from one position to the next")
    }

    static func padding(_ path: Schema.Path<Extent>) -> Self {
        extent("padding", path, in: 0...1024, "zeros on each side")
    }

    static func dilation(_ path: Schema.Path<Extent>) -> Self {
        extent("dilation", path, in: 1...1024, "steps between taps")
    }

    /// Rows and columns: one number for both, or a list of two.
    private static func extent(
        _ key: String, _ path: Schema.Path<Extent>, in range: ClosedRange<Int>,
        default: Schema.Default<Extent> = .ofProperty, _ help: String
    ) -> Self {
        let allowed = "a number in \(range.lowerBound)…\(range.upperBound), or [rows, columns] of such"
        let syntax = Syntax<Extent>.custom(allowed, write: { Tree([$0.height, $0.width]) }) { given in
            let numbers = given.integer.map { [$0, $0] } ?? given.list?.compactMap(\.integer) ?? []
            guard numbers.count == 2, given.integer != nil || given.list?.count == 2,
                numbers.allSatisfy(range.contains)
            else { return nil }
            return Extent(numbers[0], numbers[1])
        }
        return field(key, path, syntax, default: `default`, help)
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
