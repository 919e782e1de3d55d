import Testing

@testable import Tensors

@Suite("Exact products of bytes")
struct MatrixBytesTests {
    @Test(
        "sums over bytes are exact, for any shape and any split into parts",
        arguments: [(1, 1), (3, 7), (64, 64), (50, 65), (500, 100), (9, 0)], [1, 3, 64])
    func exact(shape: (rows: Int, columns: Int), part: Int) {
        let (rows, columns) = shape
        var source = MatrixSource(seed: UInt64(rows))
        let bytes = (0..<rows * columns).map { _ in
            UInt8(truncatingIfNeeded: Int((source.number() + 1) * 128))
        }
        let sum = ByteGram(columns: columns)
        bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            for first in stride(from: 0, to: rows, by: part) {
                sum.add(start + first * columns, rows: min(part, rows - first))
            }
        }
        let values = Matrix(rows: rows, columns: columns, values: bytes.map(Double.init))
        if columns > 0 {
            #expect(sum.gram == values.gram)
            #expect(sum.rows == rows)
        }
        #expect(sum.columnSums == (0..<columns).map { values.column($0).reduce(0, +) })
    }

    @Test("the largest bytes do not overflow over many rows")
    func largest() {
        let rows = 70_000
        let bytes = [UInt8](repeating: 255, count: 1000 * 16)
        let sum = ByteGram(columns: 16)
        bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            for _ in 0..<rows / 1000 { sum.add(start, rows: 1000) }
        }
        #expect(sum.gram == Matrix(rows: 16, columns: 16, repeating: Double(rows) * 255 * 255))
    }
}
