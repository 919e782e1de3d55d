/// A dense row-major array of Float32 values, with a shape.
package struct Tensor: Equatable, Sendable {
    /// The extents, outermost first; empty for a scalar.
    package var shape: [Int]
    /// The elements, row-major; `shape`'s product of them.
    package var values: [Float]

    /// - Precondition: `values.count` is the product of `shape`.
    package init(shape: [Int], values: [Float]) {
        let expected = shape.reduce(1, *)
        precondition(
            values.count == expected,
            "a tensor of shape \(shape) has \(expected) elements, not \(values.count)")
        self.shape = shape
        self.values = values
    }

    /// A tensor with every element `value`.
    package init(repeating value: Float, shape: [Int]) {
        self.init(shape: shape, values: [Float](repeating: value, count: shape.reduce(1, *)))
    }

    /// How many elements there are.
    package var count: Int { values.count }
}
