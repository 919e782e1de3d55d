package import Tensors

/// What the first pass over a site gives: sums over samples and positions, divided by the number of samples.
///
/// Columns and rows are channel-major as PyTorch unfolds patches, the 1 of a bias last.
package struct FirstPassMatrices: Equatable, Sendable {
    /// S_H = Σ_j h_j h_jᵀ, [b, b], over Q's output positions j.
    package var consumerCovariance: Matrix
    /// M = Σ_j h_j g_jᵀ, [b, c].
    package var consumerMoment: Matrix
    /// ‖G‖².
    package var gradientNorm: Double
    /// E = Σ_j g_j g_jᵀ, [c, c].
    package var gradientCovariance: Matrix?
    /// S = Σ_l mult(l) x_l x_lᵀ, [a, a]: mult(l) counts the pairs of output position and tap that read l.
    package var inputCovariance: Matrix?
    /// Σ_l x_l g_j(l,e)ᵀ, [a, c E], column c E + e: N without the projection.
    package var inputMoment: Matrix?
    /// C_e = Σ_j x_l(j,e) h_jᵀ for every tap e, [a, b] each; or alone, where that is too large, Σ_je x_l(j,e) f_jeᵀ,
    /// [a, width + 1], with f_je what Q reads at the place of its tap e, and a 1 if Q has a bias.
    package var overlap: [Matrix]?
    /// Σ_je f_je f_jeᵀ, [width + 1, width + 1]; nil where the overlap is known for every tap.
    package var alignedHidden: Matrix?
}

/// What the second pass over a site gives.
package struct SecondPassMatrices: Equatable, Sendable {
    /// N = Σ_l x_l g⊥_j(l,e)ᵀ / n, [a, c E], column c E + e.
    package var crossCovariance: Matrix?
    /// ‖G⊥‖² of each chunk, not divided, in the order of shards and of their chunks.
    package var squares: [(rows: Int, sum: Double)]

    package static func == (left: Self, right: Self) -> Bool {
        left.crossCovariance == right.crossCovariance && left.squares.elementsEqual(right.squares, by: ==)
    }
}

/// Which of the costly statistics a method needs; S_H, M, ‖G‖² and Ψ are always measured.
package struct StatisticsNeeds: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// S.
    package static let inputCovariance = StatisticsNeeds(rawValue: 1)
    /// C.
    package static let overlap = StatisticsNeeds(rawValue: 2)
    /// XᵀG/n.
    package static let inputMoment = StatisticsNeeds(rawValue: 4)
    /// N.
    package static let crossCovariance = StatisticsNeeds(rawValue: 8)
    /// E.
    package static let gradientCovariance = StatisticsNeeds(rawValue: 16)

    package static let all: StatisticsNeeds = [
        .inputCovariance, .overlap, .inputMoment, .crossCovariance, .gradientCovariance,
    ]
}

/// Makes the matrices of the first pass from tap-major sums and the sums of images.
struct FirstPassSumsOfSite {
    let plan: SitePlan
    let linear: LinearSums
    /// 1 / n.
    let scale: Double

    private var geometry: SiteGeometry { plan.geometry }
    private var input: PatchSide {
        PatchSide(
            taps: geometry.producer.taps, channels: geometry.inChannels, hasOnes: geometry.producerHasBias)
    }
    private var hidden: PatchSide {
        PatchSide(
            taps: geometry.consumer.taps, channels: geometry.width, hasOnes: geometry.consumerHasBias)
    }
    private var samples: Double { Double(linear.samples) }

    func consumerCovariance(_ sum: [Double]) -> Matrix {
        let positions = geometry.output.count
        let ones = linear.hiddenPatches(Array(repeating: 1, count: positions))
        var result = Matrix(
            sum, rows: hidden, columns: hidden, ones: ones, onesAcross: ones,
            corner: samples * Double(positions), times: scale)
        result.mirrorLowerTriangle()
        return result
    }

    func consumerMoment(_ sum: [Double]) -> Matrix {
        let gradient = PatchSide(taps: 1, channels: geometry.outChannels, hasOnes: false)
        return Matrix(
            sum, rows: hidden, columns: gradient, ones: linear.gradientSum, onesAcross: [], corner: 0,
            times: scale)
    }

    func gradientCovariance(_ sum: [Double]) -> Matrix {
        scale * Matrix(rows: geometry.outChannels, columns: geometry.outChannels, values: sum)
    }

    func inputCovariance(_ sum: [Double]) -> Matrix {
        let weights = zip(plan.plane.multiplicity, linear.ones).map { Double($0) * $1 }
        let ones = linear.inputPatches(weights)
        var result = Matrix(
            sum, rows: input, columns: input, ones: ones, onesAcross: ones,
            corner: samples * zip(weights, linear.ones).reduce(0) { $0 + $1.0 * $1.1 }, times: scale)
        result.mirrorLowerTriangle()
        return result
    }

    /// XᵀG or N: [a, E c].
    func inputMoment(_ sum: [Double]) -> Matrix {
        let gradient = PatchSide(taps: geometry.taps, channels: geometry.outChannels, hasOnes: false)
        return Matrix(
            sum, rows: input, columns: gradient, ones: linear.gradientPatches, onesAcross: [], corner: 0,
            times: scale)
    }

    /// - Parameter sums: C_e for every neuron tap, or the one aligned part.
    func overlap(_ sums: [[Double]]) -> [Matrix] {
        guard plan.overlapIsExact else { return [alignedOverlap(sums[0])] }
        let readers = plan.plane.readers
        let ones = linear.ones
        return zip(sums, readers).map { sum, readers in
            // For places: whether tap e reads them; for positions: what P's 1 is where tap e looks.
            let isRead = readers.map { $0 == nil ? 0.0 : 1 }
            var seen = Array(repeating: 0.0, count: geometry.output.count)
            for (place, position) in readers.enumerated() {
                if let position { seen[position] = ones[place] }
            }
            return Matrix(
                sum, rows: input, columns: hidden, ones: linear.hiddenPatches(seen),
                onesAcross: linear.inputPatches(isRead), corner: samples * seen.reduce(0, +), times: scale)
        }
    }

    /// What Q reads at the place of one of its taps.
    private var places: PatchSide {
        PatchSide(taps: 1, channels: geometry.width, hasOnes: geometry.consumerHasBias)
    }

    private func alignedOverlap(_ sum: [Double]) -> Matrix {
        let multiplicity = plan.plane.multiplicity.map(Double.init)
        let weights = zip(multiplicity, linear.ones).map { $0 * $1 }
        return Matrix(
            sum, rows: input, columns: places, ones: linear.hiddenPlaces(weights),
            onesAcross: linear.inputPatches(multiplicity), corner: samples * weights.reduce(0, +),
            times: scale)
    }

    /// - Parameter sum: Σ mult(l) h_l h_lᵀ.
    func alignedHidden(_ sum: [Double]) -> Matrix {
        let ones = linear.hiddenPlaces(plan.plane.multiplicity.map(Double.init))
        return Matrix(
            sum, rows: places, columns: places, ones: ones, onesAcross: ones,
            corner: samples * Double(geometry.taps * geometry.output.count), times: scale)
    }
}
