import Foundation
import Testing

@testable import Tensors

/// A product's extents and how its operands are stored.
struct ProductCase: Sendable, CustomTestStringConvertible {
    var rows: Int, columns: Int, inner: Int
    var transposedA: Bool, transposedB: Bool
    /// Unused elements after each stored row.
    var padding: Int

    var testDescription: String {
        "\(rows)x\(inner)\(transposedA ? "ᵀ" : "") · \(inner)x\(columns)\(transposedB ? "ᵀ" : ""), padding \(padding)"
    }

    /// Narrow and wide shapes, with odd extents.
    static let all = [
        (1, 1, 1), (1, 10, 784), (64, 8, 784), (8, 784, 64), (64, 784, 8), (23, 64, 17), (24, 24, 1),
        (24, 25, 31),
        (65, 33, 129), (64, 128, 200), (5, 300, 2),
    ].flatMap { rows, columns, inner in
        [(false, false), (false, true), (true, false), (true, true)].map { a, b in
            ProductCase(
                rows: rows, columns: columns, inner: inner, transposedA: a, transposedB: b,
                padding: a == b ? 0 : 3)
        }
    }
}

@Suite("Matrix products in Float32")
struct ProductsTests {
    private func random(_ count: Int, index: Int) -> [Float] {
        var generator = Philox(seed: 1, purpose: .growth, index: index)
        return generator.normal(count, deviation: 1)
    }

    /// Pointers to both operands, good for as long as the product takes.
    private func withOperands(
        _ a: [Float], _ b: [Float], _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Void
    ) { body(a, b) }

    /// A stored operand, logically [rows, columns], and its elements.
    private struct Stored {
        var values: [Float]
        var stride: Int
        var rows: Int, columns: Int
        var transposed: Bool

        func element(_ row: Int, _ column: Int) -> Double {
            Double(transposed ? values[column * stride + row] : values[row * stride + column])
        }
    }

    private func stored(_ rows: Int, _ columns: Int, transposed: Bool, padding: Int, index: Int) -> Stored {
        let lines = transposed ? columns : rows, stride = (transposed ? rows : columns) + padding
        return Stored(
            values: random(lines * stride, index: index), stride: stride, rows: rows, columns: columns,
            transposed: transposed)
    }

    @Test("a product agrees with Float64, for every storage", arguments: ProductCase.all)
    func product(shape: ProductCase) {
        Platform.useOneThread()
        let a = stored(
            shape.rows, shape.inner, transposed: shape.transposedA, padding: shape.padding, index: 0)
        let b = stored(
            shape.inner, shape.columns, transposed: shape.transposedB, padding: shape.padding, index: 1)
        let stride = shape.columns + shape.padding
        let before = random(shape.rows * stride, index: 2)
        for beta: Float in [0, 1, -0.5] {
            var c = beta == 0 ? [Float](repeating: .nan, count: before.count) : before
            Products.multiply(
                rows: shape.rows, columns: shape.columns, inner: shape.inner,
                .init(a.values, stride: a.stride, transposed: a.transposed),
                .init(b.values, stride: b.stride, transposed: b.transposed), into: &c, stride: stride,
                beta: beta)
            var worst = 0.0
            for row in 0..<shape.rows {
                for column in 0..<shape.columns {
                    var exact = beta == 0 ? 0 : Double(beta) * Double(before[row * stride + column])
                    var magnitude = abs(exact)
                    for k in 0..<shape.inner {
                        let term = a.element(row, k) * b.element(k, column)
                        exact += term
                        magnitude += abs(term)
                    }
                    let error = abs(Double(c[row * stride + column]) - exact) / magnitude
                    worst = error <= worst ? worst : error
                }
                // What stands between the rows is not touched.
                for gap in shape.columns..<stride where beta != 0 {
                    #expect(c[row * stride + gap] == before[row * stride + gap])
                }
            }
            // Relative to the sum of the terms' magnitudes; NaN fails too.
            #expect(worst < 3e-7, "\(worst) with beta \(beta)")
        }
    }

    @Test("a product without inner extent is beta times what was there")
    func emptyInner() {
        var c: [Float] = [1, 2, 3, .nan]
        withOperands([0], [0]) { left, right in
            Products.multiply(
                rows: 1, columns: 3, inner: 0, .init(left, stride: 0), .init(right, stride: 3), into: &c,
                stride: 3,
                beta: 2)
        }
        #expect(c[..<3] == [2, 4, 6])
        withOperands([0], [0]) { left, right in
            Products.multiply(
                rows: 2, columns: 2, inner: 0, .init(left, stride: 0), .init(right, stride: 2), into: &c,
                stride: 2)
        }
        #expect(c == [0, 0, 0, 0])
    }

    @Test("the symmetric product fills the lower triangle only", arguments: [(7, 1), (40, 9), (100, 33)])
    func symmetric(rows: Int, columns: Int) {
        Platform.useOneThread()
        let stride = columns + 2
        let a = random(rows * stride, index: 3)
        var c = [Float](repeating: 100, count: columns * columns)
        Products.symmetric(rows: rows, columns: columns, a, stride: stride, into: &c, beta: 1)
        for i in 0..<columns {
            for j in 0..<columns {
                let exact = (0..<rows).reduce(0.0) {
                    $0 + Double(a[$1 * stride + i]) * Double(a[$1 * stride + j])
                }
                #expect(
                    j > i ? c[i * columns + j] == 100 : abs(Double(c[i * columns + j]) - 100 - exact) < 2e-4)
            }
        }
    }

    @Test("a product's bits do not depend on the thread that computes it")
    func threads() throws {
        let rows = 256, columns = 300, inner = 700
        let a = random(rows * inner, index: 4), b = random(inner * columns, index: 5)
        let results = ResultSlots<[Float]>(count: 3)
        try WorkerTeam.run(3) { worker in
            var c = [Float](repeating: 0, count: rows * columns)
            Products.multiply(
                rows: rows, columns: columns, inner: inner, .init(a, stride: inner),
                .init(b, stride: columns),
                into: &c, stride: columns)
            results.set(worker, c)
        }
        #expect(results.values.count == 3)
        #expect(results.values.allSatisfy { $0 == results.values[0] })
    }
}
