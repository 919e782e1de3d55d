internal import Foundation

extension Philox {
    /// A pair of independent standard normal numbers (Box and Muller).
    package mutating func normalPair() -> (Double, Double) {
        // 1 - u is in (0, 1], so that the logarithm is finite.
        let radius = (-2 * log(1 - uniform())).squareRoot()
        let angle = 2 * Double.pi * uniform()
        return (radius * cos(angle), radius * sin(angle))
    }

    /// `count` normal numbers of mean 0 and the given standard deviation.
    package mutating func normal(_ count: Int, deviation: Double) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count + 1)
        while values.count < count {
            let (a, b) = normalPair()
            values.append(Float(deviation * a))
            values.append(Float(deviation * b))
        }
        if values.count > count { values.removeLast() }
        return values
    }
}
