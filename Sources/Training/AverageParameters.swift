package import Parameters

/// The `average:` section: a running average of weights and running statistics, which validation and evaluation measure.
///
/// After every step an average a of a value w becomes β a + (1 − β) w, so that it reaches back about 1/(1 − β) steps
/// (Polyak and Juditsky, 1992). With `every` and `lookahead` it is the slow weights of Zhang, Lucas, Hinton and Ba,
/// "Lookahead Optimizer", 2019, with k = `every` and α = 1 − β.
package struct AverageParameters: ParameterSet {
    /// β; 0 keeps no average.
    package var decay = 0.0
    /// Steps of a phase from one update of the average to the next.
    package var every = 1
    /// Whether weights and running statistics are set to their averages at each update of these.
    package var lookahead = false

    package static let schema = Schema(
        Self(),
        .field(
            "decay", \.decay, .real(in: 0...0.99999),
            "share of the average kept at each update of it; 0: no average"),
        .field("every", \.every, .integer(in: 1...10_000), "steps between two updates of the average"),
        .field("lookahead", \.lookahead, .boolean, "set the weights to the average at each update of it")
    ) { average, fields in
        guard average.lookahead, average.decay == 0 else { return }
        fields.refuse(
            "lookahead", with: ["decay"], found: "true", allowed: "true only with a decay above 0")
    }
}
