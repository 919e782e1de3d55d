package import Tensors

/// Rules that scale a proposal to the weights it joins, instead of by its own singular values.
///
/// The factors are those of the gromo library. Standard deviations are about the mean, with n − 1; biases do not
/// enter them but are scaled alike.
package enum UpdateScaling: String, CaseIterable, Sendable {
    /// As computed.
    case none
    /// Update and fan-out as spread as the consumer's weights; the fan-in takes the ratio.
    case equalizeSecondLayer = "equalize-second-layer"
    /// Fan-in and fan-out as spread as the consumer's weights; the update takes the product.
    case equalizeExtensions = "equalize-extensions"
    /// Each as spread as the layer it extends.
    case matchExtendingLayer = "match-extending-layer"
    /// The library's first rule, kept for comparisons.
    case legacy

    /// What to multiply with.
    package struct Factors: Equatable, Sendable {
        package var update: Double
        package var fanOut: Double
        package var fanIn: Double

        package init(update: Double, fanOut: Double, fanIn: Double) {
            self.update = update
            self.fanOut = fanOut
            self.fanIn = fanIn
        }
    }

    /// - Parameters: all without bias columns.
    ///   - update: δW, [c, width].
    ///   - fanOut: ω, [c, k].
    ///   - fanIn: α, [k, inputs].
    package func factors(
        update: Matrix, fanOut: Matrix, fanIn: Matrix, producerWeights: Matrix, consumerWeights: Matrix
    ) -> Factors {
        let consumer = consumerWeights.standardDeviation
        func ratio(_ scale: Double, _ matrix: Matrix) -> Double {
            let spread = matrix.standardDeviation
            return spread > 0 ? scale / spread : 1
        }
        switch self {
        case .none:
            return Factors(update: 1, fanOut: 1, fanIn: 1)
        case .equalizeSecondLayer:
            let (delta, out) = (ratio(consumer, update), ratio(consumer, fanOut))
            return Factors(update: delta, fanOut: out, fanIn: delta / out)
        case .equalizeExtensions:
            let (out, into) = (ratio(consumer, fanOut), ratio(consumer, fanIn))
            return Factors(update: out * into, fanOut: out, fanIn: into)
        case .matchExtendingLayer:
            return Factors(
                update: ratio(consumer, update), fanOut: ratio(consumer, fanOut),
                fanIn: ratio(producerWeights.standardDeviation, fanIn))
        case .legacy:
            return Factors(update: ratio(consumer, update), fanOut: 1, fanIn: ratio(consumer, fanOut))
        }
    }
}

extension Matrix {
    /// About the mean of all entries, with n − 1.
    package var standardDeviation: Double {
        guard values.count > 1 else { return 0 }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }
}
