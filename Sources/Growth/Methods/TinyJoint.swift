package import Correlations
package import GrowthMath
package import Parameters
internal import Tensors

/// The minimiser of ‖G − H δWᵀ − Σ_e X_e αᵀ ω_eᵀ‖² over δW and k neurons together, X_e being what tap e reads of X.
///
/// For given neurons the best δW is δW* − Σ_e ω_e α C_e S_H⁺; what is left to minimise has the same N and, in place of
/// S, its Schur complement S̃ = S − Σ_e C_e S_H⁺ C_eᵀ: the covariance of the part of X that H does not already contain.
/// With one tap this is exact: Ψ after = Ψ − Σ λ̃_k², and δW's decrease + Σ λ̃_k² is the linearised first-order decrease.
/// Several taps overlap, and a neuron takes at least its λ̃_k² off Ψ (docs/method.md); the refit then solves for δW and ω exactly.
///
/// A ridge ρ adds ρ s ‖ωα‖² to what is minimised, s being the mean square of the inputs, so that inputs that hardly vary
/// do not get weights that only fit the noise of the samples.
package struct TinyJoint: GrowthMethod {
    package static let kind = "tiny-joint"

    /// S̃ is a difference of sums and known less well than S: its pivots count from this many times the rank threshold
    /// of S, relative to the largest of S.
    static let lostDigits = 100.0

    /// ρ
    package var ridge = 0.1
    /// Whether fan-outs and update are fitted again to the activities that kinked neurons really have.
    package var refit = true
    package var taps = SiteGeometry.Scheme.full

    package static let schema = Schema(
        Self(),
        .field(
            "ridge", \.ridge, .real(in: 0...1000),
            "penalty on new weights, relative to the mean square of the inputs: keeps them from fitting the noise of samples"
        ),
        .field(
            "refit", \.refit, .boolean,
            "fit fan-outs and update again to the activities that kinked neurons really have"),
        .field("taps", \.taps, .choice, SiteGeometry.Scheme.help))

    package var needs: StatisticsNeeds { [.inputCovariance, .overlap, .crossCovariance] }
    package var placement: Placement { .searched }
    package var allowsRefit: Bool { refit }

    package func propose(for site: SiteProblem, limit: Int) throws -> Proposal {
        let statistics = site.statistics
        let covariance = try site.require(\.inputCovariance, "S", for: Self.self)
        let overlap = try site.require(\.overlap, "C", for: Self.self)
        let cross = try site.require(\.crossCovariance, "N", for: Self.self)
        let consumer = statistics.bestUpdate.factor

        // Where the ones are part of both X and H, a bias of α would repeat the consumer's own bias exactly.
        let used = (0..<covariance.rows).filter { !site.idleBiases.contains($0) }
        let own = covariance.selecting(rows: used).selecting(columns: used)
        let explained = try overlap.explained(consumer: consumer, threshold: site.thresholds.rank)
        let schur = addingRidge(
            ridge,
            to: (covariance - explained).selecting(rows: used).selecting(columns: used), of: own)
        let leading = try LeadingNeurons(
            crossCovariance: cross.selecting(rows: used), taps: statistics.taps,
            input: SemidefiniteFactor(
                schur,
                threshold: Self.lostDigits * site.thresholds.rank,
                scale: own.largestDiagonal),
            threshold: site.thresholds.singularValue, limit: limit)

        var neurons = leading.neurons
        neurons.fanIn = neurons.fanIn.spread(to: used, of: covariance.rows)
        neurons.compensation = try overlap.compensation(
            of: neurons.fanIn, geometry: statistics.geometry, consumer: consumer,
            threshold: site.thresholds.rank)
        return Proposal(
            neurons: neurons.matching(site.slopes), singularValues: leading.singularValues,
            update: statistics.bestUpdate.weights)
    }
}

extension NewNeurons {
    /// α and ω scaled so that σ₀(αx) follows αx best where it is as often positive as negative: by (r + l)/(r² + l²)
    /// in all, 1 for tanh and ReLU. What the consumer's update makes room for, ω K, stays.
    fileprivate func matching(_ slopes: SlopesAtZero) -> NewNeurons {
        let squares = slopes.right * slopes.right + slopes.left * slopes.left
        guard squares > 0, slopes.right + slopes.left > 0 else { return self }
        let root = ((slopes.right + slopes.left) / squares).squareRoot()
        let roots = Array(repeating: root, count: count)
        var result = scaling(fanIn: roots, fanOut: roots)
        result.compensation = compensation.map { (1 / root) * $0 }
        return result
    }
}

extension Matrix {
    /// These columns as the named ones of a wider matrix, zeros in between.
    func spread(to places: [Int], of width: Int) -> Matrix {
        guard width > columns else { return self }
        var result = Matrix(rows: rows, columns: width)
        for row in 0..<rows {
            for (column, place) in places.enumerated() { result[row, place] = self[row, column] }
        }
        return result
    }
}

/// S̃ + ρ s 1, with s the mean of the diagonal of S.
private func addingRidge(_ ridge: Double, to schur: Matrix, of covariance: Matrix) -> Matrix {
    guard ridge > 0, covariance.rows > 0 else { return schur }
    let added = ridge * covariance.trace / Double(covariance.rows)
    var result = schur
    for index in 0..<result.rows { result[index, index] += added }
    return result
}
