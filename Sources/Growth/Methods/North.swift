package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// New neurons orthogonal to the existing ones (Maile et al., "When, where, and how to add new neurons to ANNs",
/// AutoML 2022, section 3.3); only how they begin, not when: rounds and widths are the pipeline's.
///
/// Fan-ins have bias 0 and the mean norm of the existing ones. Where there is no room left, the rest is drawn freely.
package struct North: GrowthMethod {
    package static let kind = "north"

    /// What is orthogonal to what.
    package enum Target: String, CaseIterable, Sendable {
        /// Drawn fan-ins, to the existing fan-ins and to one another: α Wᵀ = 0 (the paper's NORTH-Weight).
        case weights
        /// Drawn pre-activations, on the samples, to the existing ones and to one another: α S Wᵀ = 0 (NORTH-Pre).
        case preActivations = "pre-activations"
        /// Pre-activations to what the consumer reads, as far as they can be: the unit fan-ins of the largest α S̃ αᵀ, the
        /// mean square of what H does not contain of Xαᵀ. NORTH-Select looks for the largest among drawn neurons.
        case activations
    }

    package var target = Target.activations
    /// The norm of each new fan-out, relative to the mean of the existing ones; 0, as in the paper, keeps the function.
    package var fanOut = 0.0

    package static let schema = Schema(
        Self(),
        .field(
            "of", \.target, .choice,
            "what is orthogonal to that of existing neurons: fan-ins, pre-activations on the samples, or pre-activations to "
                + "existing activations"),
        .field(
            "fan-out", \.fanOut, .real(in: 0...1000),
            "norm of new fan-outs relative to the mean of the existing ones; 0: they do nothing yet"))

    package var needs: StatisticsNeeds {
        switch target {
        case .weights: []
        case .preActivations: [.inputCovariance]
        case .activations: [.inputCovariance, .overlap]
        }
    }
    package var placement: Placement { .asProposed }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        var random = site.random
        let columns = site.producerWeights.columns
        let inputs = (0..<columns).filter { !site.biases.contains($0) }
        var directions = Matrix(rows: 0, columns: inputs.count)
        if limit > 0 { directions = try self.directions(limit, inputs, site, &random) }
        directions = directions.appending(
            rows: random.matrix(limit - directions.rows, inputs.count, deviation: 1))
        let norm = site.meanFanInNorm(over: inputs)
        let fanIn = directions.scaling(rows: directions.rowNorms.map { $0 > 0 ? norm / $0 : 0 })
        return Proposal(
            neurons: NewNeurons(
                fanIn: fanIn.spread(to: inputs, of: columns),
                fanOut: site.drawnFanOut(limit, norm: fanOut * site.meanFanOutNorm(for: limit), &random)))
    }

    /// Fan-ins of any length, [at most limit, inputs].
    ///
    /// - Parameter inputs: the columns of a fan-in that are no biases.
    private func directions(
        _ limit: Int, _ inputs: [Int], _ site: SiteProblem, _ random: inout Philox
    ) throws -> Matrix {
        let weights = site.producerWeights
        if target == .weights {
            return try random.orthonormalRows(limit, orthogonalTo: weights.selecting(columns: inputs))
        }
        let all = try site.require(\.inputCovariance, "S", for: Self.self)
        let covariance = all.selecting(rows: inputs).selecting(columns: inputs)
        if target == .preActivations {
            // In coordinates in which S is the identity.
            let factor = try SemidefiniteFactor(covariance, threshold: site.thresholds.rank)
            let existing = factor.whitening(all.selecting(rows: inputs).timesTransposed(weights))
            let drawn = try random.orthonormalRows(limit, orthogonalTo: existing.transposed)
            return factor.unwhitening(drawn.transposed).transposed
        }
        let explained = try site.require(\.overlap, "C", for: Self.self)
            .explained(consumer: site.statistics.bestUpdate.factor, threshold: site.thresholds.rank)
            .selecting(rows: inputs).selecting(columns: inputs)
        let leading = try LeadingNeurons(
            crossCovariance: covariance - explained, input: nil, scaling: .unit, threshold: 0, limit: limit)
        let least = TinyJoint.lostDigits * site.thresholds.rank * covariance.largestDiagonal
        let room = leading.singularValues.prefix { $0 > least }.count
        return leading.neurons.fanIn.selecting(rows: 0..<room)
    }
}

extension SiteProblem {
    /// The mean norm of the existing fan-ins over some of their columns; where there are none that do anything, the norm of
    /// Kaiming's.
    fileprivate func meanFanInNorm(over columns: [Int]) -> Double {
        let norms = producerWeights.selecting(columns: columns).rowNorms.filter { $0 > 0 }
        return norms.isEmpty ? gain : norms.reduce(0, +) / Double(norms.count)
    }
}

extension Philox {
    /// Orthonormal rows in directions drawn evenly from those orthogonal to the rows of a matrix, at most `count`: fewer where
    /// there is room for fewer.
    fileprivate mutating func orthonormalRows(
        _ count: Int, orthogonalTo existing: Matrix
    ) throws(LinearAlgebraError) -> Matrix {
        let units = existing.scaling(rows: existing.rowNorms.map { $0 > 0 ? 1 / $0 : 0 })
        let factor = try SemidefiniteFactor(units.outerGram)
        func freed(_ rows: Matrix) -> Matrix {
            rows - factor.solving(units.timesTransposed(rows)).transposedTimes(units)
        }
        let room = existing.columns - factor.rank
        // The second time takes away what rounding left.
        let rows = freed(freed(matrix(min(count, room), existing.columns, deviation: 1)))
        return try SemidefiniteFactor(rows.outerGram).whitening(rows)
    }
}

extension Matrix {
    fileprivate var rowNorms: [Double] { transposed.columnNorms }
}
