package import Correlations
package import Tensors

/// What the producers of a residual width share with what its consumers read already.
package struct WidthOverlap: Equatable, Sendable {
    /// Of one producer and one consumer.
    package struct Pair: Equatable, Sendable {
        let producer: Int
        let consumer: Int
        let overlap: SiteOverlap
        let geometry: SiteGeometry

        package init(producer: Int, consumer: Int, overlap: SiteOverlap, geometry: SiteGeometry) {
            self.producer = producer
            self.consumer = consumer
            self.overlap = overlap
            self.geometry = geometry
        }
    }

    /// Columns of a fan-in that belong to each producer.
    let inputs: [Range<Int>]
    /// Of each consumer's S_H.
    let factors: [SemidefiniteFactor]
    /// Consumer by consumer.
    let pairs: [Pair]

    package init(inputs: [Range<Int>], factors: [SemidefiniteFactor], pairs: [Pair]) {
        self.inputs = inputs
        self.factors = factors
        self.pairs = pairs
    }

    /// For each producer Σ_q Σ_e C_pqe S_Hq⁺ C_pqeᵀ, side by side along the diagonal.
    func explained(threshold: Double) throws(LinearAlgebraError) -> Matrix {
        let size = inputs.last?.upperBound ?? 0
        var result = Matrix(rows: size, columns: size)
        for pair in pairs {
            let found = try pair.overlap.explained(
                consumer: factors[pair.consumer], threshold: threshold)
            result.add(found, at: inputs[pair.producer].lowerBound, inputs[pair.producer].lowerBound)
        }
        return result
    }

    /// Σ_p α_p C_pqe S_Hq⁺ for every consumer, tap and hidden input side by side, [k, Σ_q E_q b_q].
    func compensation(of fanIn: Matrix, threshold: Double) throws(LinearAlgebraError) -> Matrix {
        var result = Matrix(rows: fanIn.rows, columns: 0)
        for (consumer, factor) in factors.enumerated() {
            var sum: Matrix?
            for pair in pairs where pair.consumer == consumer {
                let found = try pair.overlap.compensation(
                    of: fanIn.selecting(columns: inputs[pair.producer]), geometry: pair.geometry,
                    consumer: factor, threshold: threshold)
                sum = sum.map { $0 + found } ?? found
            }
            guard let sum else { continue }
            let columns = fanIn.rows > 0 ? sum.values.count / fanIn.rows : 0
            result = result.appending(
                columns: Matrix(rows: fanIn.rows, columns: columns, values: sum.values))
        }
        return result
    }
}

extension Matrix {
    /// Adds a smaller matrix from a row and a column on.
    package mutating func add(_ block: Matrix, at row: Int, _ column: Int) {
        for i in 0..<block.rows {
            for j in 0..<block.columns { self[row + i, column + j] += block[i, j] }
        }
    }
}
