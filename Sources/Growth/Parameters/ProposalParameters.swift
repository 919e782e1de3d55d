package import Correlations
package import GrowthMath
package import Networks
package import Parameters
internal import Tensors

/// What both stages of a growth round must agree on: which neurons are proposed where.
package struct ProposalParameters: ParameterSet {
    package var change: ChangeKind = .widen
    package var method: GrowthMethodName = .tinyJoint
    package var neurons: NeuronPolicy = .most(8)
    package var widths: WidthPolicy = .all
    /// Whether the widths that sums tie together may grow too.
    package var residualWidths: Bool = false
    /// The taps of a convolution that new neurons are proposed for.
    package var taps: SiteGeometry.Scheme = .full
    /// Norm of the fan-outs of `gradmax` and `random`, relative to the mean of the existing ones.
    package var scale: Double = 1

    package init(
        method: GrowthMethodName = .tinyJoint, neurons: NeuronPolicy = .most(8), widths: WidthPolicy = .all,
        residualWidths: Bool = false,
        taps: SiteGeometry.Scheme = .full, scale: Double = 1
    ) {
        self.method = method
        self.neurons = neurons
        self.widths = widths
        self.residualWidths = residualWidths
        self.taps = taps
        self.scale = scale
    }

    package init(fields: inout Fields) throws {
        change = try fields.choice(
            "change", default: ChangeKind.widen,
            "what a round does at each width: widen it by neurons, deepen the network by a residual block behind it of so "
                + "many neurons, or shrink it by the neurons whose removal changes the outputs least")
        method = try fields.choice(
            "method", default: GrowthMethodName.tinyJoint, "the rule that proposes neurons")
        neurons = fields.neuronPolicy()
        widths = try fields.choice(
            "widths", default: WidthPolicy.all, "which widths grow: all, each in turn, or the best")
        residualWidths = try fields.boolean(
            "residual-widths", default: false,
            "whether the widths that residual branches share grow too: behind the others in the order of widths"
        )
        taps = try fields.choice(
            "taps", default: SiteGeometry.Scheme.full,
            "how a convolution reads neurons that follow statistics: full, by its whole kernel, or restricted, by its centre alone"
        )
        scale = try fields.real(
            "scale", in: 0...1000, default: 1,
            "gradmax, random: norm of new fan-outs relative to the mean of the existing ones")
    }
}

extension ProposalParameters {
    /// What is measured for the change: to deepen or shrink, no candidates are proposed.
    var needs: StatisticsNeeds { change == .widen ? method.method.needs : [] }
}

/// How widths are measured.
package struct MeasurementParameters: ParameterSet {
    package var samples: SamplePolicy = .count(10_000)
    /// `auto` samples: the relative standard error of the neurons' gains to reach.
    package var tolerance: Double = 0.05
    /// Parts the samples are summed in, each by one thread; the bits of a result depend on it.
    package var shards: Int = 2
    /// Pivots of a covariance under this part of the largest count as zero: the noise of sums of Float32 products.
    package var rankThreshold: Double = 1e-6
    /// See ``Thresholds/ridge``.
    package var ridge: Double = 0.1
    /// Singular values under this part of the largest count as zero.
    package var singularThreshold: Double = 1e-4
    /// Keep S, N, M and C in the artifact.
    package var keepStatistics: Bool = false

    package init(samples: SamplePolicy = .count(10_000)) { self.samples = samples }

    package init(fields: inout Fields) throws {
        samples = fields.samplePolicy()
        tolerance = try fields.real(
            "tolerance", in: 1e-6...1, default: 0.05,
            "samples: auto stops at this relative standard error of the gains")
        shards = try fields.integer(
            "shards", in: 1...64, default: 2, "parts of the samples summed side by side")
        rankThreshold = try fields.real(
            "rank-threshold", in: 0...0.1, default: 1e-6,
            "pivots of covariances under this part of the largest are zero")
        ridge = try fields.real(
            "ridge", in: 0...1000, default: 0.1,
            "tiny-joint: penalty on new weights, relative to the mean square of the inputs: keeps them from fitting the noise of samples"
        )
        singularThreshold = try fields.real(
            "singular-threshold", in: 0...1, default: 1e-4,
            "singular values under this part of the largest are zero")
        keepStatistics = try fields.boolean(
            "keep-statistics", default: false, "store the raw statistics S, N, M, C too")
    }

    package var thresholds: Thresholds {
        Thresholds(rank: rankThreshold, singularValue: singularThreshold, ridge: ridge)
    }
}

/// How proposed neurons are put in.
package struct PlacementParameters: ParameterSet {
    package var signs: SignRule = .best
    package var amplitude: AmplitudePolicy = .method
    /// The most validation samples that amplitudes are tried on; 0 for all.
    package var trialSamples: Int = 2000
    /// Whether the consumer's own best update is applied with the neurons.
    package var update: Bool = true
    /// Whether fan-outs and update are fitted again to the kinked activities, for methods that allow it.
    package var refit: Bool = true
    package var scaling: UpdateScaling = .none
    /// What widths and neurons compete per.
    package var cost: GrowthCost = .parameters
    package var stop = StopParameters()

    package init() {}

    package init(fields: inout Fields) throws {
        signs = try fields.choice(
            "signs", default: SignRule.best, "the better sign of each neuron, or both as a pair of neurons")
        amplitude = fields.amplitudePolicy()
        trialSamples = try fields.integer(
            "trial-samples", in: 0...Int(Int32.max), default: 2000,
            "the most validation samples that amplitudes are tried on, 0 for all")
        update = try fields.boolean(
            "update", default: true, "apply the consumer's best update together with the neurons")
        refit = try fields.boolean(
            "refit", default: true,
            "tiny-joint: fit fan-outs and update again to the activities that kinked neurons really have")
        scaling = try fields.choice(
            "scaling", default: UpdateScaling.none,
            "scale proposals to the weights they join instead of by their own size")
        cost = try fields.choice(
            "cost", default: GrowthCost.parameters,
            "what widths: best and neurons: auto divide the decrease by")
        stop = try fields.set("stop", default: StopParameters(), "when growth stops")
    }
}
