/// A flat array of parameters in order, cut where values are updated otherwise than those before them.
struct UpdateStretches: Sendable {
    /// What decides about the update of a value.
    struct Treatment: Hashable, Sendable {
        /// Updates that it had seen when the optimiser's state was taken over; 0 where the rule does not ask.
        var steps = 0
        /// Its place among the groups; nil for none.
        var group: Int?
    }

    /// Equal ones once, since what they ask for is computed in every step.
    private(set) var treatments: [Treatment] = []
    private var numbers: [Treatment: Int] = [:]
    private var stretches: [(range: Range<Int>, treatment: Int)] = []

    private var end: Int { stretches.last?.range.upperBound ?? 0 }

    /// Adds values that are treated alike.
    mutating func append(_ count: Int, _ treatment: Treatment) {
        guard count > 0 else { return }
        let number = numbers[treatment] ?? treatments.count
        if number == treatments.count {
            numbers[treatment] = number
            treatments.append(treatment)
        }
        let (begin, end) = (end, end + count)
        if let last = stretches.last, last.treatment == number {
            stretches[stretches.count - 1].range = last.range.lowerBound..<end
        } else {
            stretches.append((begin..<end, number))
        }
    }

    /// Adds what pads a parameter up to a place. Nobody reads it: it goes with its neighbour.
    mutating func pad(to place: Int) {
        append(place - end, stretches.last.map { treatments[$0.treatment] } ?? Treatment())
    }

    /// Calls `body` with every part of a range that is treated alike, and the number of its treatment.
    func forEach(in range: Range<Int>, _ body: (_ part: Range<Int>, _ treatment: Int) -> Void) {
        guard !range.isEmpty else { return }
        for stretch in stretches[index(at: range.lowerBound)...] {
            let part = stretch.range.clamped(to: range)
            guard !part.isEmpty else { return }
            body(part, stretch.treatment)
        }
    }

    /// The index of the stretch of a value.
    private func index(at place: Int) -> Int {
        var (low, high) = (0, stretches.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if stretches[middle].range.lowerBound <= place { low = middle } else { high = middle }
        }
        return low
    }
}
