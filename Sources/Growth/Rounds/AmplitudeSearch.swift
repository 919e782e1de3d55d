/// Finds the amplitude at which the loss is lowest along a ray: bracketing, then parabolas.
///
/// Along the ray the loss is nearly quadratic, so that a bracket and two parabolas are enough. At most
/// ``evaluations`` losses are computed, the one at 0 included; an amplitude that raises the loss is never returned.
package struct AmplitudeSearch: Equatable, Sendable {
    /// The most losses computed, the one at 0 included.
    package static let evaluations = 8
    private static let growth = 4.0
    /// A decrease below this part of the loss is none.
    private static let tolerance = 1e-6

    /// γ; 0 where nothing lowers the loss.
    package let amplitude: Double
    /// The loss at γ and at 0.
    package let loss: Double
    package let lossBefore: Double
    /// Every (γ, loss) computed, in order.
    package let trials: [(amplitude: Double, loss: Double)]

    package static func == (left: Self, right: Self) -> Bool {
        left.amplitude == right.amplitude && left.loss == right.loss && left.lossBefore == right.lossBefore
    }

    /// - Parameter loss: at an amplitude; what is not finite counts as too high.
    package init(_ loss: (Double) throws -> Double) rethrows {
        let before = try loss(0)
        var trials = [(amplitude: 0.0, loss: before)]
        func evaluate(_ amplitude: Double) throws -> Double {
            let found = try loss(amplitude)
            trials.append((amplitude, found.isFinite ? found : .infinity))
            return trials[trials.count - 1].loss
        }
        try Self.bracket(evaluate, before: before) { trials.count }
        while trials.count < Self.evaluations, let next = Self.vertex(trials) { _ = try evaluate(next) }

        let best = trials.min { $0.loss < $1.loss } ?? trials[0]
        let isLower = best.loss < before - Self.tolerance * abs(before)
        amplitude = isLower ? best.amplitude : 0
        self.loss = isLower ? best.loss : before
        lossBefore = before
        self.trials = trials
    }

    /// Steps out from 1 while the loss falls, or in until it does.
    private static func bracket(
        _ evaluate: (Double) throws -> Double, before: Double, count: () -> Int
    ) rethrows {
        let mostSteps = evaluations - 2
        var amplitude = 1.0
        let first = try evaluate(amplitude)
        var last = try evaluate(amplitude * growth)
        if last < min(first, before) {
            amplitude *= growth
            while count() < mostSteps {
                amplitude *= growth
                let next = try evaluate(amplitude)
                if next >= last { return }
                last = next
            }
            return
        }
        if first < before { return }
        amplitude = 1
        last = first
        while count() < mostSteps {
            amplitude /= growth
            let next = try evaluate(amplitude)
            if next >= last { return }
            last = next
        }
    }

    /// Where the parabola through the best trial and its neighbours is lowest; nil where that is known already.
    private static func vertex(_ trials: [(amplitude: Double, loss: Double)]) -> Double? {
        let sorted = trials.sorted { $0.amplitude < $1.amplitude }
        guard let best = sorted.indices.min(by: { sorted[$0].loss < sorted[$1].loss }) else { return nil }
        guard best > 0 else {
            // Nothing helped so far: look closer to 0.
            return sorted.count > 1 ? sorted[1].amplitude / growth : nil
        }
        guard best < sorted.count - 1 else { return sorted[best].amplitude * growth }
        let (x0, x1, x2) = (sorted[best - 1].amplitude, sorted[best].amplitude, sorted[best + 1].amplitude)
        let (y0, y1, y2) = (sorted[best - 1].loss, sorted[best].loss, sorted[best + 1].loss)
        let (left, right) = ((x1 - x0) * (y1 - y2), (x1 - x2) * (y1 - y0))
        guard y2.isFinite, left != right else { return (x1 + x2) / 2 }
        let vertex = x1 - 0.5 * ((x1 - x0) * left - (x1 - x2) * right) / (left - right)
        guard vertex > x0, vertex < x2, abs(vertex - x1) > 0.02 * x1 else { return nil }
        return vertex
    }
}
