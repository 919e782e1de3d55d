package import Tensors

/// How far a consumer's weights may move in one growth.
///
/// An input that hardly varies gets weights from S_H⁺ that are as long as its variation is small. What they do is little, so
/// that no loss on samples refuses them; but the gradient of the layer that makes this input grows with them, and
/// training at a rate that suits all other weights diverges. So no input's weights move by more than the longest that
/// any input has, or would have in a fresh layer. A longer move δ gives way to δ S_H (S_H + ρ 1)⁻¹, the best one under a
/// penalty on its length (Levenberg, 1944), with the first ρ of a geometric series that is enough: what most samples
/// show stays, what they hardly show goes.
package struct MoveBound {
    /// S_H, [b, b].
    private let covariance: Matrix
    /// E: columns of the consumer's weights for each input.
    private let taps: Int
    private let longest: Double
    /// Inputs of the consumer, a bias not counted.
    private let inputs: Int

    /// What a record says of a move that was too long.
    package static let note =
        "with a shorter move of the consumer's weights: samples hardly show where it led"

    /// - Parameters:
    ///   - covariance: S_H, [b, b].
    ///   - consumerWeights: W [c, b], its bias as the last column if it has one.
    ///   - inputs: the consumer's, each of as many columns of W.
    package init(covariance: Matrix, consumerWeights: Matrix, hasBias: Bool, inputs: Int) {
        self.covariance = covariance
        self.inputs = inputs
        taps = (consumerWeights.columns - (hasBias ? 1 : 0)) / max(inputs, 1)
        let fresh = (Double(consumerWeights.rows) / Double(max(inputs, 1))).squareRoot()
        longest = max(fresh, Self.longest(consumerWeights, inputs: inputs, taps: taps))
    }

    private static func longest(_ weights: Matrix, inputs: Int, taps: Int) -> Double {
        Array(weights.columnNorms.prefix(inputs * taps)).norms(ofEach: taps).max() ?? 0
    }

    /// Where the series of ρ begins, relative to the mean of the diagonal of S_H, and what it grows by.
    private static let firstPenalty = 1e-8
    private static let penaltyGrowth = 4.0

    private func allows(_ move: Matrix) -> Bool {
        Self.longest(move, inputs: inputs, taps: taps) <= longest
    }

    /// The extension with its move, update and room together, brought within the bound; itself where it is.
    package func bounding(_ extension: Extension) throws(LinearAlgebraError) -> Extension {
        guard let move = `extension`.move, move.values.allSatisfy(\.isFinite), !allows(move),
            covariance.trace > 0
        else { return `extension` }
        let shown = covariance.times(move.transposed)
        var penalty = Self.firstPenalty * covariance.trace / Double(covariance.rows)
        var bounded: Matrix
        repeat {
            var penalised = covariance
            for index in 0..<penalised.rows { penalised[index, index] += penalty }
            bounded = try SemidefiniteFactor(penalised).solving(shown).transposed
            penalty *= Self.penaltyGrowth
        } while !allows(bounded) && penalty.isFinite
        return Extension(neurons: `extension`.neurons, update: bounded)
    }
}
