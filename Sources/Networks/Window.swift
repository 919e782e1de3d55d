internal import Parameters

/// Rows and columns of an image or a window.
package struct Extent: Hashable, Sendable, Encodable {
    package var height: Int
    package var width: Int

    package init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    package init(square extent: Int) { self.init(extent, extent) }

    /// Positions.
    package var count: Int { height * width }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(height)
        try container.encode(width)
    }
}

/// A window that slides over an image, with zeros around it: kernel, stride, padding, dilation.
package struct Window: Hashable, Sendable {
    package var kernel: Extent
    package var stride: Extent
    package var padding: Extent
    package var dilation: Extent

    package init(
        kernel: Extent, stride: Extent = Extent(square: 1), padding: Extent = Extent(0, 0),
        dilation: Extent = Extent(square: 1)
    ) {
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
    }

    /// Places of the kernel.
    package var taps: Int { kernel.count }

    /// Rows and columns from the window's first to its last tap.
    package var reach: Extent {
        Extent(dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1)
    }

    /// How often the window fits, rows and columns that are left over not read, as in PyTorch; nil where it is larger
    /// than the padded image.
    package func positions(over image: Extent) -> Extent? {
        let rows = image.height + 2 * padding.height - reach.height
        let columns = image.width + 2 * padding.width - reach.width
        guard rows >= 0, columns >= 0 else { return nil }
        return Extent(rows / stride.height + 1, columns / stride.width + 1)
    }
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
