/// How far an extension is put in, and what the loss is then.
struct TriedAmplitude {
    /// γ of the neurons and of what makes room for them; 0 for nothing at all.
    let amplitude: Double
    /// Whether the consumer's own move is put in as well, at γ too.
    let hasUpdate: Bool
    let loss: Double
    let lossBefore: Double

    /// - Parameter before: the loss without the extension where it is known.
    init(fixed amplitude: Double, _ trial: GrowthTrial, before: Double?) throws {
        self.amplitude = amplitude
        hasUpdate = true
        lossBefore = try before ?? trial.loss(at: 0)
        loss = try trial.loss(at: amplitude)
    }

    /// Where the loss is lowest along the ray of neurons and update; where it falls nowhere, along that of the neurons alone.
    ///
    /// Both were measured before other sites grew. What the update was to follow may be followed already, while nothing but
    /// the neurons can follow the bottleneck.
    init(searching trial: GrowthTrial, before: Double?) throws {
        let both = try AmplitudeSearch(before: before) { try trial.loss(at: $0) }
        let isEnough = both.amplitude > 0 || !trial.hasUpdate || !both.lossBefore.isFinite
        let best =
            try isEnough
            ? both : AmplitudeSearch(before: both.lossBefore) { try trial.loss(at: $0, update: 0) }
        amplitude = best.amplitude
        hasUpdate = isEnough
        loss = best.loss
        lossBefore = best.lossBefore
    }
}
