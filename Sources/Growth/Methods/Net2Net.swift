package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// Copies of existing neurons that share their originals' fan-out (Chen et al., "Net2Net", ICLR 2016).
///
/// Originals are drawn without repetition, again from all once every one has a copy. A copy takes
/// ω = w / (1 + copies) plus noise from its original's fan-out w, which is left with the rest: the function is
/// kept exactly, for any leading part of the copies too. The noise makes gradients of twins differ.
package struct Net2Net: GrowthMethod {
    package static let kind = "net2net"

    /// Standard deviation of the noise, relative to the root mean square of the original's fan-out.
    package var noise = 0.02

    package static let schema = Schema(
        Self(),
        .field(
            "noise", \.noise, .real(in: 0...1000), "deviation of a copy's fan-out, relative to the original's"
        ))

    package var needs: StatisticsNeeds { [] }
    package var placement: Placement { .asProposed }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        var random = site.random
        var originals: [Int] = []
        while originals.count < limit, site.width > 0 {
            originals += random.permutation(site.width).map(Int.init).prefix(limit - originals.count)
        }
        var copies = Array(repeating: 0, count: site.width)
        for original in originals { copies[original] += 1 }

        let (outputs, taps) = (site.consumerWeights.rows, site.consumerTaps)
        let columns = tapped(originals, taps)
        let shares = originals.map { 1 / Double(1 + copies[$0]) }.repeating(each: taps)
        var fanOut = site.consumerWeights.selecting(columns: columns).scaling(columns: shares)
        let deviations = fanOut.columnNorms.norms(ofEach: taps).map {
            noise * $0 / Double(max(outputs * taps, 1)).squareRoot()
        }
        fanOut =
            fanOut
            + random.matrix(outputs, columns.count, deviation: 1)
            .scaling(columns: deviations.repeating(each: taps))
        var picks = Matrix(rows: columns.count, columns: site.consumerWeights.columns)
        for (copy, original) in columns.enumerated() { picks[copy, original] = 1 }
        return Proposal(
            neurons: NewNeurons(
                fanIn: site.producerWeights.selecting(rows: originals), fanOut: fanOut, compensation: picks,
                originals: originals))
    }
}
