/// What brings images to mean 0 and standard deviation 1 per channel.
package struct Normalization: Sendable, Equatable {
    /// [c], of x / 255, in 0...1.
    package let mean: [Float]
    /// [c], of x / 255, population (divided by n); 0 where a channel is constant.
    package let standardDeviation: [Float]

    package init(mean: [Float], standardDeviation: [Float]) {
        precondition(mean.count == standardDeviation.count, "one mean and one deviation per channel")
        self.mean = mean
        self.standardDeviation = standardDeviation
    }

    /// Measures a split that is not empty.
    ///
    /// Sums and sums of squares are exact integers; each result is then rounded a few times in Float64 and once
    /// to Float32, so it does not depend on the order of the samples.
    /// - Complexity: one pass over n h w c bytes.
    package init(measuring split: Split) {
        let channels = split.shape.channels
        var sums = [UInt64](repeating: 0, count: channels)
        var squares = sums
        split.images.withUnsafeBufferPointer { values in
            for channel in 0..<channels {
                (sums[channel], squares[channel]) = exactSums(values, from: channel, by: channels)
            }
        }
        let n = UInt128(split.images.count / channels)
        let scale = Double(n) * 255
        mean = sums.map { Float(Double($0) / scale) }
        standardDeviation = zip(sums, squares).map { sum, square in
            let scaledVariance = n * UInt128(square) - UInt128(sum) * UInt128(sum)
            return Float(Double(scaledVariance).squareRoot() / scale)
        }
    }

    /// [c]: a value x in 0...255 becomes `scale` x + `offset`. A constant channel becomes 0.
    package var scale: [Float] { standardDeviation.map { 1 / (255 * ($0 > 0 ? $0 : 1)) } }
    /// [c], see `scale`.
    package var offset: [Float] {
        zip(mean, standardDeviation).map { mean, deviation in -mean / (deviation > 0 ? deviation : 1) }
    }
}

/// Σx and Σx² of every `stride`-th value. At most 2⁶⁴ / 255² = 2.8e14 of them.
private func exactSums(
    _ values: UnsafeBufferPointer<UInt8>, from start: Int, by stride: Int
) -> (sum: UInt64, squares: UInt64) {
    var sum: UInt64 = 0
    var squares: UInt64 = 0
    var index = start
    while index < values.count {
        let value = UInt64(values[index])
        sum &+= value
        squares &+= value &* value
        index += stride
    }
    return (sum, squares)
}
