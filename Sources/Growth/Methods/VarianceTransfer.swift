package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// Random twins whose fan-outs cancel (Yuan et al., "Accelerated Training via Incrementally Growing Neural Networks using
/// Variance Transfer and Learning Rate Adaptation", NeurIPS 2023, section 3.1): fan-ins [V; V] and fan-outs [Z, −Z].
///
/// The function is kept, and no fan-in or fan-out is small. Z has the mean square that existing weights have once they
/// are rescaled by √(d/d') for the wider consumer, so that variances are those of a network that always had d' neurons;
/// rescaling the existing weights is the graft's. Of an odd number the last has fan-out 0.
package struct VarianceTransfer: GrowthMethod {
    package static let kind = "variance-transfer"

    /// The norm of each new fan-out, relative to the mean of the existing ones rescaled.
    package var scale = 1.0

    package static let schema = Schema(Self(), .scale(\.scale))

    package var needs: StatisticsNeeds { [] }
    package var placement: Placement { .asProposed }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        var random = site.random
        let pairs = limit / 2
        let fanIn = site.kaimingFanIn(limit - pairs, &random)
        // A fresh layer, where there is none to rescale, is drawn for its width.
        let kept = site.width > 0 ? Double(site.width) / Double(site.width + limit) : 1
        let norm = scale * kept.squareRoot() * site.meanFanOutNorm(for: limit)
        let fanOut = site.drawnFanOut(pairs, norm: norm, &random)
            .appending(
                columns: Matrix(
                    rows: site.consumerWeights.rows, columns: (limit - 2 * pairs) * site.consumerTaps))
        let drawn = NewNeurons(fanIn: fanIn, fanOut: fanOut)
        // Twins stand side by side, so that of any even number in front all have theirs.
        return Proposal(
            neurons: drawn.selecting((0..<limit).map { $0 / 2 }).scaling(
                fanIn: Array(repeating: 1, count: limit),
                fanOut: (0..<limit).map { $0.isMultiple(of: 2) ? 1 : -1 }))
    }
}
