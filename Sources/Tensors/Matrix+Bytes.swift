internal import COneDNN

/// Σ UᵀU over rows of bytes, exactly: integers have no rounding, and their products run at several times the
/// speed of Float32.
///
/// The result does not depend on the order of the rows. Used by one thread.
package final class ByteGram {
    /// Columns of U.
    package let columns: Int
    /// Rows added so far.
    package private(set) var rows = 0
    /// Σ u_i (u_j − 128) of the rows since the last flush; lower triangle by blocks.
    private var pending: [Int32]
    private var pendingRows = 0
    private var total: [Double]
    private var sums: [Int]
    private var signed: [Int8] = []

    /// |u (u − 128)| is at most 255 · 128: so many rows stay within 32 bits.
    private static let mostPending = Int(Int32.max) / (255 * 128)
    /// Only blocks of the lower triangle are computed.
    private static let blocks = 8

    /// Whether this machine multiplies bytes exactly. Without AVX-512 VNNI, products of pairs saturate at 16 bits.
    package static let isExact: Bool = {
        let (size, inner) = (64, 256)
        let largest = [UInt8](repeating: 255, count: size * inner)
        let signed = [Int8](repeating: 127, count: size * inner)
        var result = [Int32](repeating: 0, count: size * size)
        let isDone = multiply(
            rows: size, columns: size, inner: inner, stride: size, largest, signed, &result, size)
        return isDone && result.allSatisfy { $0 == Int32(255 * 127 * inner) }
    }()

    /// - Precondition: ``isExact``.
    package init(columns: Int) {
        precondition(Self.isExact, "products of bytes are not exact on this machine")
        self.columns = columns
        pending = Array(repeating: 0, count: columns * columns)
        total = Array(repeating: 0, count: columns * columns)
        sums = Array(repeating: 0, count: columns)
    }

    /// Adds rows of bytes, [rows, columns].
    ///
    /// - Complexity: about rows · columns² integer operations.
    package func add(_ bytes: UnsafePointer<UInt8>, rows count: Int) {
        if pendingRows + count > Self.mostPending { flush() }
        precondition(count <= Self.mostPending, "\(count) rows at once overflow 32 bits")
        if signed.count < count * columns { signed = Array(repeating: 0, count: count * columns) }
        signed.withUnsafeMutableBufferPointer { signed in
            for index in 0..<count * columns { signed[index] = Int8(bitPattern: bytes[index] ^ 0x80) }
        }
        addSums(bytes, rows: count)
        let step = (columns + Self.blocks - 1) / Self.blocks
        for first in Swift.stride(from: 0, to: columns, by: max(step, 1)) {
            let height = min(step, columns - first)
            pending.withUnsafeMutableBufferPointer { pending in
                signed.withUnsafeBufferPointer { signed in
                    guard let into = pending.baseAddress, let signed = signed.baseAddress else { return }
                    var none: Int32 = 0
                    let status = dnnl_gemm_u8s8s32(
                        Self.transposed, Self.asStored, Self.fixedOffset, dnnl_dim_t(height),
                        dnnl_dim_t(first + height), dnnl_dim_t(count), 1, bytes + first, dnnl_dim_t(columns),
                        0, signed,
                        dnnl_dim_t(columns), 0, 1, into + first * columns, dnnl_dim_t(columns), &none)
                    precondition(
                        status == dnnl_success, "oneDNN refused a product of \(columns) columns of bytes")
                }
            }
        }
        pendingRows += count
        rows += count
    }

    private func addSums(_ bytes: UnsafePointer<UInt8>, rows count: Int) {
        let part = [UInt32](unsafeUninitializedCapacity: columns) { part, initialized in
            part.initialize(repeating: 0)
            for row in 0..<count {
                let start = bytes + row * columns
                for column in 0..<columns { part[column] &+= UInt32(start[column]) }
            }
            initialized = columns
        }
        for column in 0..<columns { sums[column] += Int(part[column]) }
    }

    /// Σ UᵀU, [columns, columns], exact below 2⁵³.
    package var gram: Matrix {
        flush()
        var result = Matrix(rows: columns, columns: columns, values: total)
        for row in 0..<columns {
            let shift = 128 * Double(sums[row])
            for column in 0...row { result[row, column] += shift }
        }
        result.mirrorLowerTriangle()
        return result
    }

    /// The sum of each column.
    package var columnSums: [Double] { sums.map(Double.init) }

    private func flush() {
        guard pendingRows > 0 else { return }
        total.withUnsafeMutableBufferPointer { total in
            pending.withUnsafeMutableBufferPointer { pending in
                for index in 0..<columns * columns {
                    total[index] += Double(pending[index])
                    pending[index] = 0
                }
            }
        }
        pendingRows = 0
    }

    // oneDNN takes ASCII letters.
    private static let asStored = CChar(UInt8(ascii: "N"))
    private static let transposed = CChar(UInt8(ascii: "T"))
    private static let fixedOffset = CChar(UInt8(ascii: "F"))

    private static func multiply(
        rows: Int, columns: Int, inner: Int, stride: Int, _ a: [UInt8], _ b: [Int8], _ c: inout [Int32],
        _ cStride: Int
    ) -> Bool {
        var none: Int32 = 0
        return dnnl_gemm_u8s8s32(
            transposed, asStored, fixedOffset, dnnl_dim_t(rows), dnnl_dim_t(columns), dnnl_dim_t(inner), 1, a,
            dnnl_dim_t(stride), 0, b, dnnl_dim_t(stride), 0, 0, &c, dnnl_dim_t(cStride), &none)
            == dnnl_success
    }
}
