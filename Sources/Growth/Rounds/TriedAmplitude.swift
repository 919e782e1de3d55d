internal import GrowthMath

/// How far an extension is put in, and what the loss is then.
struct TriedAmplitude {
    /// γ of the neurons and of what makes room for them; 0 for nothing at all.
    let amplitude: Double
    /// Whether the consumer's own move is put in as well, at γ too.
    let hasUpdate: Bool
    private static let withoutUpdate = "without the consumer's update, which would raise the loss"
    let loss: Double
    let lossBefore: Double

    /// What a record says of it.
    ///
    /// - Parameter isBounded: whether a consumer's move was shortened, see ``MoveBound``.
    func note(isBounded: Bool) -> String {
        [hasUpdate ? nil : Self.withoutUpdate, isBounded ? MoveBound.note : nil].compactMap { $0 }
            .joined(separator: "; ")
    }

    /// The loss with the neurons at one amplitude and the consumers' own moves at another.
    typealias Loss = (_ amplitude: Double, _ update: Double) throws -> Double

    /// - Parameter before: the loss without the extension where it is known.
    init(fixed amplitude: Double, before: Double?, _ loss: Loss) throws {
        self.amplitude = amplitude
        hasUpdate = true
        lossBefore = try before ?? loss(0, 0)
        self.loss = try loss(amplitude, amplitude)
    }

    /// Where the loss is lowest along the ray of neurons and update; where it falls nowhere, along that of the neurons alone.
    ///
    /// Both were measured before other sites grew. What the update was to follow may be followed already, while nothing but
    /// the neurons can follow the bottleneck.
    /// - Parameter hasUpdate: whether there is an update to leave out.
    init(hasUpdate: Bool, before: Double?, _ loss: Loss) throws {
        let both = try AmplitudeSearch(before: before) { try loss($0, $0) }
        let isEnough = both.amplitude > 0 || !hasUpdate || !both.lossBefore.isFinite
        let best = try isEnough ? both : AmplitudeSearch(before: both.lossBefore) { try loss($0, 0) }
        amplitude = best.amplitude
        self.hasUpdate = isEnough
        self.loss = best.loss
        lossBefore = best.lossBefore
    }
}
