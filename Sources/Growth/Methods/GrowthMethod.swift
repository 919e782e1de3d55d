package import Correlations
package import GrowthMath
package import Parameters
package import Tensors

/// A rule that proposes new neurons for a growth site.
///
/// A new method is one file beside this one and one line in ``MethodParameters/methods``.
package protocol GrowthMethod: Alternative {
    /// The statistics that ``propose(for:limit:)`` reads.
    var needs: StatisticsNeeds { get }
    /// How the neurons are put in.
    var placement: Placement { get }

    /// Whether fan-outs and update may be fitted again to the activities that kinked neurons really have.
    var allowsRefit: Bool { get }

    /// The taps of a convolution that neurons are proposed for.
    var taps: SiteGeometry.Scheme { get }

    /// The best neurons for a site, at most `limit`, fewer where there are no more useful directions.
    func propose(for site: SiteProblem, limit: Int) throws -> Proposal
}

extension GrowthMethod {
    package var allowsRefit: Bool { false }
    package var taps: SiteGeometry.Scheme { .full }
}

/// How the amplitude γ of a method's neurons is found.
package enum Placement: String, CaseIterable, Sendable {
    /// Along the ray: signs are chosen and γ is searched so that the loss falls.
    case searched
    /// As proposed, γ = 1, signs as they are: the method keeps the function, or is published so.
    case asProposed = "as-proposed"
}

/// What a method sees of one growth site.
///
/// Fan-outs have `consumerTaps` columns per neuron, or `statistics.taps` for methods that follow statistics.
package struct SiteProblem: Sendable {
    package var statistics: SiteStatistics
    /// The producer's weights, [width, a], its bias as the last column if it has one.
    package var producerWeights: Matrix
    /// The consumer's weights, [c, b], its bias as the last column if it has one.
    package var consumerWeights: Matrix
    /// Columns of the consumer's weights for each neuron. The statistics' taps are these, or one of them.
    package var consumerTaps: Int
    /// The gain that keeps variances through the activation between them (√2 for ReLU).
    package var gain: Double
    /// σ₀ of the activation between them.
    package var slopes: SlopesAtZero
    package var thresholds: Thresholds
    /// Which of a fan-in's entries are biases: by default the last one, if the producer has a bias.
    package var biases: [Int]
    /// Those of them that could do nothing that the consumer's own bias cannot.
    package var idleBiases: [Int]
    /// The site's own random numbers.
    package var random: Philox

    package init(
        statistics: SiteStatistics, producerWeights: Matrix, consumerWeights: Matrix, consumerTaps: Int = 1,
        gain: Double = 1,
        slopes: SlopesAtZero = .unit, thresholds: Thresholds = Thresholds(),
        random: Philox = Philox(seed: 0, purpose: .growth)
    ) {
        self.statistics = statistics
        self.producerWeights = producerWeights
        self.consumerWeights = consumerWeights
        self.consumerTaps = consumerTaps
        self.gain = gain
        self.slopes = slopes
        self.thresholds = thresholds
        self.random = random
        let geometry = statistics.geometry
        biases = geometry.producerHasBias ? [geometry.inputs - 1] : []
        idleBiases = geometry.sharesOnes ? biases : []
    }

    /// Neurons at the site now.
    package var width: Int { producerWeights.rows }

    /// The mean over the existing neurons of the norm of their fan-out, over all taps; where there are none yet, the norm
    /// that a fresh layer of `count` neurons would have on average.
    package func meanFanOutNorm(for count: Int) -> Double {
        let columns = Array(consumerWeights.columnNorms.prefix(width * consumerTaps))
        let norms = columns.norms(ofEach: consumerTaps)
        guard norms.isEmpty else { return norms.reduce(0, +) / Double(norms.count) }
        return gain * (Double(consumerWeights.rows) / Double(max(count, 1))).squareRoot()
    }

    /// A statistic that a method declared in its needs.
    package func require<Statistic>(
        _ statistic: KeyPath<SiteStatistics, Statistic?>, _ name: String, for method: any GrowthMethod.Type
    ) throws(GrowthError) -> Statistic {
        guard let value = statistics[keyPath: statistic] else {
            throw .missingStatistic(name: name, method: method.kind)
        }
        return value
    }
}

/// The field `method:`, a method and what is its own.
package struct MethodParameters: ParameterSet {
    /// Every method that a pipeline can name.
    package static let methods = Alternatives<any GrowthMethod>(
        TinyJoint.self,
        Tiny.self,
        GradMax.self,
        Random.self,
        RandomZeroOut.self,
        Fisher.self,
        Net2Net.self,
        North.self,
        VarianceTransfer.self,
        Firefly.self)

    package var method: any GrowthMethod = TinyJoint()

    package static let schema = Schema(
        Self(), .kind(\.method, among: methods, "the rule that proposes neurons"))

    /// As in `tiny-joint`.
    package var kind: String { type(of: method).kind }
}

// MARK: - Fields that several methods have

extension SiteGeometry.Scheme {
    static let help =
        "how a convolution reads the neurons: full, by its whole kernel, or restricted, by its centre alone"
}

extension Schema.Field {
    static func scale(_ path: Schema.Path<Double>) -> Self {
        field(
            "scale", path, .real(in: 0...1000),
            "norm of new fan-outs relative to the mean of the existing ones")
    }
}
