import Testing

@testable import Tensors

@Suite("Matrix: factorisations and solves")
struct MatrixFactorTests {
    /// Orthonormal columns [n, r], from the Cholesky of a random Gram matrix.
    private func orthonormal(_ n: Int, _ r: Int, seed: UInt64) throws -> Matrix {
        var source = MatrixSource(seed: seed)
        let a = source.matrix(n, r)
        return try a.gram.cholesky().solving(.lower, a.transposed).transposed
    }

    @Test("Cholesky gives a lower triangle with L Lᵀ = A", arguments: [1, 2, 5, 64, 130])
    func cholesky(size: Int) throws {
        var source = MatrixSource(seed: UInt64(size))
        let a = source.matrix(2 * size + 1, size).gram
        let factor = try a.cholesky()
        #expect(relativeError(factor.timesTransposed(factor), a) < 1e-13)
        for row in 0..<size {
            for column in (row + 1)..<max(size, row + 1) { #expect(factor[row, column] == 0) }
        }
    }

    @Test("triangular solves undo products with the triangle, four ways")
    func triangles() throws {
        var source = MatrixSource(seed: 4)
        let lower = try source.matrix(30, 12).gram.cholesky()
        let x = source.matrix(12, 5)
        #expect(relativeError(lower.solving(.lower, lower.times(x)), x) < 1e-11)
        #expect(relativeError(lower.solving(.lowerTransposed, lower.transposedTimes(x)), x) < 1e-11)
        let upper = lower.transposed
        #expect(relativeError(upper.solving(.upper, upper.times(x)), x) < 1e-11)
        #expect(relativeError(upper.solving(.upperTransposed, upper.transposedTimes(x)), x) < 1e-11)
    }

    @Test("pivoted Cholesky finds the rank and reproduces the permuted matrix", arguments: [0, 1, 7, 20])
    func pivoted(rank: Int) throws {
        var source = MatrixSource(seed: 5)
        let a = source.matrix(rank, 20).gram
        let found = try a.pivotedCholesky(threshold: 1e-12)
        #expect(found.rank == rank)
        let permuted = a.selecting(rows: found.permutation).selecting(columns: found.permutation)
        #expect(relativeError(found.factor.gram, permuted) < 1e-12)
    }

    @Test("the eigendecomposition reproduces the matrix, values ascending", arguments: [1, 3, 40])
    func eigen(size: Int) throws {
        var source = MatrixSource(seed: 6)
        let b = source.matrix(size, size)
        let a = b + b.transposed
        let found = try a.symmetricEigen()
        #expect(found.values == found.values.sorted())
        let v = found.vectors
        #expect(relativeError(v.scaling(columns: found.values).timesTransposed(v), a) < 1e-13)
        #expect(relativeError(v.gram, .identity(size)) < 1e-13)
    }

    @Test(
        "the SVD reproduces wide, tall and empty matrices",
        arguments: [(5, 3), (3, 5), (1, 1), (60, 8), (0, 4)])
    func singular(rows: Int, columns: Int) throws {
        var source = MatrixSource(seed: 7)
        let a = source.matrix(rows, columns)
        let found = try a.singularValueDecomposition()
        #expect(found.values == found.values.sorted(by: >))
        #expect(
            relativeError(found.left.scaling(columns: found.values).times(found.rightTransposed), a) < 1e-13)
        let rank = min(rows, columns)
        #expect(relativeError(found.left.gram, .identity(rank)) < 1e-13)
        #expect(relativeError(found.rightTransposed.outerGram, .identity(rank)) < 1e-13)
    }

    @Test(
        "the semidefinite solve is the pseudo-inverse, at any rank and any scale",
        arguments: [(12, 12), (12, 5), (12, 1), (3, 0), (40, 39)], [1.0, 1e-9, 1e9])
    func semidefinite(shape: (size: Int, rank: Int), scale: Double) throws {
        let (size, rank) = shape
        let v = try orthonormal(size, rank, seed: 8)
        let eigenvalues = (0..<rank).map { scale * (1 + Double($0) / 3) }
        let s = v.scaling(columns: eigenvalues).timesTransposed(v)
        let inverse = v.scaling(columns: eigenvalues.map { 1 / $0 }).timesTransposed(v)
        var source = MatrixSource(seed: 9)
        let right = source.matrix(size, 4)
        let factor = try SemidefiniteFactor(s)
        #expect(factor.rank == rank)
        #expect(relativeError(factor.solving(right), inverse.times(right)) < 1e-11)
        #expect(
            relativeError(factor.whitening(right).gram, right.transposedTimes(inverse.times(right))) < 1e-11)
    }

    @Test(
        "a large matrix is solved the same with and without pivoting, and singular ones are noticed",
        arguments: [1e-3, 1e-12, 0.0])
    func large(smallest: Double) throws {
        let size = 600
        let v = try orthonormal(size, size, seed: 12)
        let eigenvalues = (0..<size).map { $0 == 7 ? smallest : 1 + Double($0 % 5) }
        let s = v.scaling(columns: eigenvalues).timesTransposed(v)
        let factor = try SemidefiniteFactor(s, threshold: 1e-6)
        #expect(factor.rank == (smallest < 1e-6 ? size - 1 : size))
        #expect((try s.clearlyPositiveCholesky(above: 1e-6) != nil) == (smallest > 1e-6))
        let kept = (0..<size).filter { eigenvalues[$0] > 1e-6 }
        let inverse = v.selecting(columns: kept).scaling(columns: kept.map { 1 / eigenvalues[$0] })
            .timesTransposed(v.selecting(columns: kept))
        var source = MatrixSource(seed: 13)
        let right = source.matrix(size, 3)
        #expect(relativeError(factor.solving(right), inverse.times(right)) < 1e-9)
        #expect(
            relativeError(factor.whitening(right).gram, right.transposedTimes(inverse.times(right))) < 1e-9)
    }

    @Test("directions below the threshold do not count, and the threshold is relative")
    func threshold() throws {
        let v = try orthonormal(6, 6, seed: 10)
        let s = v.scaling(columns: [1, 1, 1, 1, 1e-4, 1e-14]).timesTransposed(v)
        #expect(try SemidefiniteFactor(s).rank == 5)
        #expect(try SemidefiniteFactor(1e-6 * s).rank == 5)
        #expect(try SemidefiniteFactor(s, threshold: 1e-2).rank == 4)
        #expect(try SemidefiniteFactor(1e-12 * s, scale: 1).rank == 0)
    }

    @Test("a matrix that is not positive definite, not square or not finite is refused by name")
    func refusals() {
        let indefinite = Matrix([[1, 0], [0, -1]])
        #expect(throws: LinearAlgebraError.notPositiveDefinite(size: 2, pivot: 1)) {
            try indefinite.cholesky()
        }
        #expect(throws: LinearAlgebraError.notSquare(operation: "Cholesky", rows: 1, columns: 2)) {
            try Matrix([[1, 2]]).cholesky()
        }
        let broken = Matrix([[1, .nan], [0, 1]])
        #expect(throws: LinearAlgebraError.notFinite(operation: "eigendecomposition", rows: 2, columns: 2)) {
            try broken.symmetricEigen()
        }
        #expect(throws: LinearAlgebraError.self) { try broken.singularValueDecomposition() }
        #expect(throws: LinearAlgebraError.self) { try SemidefiniteFactor(broken) }
    }
}
