/// A linear map known by what it does to columns: large matrices and their factors need not be multiplied out.
package struct LinearMap {
    /// A X for X [columns, m].
    let apply: (Matrix) -> Matrix
    /// Aᵀ Y for Y [rows, m].
    let applyTransposed: (Matrix) -> Matrix
    let rows: Int
    let columns: Int

    package init(
        rows: Int, columns: Int, apply: @escaping (Matrix) -> Matrix,
        applyTransposed: @escaping (Matrix) -> Matrix
    ) {
        self.rows = rows
        self.columns = columns
        self.apply = apply
        self.applyTransposed = applyTransposed
    }

    /// The largest singular values and their vectors, by a block Krylov space (Musco and Musco, "Randomized Block
    /// Krylov Methods", NeurIPS 2015) that grows until they have converged.
    ///
    /// The start is drawn from a fixed stream, so results repeat bit for bit.
    ///
    /// - Parameters:
    ///   - count: how many values.
    ///   - tolerance: ‖Aᵀu − σv‖ of each pair is at most this part of the largest σ; a value is then off by at most
    ///     as much, its vectors by as much over the gap to the next.
    /// - Returns: nil where that does not converge within 12 steps: take a full decomposition.
    /// - Complexity: two applications to 2 count + 16 columns per step, 3 to 8 steps as singular values fall, and
    ///   products of the basis with itself.
    package func leadingSingularValues(
        _ count: Int, tolerance: Double = 1e-7
    ) throws(LinearAlgebraError) -> SingularValueDecomposition? {
        let block = min(2 * count + Self.spare, columns)
        guard count > 0, count <= min(rows, columns) else { return nil }
        var random = Philox(seed: 0, purpose: .growth)
        var next = try Matrix(
            rows: columns, columns: block, widening: random.normal(columns * block, deviation: 1)
        ).orthonormalized(against: nil)
        var (basis, images, squares): (Matrix?, Matrix?, Matrix?) = (nil, nil, nil)
        for _ in 0..<Self.mostSteps {
            let image = apply(next)
            let square = applyTransposed(image)
            basis = basis?.appending(columns: next) ?? next
            images = images?.appending(columns: image) ?? image
            squares = squares?.appending(columns: square) ?? square
            guard let basis, let images, let squares else { return nil }
            if let found = try converged(basis, images, squares, count, tolerance) { return found }
            next = try square.orthonormalized(against: basis)
            // The space is complete: nothing new can be added.
            if next.columns == 0 { return try converged(basis, images, squares, count, .infinity) }
        }
        return nil
    }

    /// Columns of a block beyond twice those that are asked for. Few wide steps cost less than many narrow ones: a
    /// product with few columns is mostly the reading of the large matrix.
    private static let spare = 16
    private static let mostSteps = 12

    /// The best approximation from a basis V, given A V and AᵀA V; nil where it is not close enough.
    private func converged(
        _ basis: Matrix, _ images: Matrix, _ squares: Matrix, _ count: Int, _ tolerance: Double
    ) throws(LinearAlgebraError) -> SingularValueDecomposition? {
        // (A V)ᵀ(A V) has the squares of the singular values: enough for leading ones, and cheap.
        let small = try images.gram.symmetricEigen()
        let kept = (0..<min(count, small.values.count)).map { small.values.count - 1 - $0 }
        let turn = small.vectors.selecting(columns: kept)
        let values = kept.map { max(small.values[$0], 0).squareRoot() }
        guard values.count == count, let largest = values.first else { return nil }
        let right = basis.times(turn)
        let inverse = values.map { $0 > 0 ? 1 / $0 : 0 }
        let residual = squares.times(turn).scaling(columns: inverse) - right.scaling(columns: values)
        guard residual.columnNorms.allSatisfy({ $0 <= tolerance * largest }) else { return nil }
        return SingularValueDecomposition(
            left: images.times(turn).scaling(columns: inverse), values: values,
            rightTransposed: right.transposed)
    }
}

extension Matrix {
    /// Orthonormal columns that span what these add to a basis of orthonormal columns.
    fileprivate func orthonormalized(against basis: Matrix?) throws(LinearAlgebraError) -> Matrix {
        var result = self
        // Once more, since the first time is only as good as the columns are independent.
        for _ in 0..<2 {
            if let basis { result = result - basis.times(basis.transposedTimes(result)) }
            let factor = try SemidefiniteFactor(result.gram, threshold: 1e-12)
            result = factor.whitening(result.transposed).transposed
        }
        return result
    }
}
