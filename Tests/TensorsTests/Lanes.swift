@testable import Tensors

/// Rows of `count` values, sixteen side by side: [blocks, count, 16].
struct Lanes {
    let rows: Int
    let count: Int
    let buffer: AlignedBuffer

    var pointer: UnsafeMutablePointer<Float> { buffer.pointer }
    var blocks: Int { (rows + 15) / 16 }

    /// - Parameter padding: what stands in the lanes beyond the last row.
    init(_ values: [Float], rows: Int, count: Int, padding: Float = 0) {
        self.rows = rows
        self.count = count
        buffer = AlignedBuffer(count: (rows + 15) / 16 * 16 * count)
        // Kernels get bare pointers, so what a test makes stays to its end.
        _ = Unmanaged.passRetained(buffer)
        for index in 0..<buffer.count { buffer.pointer[index] = padding }
        for row in 0..<rows {
            for element in 0..<count { pointer[place(row, element)] = values[row * count + element] }
        }
    }

    init(repeating value: Float, rows: Int, count: Int) {
        self.init([Float](repeating: value, count: rows * count), rows: rows, count: count, padding: value)
    }

    private func place(_ row: Int, _ element: Int) -> Int { (row / 16 * count + element) * 16 + row % 16 }

    /// The values, [rows, count].
    var values: [Float] {
        (0..<rows).flatMap { row in (0..<count).map { pointer[place(row, $0)] } }
    }

    /// What stands in the lanes beyond the last row.
    var padding: [Float] {
        (rows..<blocks * 16).flatMap { row in (0..<count).map { pointer[place(row, $0)] } }
    }
}
