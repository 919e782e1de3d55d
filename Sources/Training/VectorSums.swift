internal import CKernels

/// Sums of arrays, element by element.
package enum VectorSums {
    /// total[i] += part[i]
    package static func add(_ part: UnsafePointer<Float>, to total: UnsafeMutablePointer<Float>, count: Int) {
        vector_add(total, part, count)
    }
}
