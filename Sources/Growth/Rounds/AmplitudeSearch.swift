internal import GrowthMath

/// Finds the amplitude at which the loss is lowest along a ray, by parabolas.
///
/// Along the ray the loss is nearly quadratic, so that a few losses are enough: steps go out from 1 while the loss falls, or
/// in until it does, as far as the parabola through the last of them says, and then to its lowest point. The search ends where
/// that promises little more, and after ``evaluations`` losses; an amplitude that raises the loss is never returned.
package struct AmplitudeSearch: Equatable, Sendable {
    /// The most losses computed, the one at 0 included.
    package static let evaluations = 8
    private static let growth = 4.0
    private static let farthest = 16.0
    /// The lowest point of a parabola is believed to lie before the last step if under this part of it.
    private static let settled = 0.6
    /// A decrease below this part of the loss is none.
    private static let tolerance = 1e-6
    /// What must be promised for another loss to be computed, as a part of the decrease so far.
    private static let worthwhile = 0.01

    /// γ; 0 where nothing lowers the loss.
    package let amplitude: Double
    /// The loss at γ and at 0.
    package let loss: Double
    package let lossBefore: Double
    /// Every (γ, loss) known, in order.
    package let trials: [(amplitude: Double, loss: Double)]

    package static func == (left: Self, right: Self) -> Bool {
        left.amplitude == right.amplitude && left.loss == right.loss && left.lossBefore == right.lossBefore
    }

    /// - Parameters:
    ///   - before: the loss at 0 where it is known.
    ///   - loss: at an amplitude; what is not finite counts as too high.
    package init(before known: Double? = nil, _ loss: (Double) throws -> Double) rethrows {
        let before = try known ?? loss(0)
        var trials = [(amplitude: 0.0, loss: before)]
        while trials.count < Self.evaluations, let next = Self.next(after: trials) {
            let found = try loss(next)
            trials.append((next, found.isFinite ? found : .infinity))
        }
        let best = trials.min { $0.loss < $1.loss } ?? trials[0]
        let isLower = best.loss < before - Self.tolerance * abs(before)
        amplitude = isLower ? best.amplitude : 0
        self.loss = isLower ? best.loss : before
        lossBefore = before
        self.trials = trials
    }

    /// Where to look next; nil where it is not worth another loss.
    private static func next(after trials: [(amplitude: Double, loss: Double)]) -> Double? {
        let sorted = trials.sorted { $0.amplitude < $1.amplitude }
        guard sorted.count > 1, let best = sorted.indices.min(by: { sorted[$0].loss < sorted[$1].loss })
        else {
            return 1
        }
        let (x, isLast) = (sorted[best].amplitude, best == sorted.count - 1)
        guard best > 0 else { return inwards(sorted) }
        guard sorted.count > 2 else { return x * growth }
        let middle = isLast ? best - 1 : best
        let three = sorted[middle - 1...middle + 1]
        guard three.allSatisfy(\.loss.isFinite) else {
            return isLast ? x * growth : (x + sorted[best + 1].amplitude) / 2
        }
        let parabola = Parabola(Array(three))
        let decrease = trials[0].loss - sorted[best].loss
        // What is no more than rounding tells nothing about far away.
        guard decrease > tolerance * abs(trials[0].loss) else { return isLast ? x * growth : nil }
        guard parabola.curvature > 0 else { return isLast ? x * farthest : nil }
        let vertex = parabola.vertex
        // A loss that falls ever slower has its parabola's lowest point shortly before the last step.
        if isLast, vertex <= x, vertex > settled * x, isStep(from: sorted[best - 1].amplitude, to: x) {
            return x * growth
        }
        let promised = sorted[best].loss - parabola.lowest
        guard promised > worthwhile * decrease else { return nil }
        return isLast ? min(vertex, x * farthest) : vertex
    }

    /// Whether an amplitude was a step out, and not the lowest point of a parabola.
    private static func isStep(from smaller: Double, to larger: Double) -> Bool {
        [smaller * growth, smaller * farthest, 1].contains(larger)
    }

    /// Closer to 0, since nothing helped so far; nil where the loss rises from 0 on.
    private static func inwards(_ sorted: [(amplitude: Double, loss: Double)]) -> Double? {
        let smallest = sorted[1].amplitude
        guard sorted.count > 3, sorted[2].loss.isFinite else { return smallest / growth }
        let parabola = Parabola(Array(sorted[0...2]))
        guard parabola.slopeAtFirst < 0 else { return nil }
        return min(smallest / growth, max(parabola.vertex, smallest / farthest))
    }
}

/// y through three points of rising x.
private struct Parabola {
    /// y = y₀ + s (x − x₀) + c (x − x₀)².
    let curvature: Double
    let slopeAtFirst: Double
    private let first: (x: Double, y: Double)

    init(_ points: [(amplitude: Double, loss: Double)]) {
        let (a, b) = (points[1].amplitude - points[0].amplitude, points[2].amplitude - points[0].amplitude)
        let left = (points[1].loss - points[0].loss) / a
        let right = (points[2].loss - points[0].loss) / b
        curvature = (right - left) / (b - a)
        slopeAtFirst = left - curvature * a
        first = (points[0].amplitude, points[0].loss)
    }

    /// Where it is lowest, for positive curvature.
    var vertex: Double { first.x - slopeAtFirst / (2 * curvature) }
    var lowest: Double { first.y - slopeAtFirst * slopeAtFirst / (4 * curvature) }
}

/// How far an extension is put in, and what the loss is then.
struct TriedAmplitude {
    /// γ of the neurons and of what makes room for them; 0 for nothing at all.
    let amplitude: Double
    /// Whether the consumer's own move is put in as well, at γ too.
    let hasUpdate: Bool
    /// The amplitude of the consumers' own moves.
    var update: Double { hasUpdate ? amplitude : 0 }
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
    /// Both were measured before other widths grew. What the update was to follow may be followed already, while nothing but
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
