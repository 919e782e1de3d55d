import Testing

@testable import Tensors

@Suite("Leading singular values of a linear map")
struct LeadingSingularValuesTests {
    private func map(_ matrix: Matrix) -> LinearMap {
        LinearMap(rows: matrix.rows, columns: matrix.columns) {
            matrix.times($0)
        } applyTransposed: {
            matrix.transposedTimes($0)
        }
    }

    /// Columns [n, r] that are orthonormal.
    private func orthonormal(_ n: Int, _ r: Int, seed: UInt64) throws -> Matrix {
        var source = MatrixSource(seed: seed)
        let a = source.matrix(n, r)
        return try a.gram.cholesky().solving(.lower, a.transposed).transposed
    }

    private func matrix(_ rows: Int, _ columns: Int, _ values: [Double]) throws -> Matrix {
        let left = try orthonormal(rows, values.count, seed: 1)
        let right = try orthonormal(columns, values.count, seed: 2)
        return left.scaling(columns: values).timesTransposed(right)
    }

    @Test(
        "agree with the whole decomposition, for spectra that fall fast, slowly or in steps",
        arguments: [(90, 70), (70, 90)], [0.8, 0.99, 0.0])
    func agreement(shape: (rows: Int, columns: Int), ratio: Double) throws {
        let values = (0..<60).map { index in
            ratio > 0 ? (0..<index).reduce(3.0) { product, _ in product * ratio } : index < 5 ? 2.0 : 1.0 / 8
        }
        let matrix = try matrix(shape.rows, shape.columns, values)
        let found = try #require(try map(matrix).leadingSingularValues(5))
        #expect(zip(found.values, values).allSatisfy { abs($0 - $1) < 1e-9 })
        #expect(found.values.count == 5)
        let residual =
            matrix.times(found.rightTransposed.transposed) - found.left.scaling(columns: found.values)
        #expect(residual.squaredNorm.squareRoot() < 1e-9)
        #expect((found.left.gram - .identity(5)).squaredNorm.squareRoot() < 1e-9)
        #expect((found.rightTransposed.outerGram - .identity(5)).squaredNorm.squareRoot() < 1e-9)
    }

    @Test("fewer directions than are asked for are completed by zeros")
    func deficient() throws {
        let matrix = try matrix(40, 30, [2, 1])
        let found = try #require(try map(matrix).leadingSingularValues(4))
        #expect(zip(found.values, [2, 1, 0, 0]).allSatisfy { abs($0 - $1) < 1e-7 })
    }

    @Test("more than there is, or what does not converge: nil")
    func refusals() throws {
        let matrix = try matrix(20, 30, (1...20).map { 1 + 1e-3 * Double($0) })
        #expect(try map(matrix).leadingSingularValues(21) == nil)
        #expect(try map(matrix).leadingSingularValues(2, tolerance: 1e-300) == nil)
    }
}
