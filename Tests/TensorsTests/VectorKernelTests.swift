import CKernels
import Testing

@testable import Tensors

@Suite("Kernels over rows and vectors")
struct VectorKernelTests {
    private func random(_ count: Int, index: Int) -> [Float] {
        var generator = Philox(seed: 2, purpose: .growth, index: index)
        return generator.normal(count, deviation: 1)
    }

    @Test(
        "a bias is added to every row, and column sums add row by row",
        arguments: [(1, 1), (3, 5), (64, 33), (0, 4)])
    func rows(rows: Int, columns: Int) {
        let matrix = random(rows * columns, index: 0), bias = random(columns, index: 1)
        var moved = matrix
        rows_add_bias(&moved, bias, rows, columns)
        #expect(moved == matrix.indices.map { matrix[$0] + bias[$0 % columns] })
        var sums = [Float](repeating: .nan, count: columns)
        rows_sum(matrix, &sums, rows, columns)
        #expect(
            sums
                == (0..<columns).map { column in
                    (0..<rows).reduce(Float(0)) { $0 + matrix[$1 * columns + column] }
                })
    }

    @Test("sums and products of vectors, element by element", arguments: [0, 1, 16, 37])
    func vectors(count: Int) {
        let a = random(count, index: 2), b = random(count, index: 3)
        var sum = a
        vector_add(&sum, b, count)
        #expect(sum == zip(a, b).map { $0 + $1 })
        var total = a.map { Double($0) * 1e9 }
        vector_add_to_double(&total, b, count)
        #expect(total == zip(a, b).map { Double($0) * 1e9 + Double($1) })
        var product = [Float](repeating: 0, count: count)
        vector_multiply(a, b, &product, count)
        #expect(product == zip(a, b).map { $0 * $1 })
    }
}
