package import GrowthMath
package import Parameters

/// What both stages of a growth round must agree on: which neurons are proposed where.
package struct ProposalParameters: ParameterSet {
    package var method = MethodParameters()
    package var neurons = NeuronPolicy.most(8)
    package var widths = WidthPolicy.all
    /// Whether the widths that sums tie together may grow too.
    package var residualWidths = false

    package static let schema = Schema(
        Self(),
        .set("method", \.method),
        .field(
            "neurons", \.neurons,
            .custom(NeuronPolicy.allowed, write: \.tree, read: NeuronPolicy.init(tree:)),
            "neurons added to each width per round: a number (an error where there are fewer useful directions), at most "
                + "a number, a fraction of the width, widths to reach by the last round, or auto (those whose gain "
                + "per parameter beats the best update's and twice their standard error)"),
        .field("widths", \.widths, .choice, "which widths grow: all, each in turn, or the best"),
        .field(
            "residual-widths", \.residualWidths, .boolean,
            "whether the widths that residual branches share grow too: behind the others in the order of widths"
        ),
        .misplaced("sites", "is called widths"),
        .misplaced("streams", "is called residual-widths"),
        .misplaced("scale", "belongs to the method, as in method: {kind: gradmax, scale: 0.5}"),
        .misplaced("taps", "belongs to the method, as in method: {kind: tiny-joint, taps: restricted}"),
        .misplaced("ridge", "belongs to the method, as in method: {kind: tiny-joint, ridge: 0.1}"),
        .misplaced("refit", "belongs to the method, as in method: {kind: tiny-joint, refit: false}"))
}

/// How widths are measured.
package struct MeasurementParameters: ParameterSet {
    package var samples = SamplePolicy.count(10_000)
    /// `auto` samples: the relative standard error of the neurons' gains to reach.
    package var tolerance = 0.05
    /// Parts the samples are summed in, each by one thread; the bits of a result depend on it.
    package var shards = 2
    /// Pivots of a covariance under this part of the largest count as zero: the noise of sums of Float32 products.
    package var rankThreshold = 1e-6
    /// Singular values under this part of the largest count as zero.
    package var singularThreshold = 1e-4
    /// Keep S, N, M and C in the artifact.
    package var keepStatistics = false

    package static let schema = Schema(
        Self(),
        .field(
            "samples", \.samples,
            .custom(SamplePolicy.allowed, write: \.tree, read: SamplePolicy.init(tree:)),
            "training samples measured: a number (drawn by the seed), all, or auto (until gains are known to the tolerance)"
        ),
        .field(
            "tolerance", \.tolerance, .real(in: 1e-6...1),
            "samples: auto stops at this relative standard error of the gains"),
        .field("shards", \.shards, .integer(in: 1...64), "parts of the samples summed side by side"),
        .field(
            "rank-threshold", \.rankThreshold, .real(in: 0...0.1),
            "pivots of covariances under this part of the largest are zero"),
        .field(
            "singular-threshold", \.singularThreshold, .real(in: 0...1),
            "singular values under this part of the largest are zero"),
        .field("keep-statistics", \.keepStatistics, .boolean, "store the raw statistics S, N, M, C too"))

    package var thresholds: Thresholds {
        Thresholds(rank: rankThreshold, singularValue: singularThreshold)
    }
}

/// How proposed neurons are put in.
package struct PlacementParameters: ParameterSet {
    package var signs = SignRule.best
    package var amplitude = AmplitudePolicy.method
    /// The most validation samples that amplitudes are tried on; 0 for all.
    package var trialSamples = 2000
    /// Whether the consumer's own best update is applied with the neurons.
    package var update = true
    package var scaling = UpdateScaling.none
    package var graft = GraftParameters()
    /// What widths and neurons compete per.
    package var cost = GrowthCost.parameters
    package var when = TriggerParameters()
    package var stop = StopParameters()

    package static let schema = Schema(
        Self(),
        .field("signs", \.signs, .choice, "the better sign of each neuron, or both as a pair of neurons"),
        .field(
            "amplitude", \.amplitude,
            .custom(AmplitudePolicy.allowed, write: \.tree, read: AmplitudePolicy.init(tree:)),
            "γ: as the method says, searched on the validation split, or fixed"),
        .field(
            "trial-samples", \.trialSamples, .integer(in: 0...Int(Int32.max)),
            "the most validation samples that amplitudes are tried on, 0 for all"),
        .field("update", \.update, .boolean, "apply the consumer's best update together with the neurons"),
        .field(
            "scaling", \.scaling, .choice,
            "scale proposals to the weights they join instead of by their own size"),
        .set("graft", \.graft),
        .field("cost", \.cost, .choice, "what widths: best and neurons: auto divide the decrease by"),
        .set("when", \.when),
        .set("stop", \.stop))
}
