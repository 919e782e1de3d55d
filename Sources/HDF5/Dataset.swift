/// An array with a shape and what it means: a dataset as a value.
package struct Dataset: Sendable, Equatable {
    /// The elements in row-major order (the last extent varies fastest).
    package enum Values: Sendable, Equatable {
        case uint8([UInt8])
        case int64([Int64])
        case float32([Float])
        case float64([Double])

        /// The number of elements.
        package var count: Int {
            switch self {
            case .uint8(let values): values.count
            case .int64(let values): values.count
            case .float32(let values): values.count
            case .float64(let values): values.count
            }
        }

        /// What the elements are.
        package var type: ElementType {
            switch self {
            case .uint8: .uint8
            case .int64: .int64
            case .float32: .float32
            case .float64: .float64
            }
        }

        /// The bytes of the elements, in memory order; nothing is copied.
        func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
            switch self {
            case .uint8(let values): try values.withUnsafeBytes(body)
            case .int64(let values): try values.withUnsafeBytes(body)
            case .float32(let values): try values.withUnsafeBytes(body)
            case .float64(let values): try values.withUnsafeBytes(body)
            }
        }
    }

    /// The elements, row-major.
    package let values: Values
    /// The extents, outermost first; [] is a scalar. An extent may be 0.
    package let shape: [Int]
    /// Everything attached to the dataset, `dims`, `units` and `long_name` included.
    package var attributes: [String: Attribute]

    /// - Parameters:
    ///   - shape: its product must be the number of elements; [] is a scalar.
    ///   - dims: the names of the dimensions, with commas: "out_features,in_features"; "" for a scalar.
    ///   - units: the unit of the elements, where they have one: "nats".
    ///   - longName: a title for plots and tables.
    package init(
        _ values: Values, shape: [Int], dims: String, units: String? = nil, longName: String? = nil,
        attributes: [String: Attribute] = [:]
    ) {
        let names = dims.isEmpty ? 0 : dims.split(separator: ",", omittingEmptySubsequences: false).count
        precondition(
            names == shape.count,
            "dims '\(dims)' names \(names) dimensions, the shape \(shape) has \(shape.count)")
        var attributes = attributes
        attributes["dims"] = .text(dims)
        attributes["units"] = units.map(Attribute.text)
        attributes["long_name"] = longName.map(Attribute.text)
        self.init(values, shape: shape, attributes: attributes)
    }

    /// A dataset with exactly these attributes, as read from a file.
    init(_ values: Values, shape: [Int], attributes: [String: Attribute]) {
        precondition(
            shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
            "the shape \(shape) does not fit \(values.count) elements")
        self.values = values
        self.shape = shape
        self.attributes = attributes
    }

    /// The names of the dimensions, with commas.
    package var dims: String? { attributes["dims"]?.text }
    /// The unit of the elements.
    package var units: String? { attributes["units"]?.text }
    /// The title for plots and tables.
    package var longName: String? { attributes["long_name"]?.text }
}

/// The elements and the shape of a dataset that was read.
package struct Values<Element: Sendable & Equatable>: Sendable, Equatable {
    /// The elements, row-major.
    package var values: [Element]
    /// The extents, outermost first; [] is a scalar.
    package var shape: [Int]

    package init(values: [Element], shape: [Int]) {
        self.values = values
        self.shape = shape
    }
}
