import Testing

@testable import Tensors

/// Random matrices for these tests: splitmix64, uniform in [-1, 1).
struct MatrixSource {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func number() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-52 - 1
    }

    mutating func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        Matrix(rows: rows, columns: columns, values: (0..<rows * columns).map { _ in number() })
    }
}

/// The largest difference of entries, relative to the largest entry expected.
func relativeError(_ found: Matrix, _ expected: Matrix) -> Double {
    guard found.rows == expected.rows, found.columns == expected.columns else { return .infinity }
    let scale = expected.values.map(abs).max() ?? 0
    let error = (found - expected).values.map(abs).max() ?? 0
    return error == 0 ? 0 : error / max(scale, .leastNormalMagnitude)
}

private func slowProduct(_ a: Matrix, _ b: Matrix) -> Matrix {
    var result = Matrix(rows: a.rows, columns: b.columns)
    for i in 0..<a.rows {
        for j in 0..<b.columns {
            result[i, j] = (0..<a.columns).reduce(0) { $0 + a[i, $1] * b[$1, j] }
        }
    }
    return result
}

@Suite("Matrix: products, parts and arithmetic")
struct MatrixTests {
    @Test(
        "every product equals the triple loop, for shapes down to a single row and an empty side",
        arguments: [(1, 1, 1), (3, 4, 5), (7, 1, 2), (17, 33, 9), (0, 3, 2), (3, 0, 2)])
    func products(rows: Int, inner: Int, columns: Int) {
        var source = MatrixSource(seed: 1)
        let (a, b) = (source.matrix(rows, inner), source.matrix(inner, columns))
        let expected = slowProduct(a, b)
        #expect(relativeError(a.times(b), expected) < 1e-14)
        #expect(relativeError(a.transposed.transposedTimes(b), expected) < 1e-14)
        #expect(relativeError(a.timesTransposed(b.transposed), expected) < 1e-14)
        #expect(relativeError(a.gram, slowProduct(a.transposed, a)) < 1e-14)
        #expect(relativeError(a.outerGram, slowProduct(a, a.transposed)) < 1e-14)
    }

    @Test("a Gram matrix is exactly symmetric")
    func gramSymmetry() {
        var source = MatrixSource(seed: 2)
        let gram = source.matrix(40, 23).gram
        #expect(gram == gram.transposed)
    }

    @Test("ones are appended as the last column, rows and columns are taken in the order asked for")
    func parts() {
        let a = Matrix([[1, 2], [3, 4], [5, 6]])
        #expect(a.appendingOnes == Matrix([[1, 2, 1], [3, 4, 1], [5, 6, 1]]))
        #expect(a.selecting(rows: [2, 0]) == Matrix([[5, 6], [1, 2]]))
        #expect(a.selecting(columns: [1]) == Matrix([[2], [4], [6]]))
        #expect(a.appending(rows: Matrix([[7, 8]])).row(3) == [7, 8])
        #expect(a.transposed.column(1) == [3, 4])
    }

    @Test("scaling, norms, trace and inner product follow their definitions")
    func arithmetic() {
        let a = Matrix([[3, 1], [4, 2]])
        #expect(a.scaling(columns: [2, 10]) == Matrix([[6, 10], [8, 20]]))
        #expect(a.scaling(rows: [2, 10]) == Matrix([[6, 2], [40, 20]]))
        #expect(a.columnNorms == [5, 5.0.squareRoot()])
        #expect(a.trace == 5)
        #expect(a.largestDiagonal == 3)
        #expect(a.squaredNorm == 30)
        #expect(a.inner(Matrix([[1, 0], [0, 10]])) == 23)
        #expect(2 * a - a == a)
    }
}
