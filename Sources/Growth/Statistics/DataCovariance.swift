internal import Datasets
internal import Tensors

/// S = XᵀX/n of the data itself, from exact sums over its bytes.
///
/// A normalised value is s u + o for a byte u, so S follows from Σ uuᵀ and Σ u, which are integers: this costs a quarter
/// of the Float32 products and has no rounding.
struct DataCovariance {
    let split: Split
    let normalization: Normalization
    let positions: [Int32]

    /// Rows added at a time.
    private static let chunk = 2048

    /// S, [a, a], with the ones last if asked for.
    func matrix(hasOnes: Bool, threads: Int) throws -> Matrix {
        let workers = max(1, min(threads, (positions.count + Self.chunk - 1) / Self.chunk))
        // Exact integers: how many parts there are does not matter.
        let all = try WorkerTeam.map(workers, threads: workers) { worker in
            let begin = positions.count * worker / workers
            let end = positions.count * (worker + 1) / workers
            let sum = byteGram(of: begin..<end)
            return (gram: sum.gram, sums: sum.columnSums)
        }
        guard var (gram, sums) = all.first else { preconditionFailure("a team has a worker") }
        for part in all.dropFirst() {
            gram = gram + part.gram
            sums = zip(sums, part.sums).map(+)
        }
        return normalized(gram, sums, hasOnes: hasOnes)
    }

    private func byteGram(of range: Range<Int>) -> ByteGram {
        let count = split.shape.count
        let sum = ByteGram(columns: count)
        split.images.withUnsafeBufferPointer { images in
            guard let images = images.baseAddress else { return }
            var rows = [UInt8](repeating: 0, count: min(Self.chunk, range.count) * count)
            rows.withUnsafeMutableBufferPointer { rows in
                guard let into = rows.baseAddress else { return }
                for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.chunk) {
                    let chunk = min(Self.chunk, range.upperBound - first)
                    for row in 0..<chunk {
                        (into + row * count).update(
                            from: images + Int(positions[first + row]) * count, count: count)
                    }
                    sum.add(into, rows: chunk)
                }
            }
        }
        return sum
    }

    /// Σ xxᵀ/n from Σ uuᵀ and Σ u, x = s u + o by channel.
    private func normalized(_ gram: Matrix, _ sums: [Double], hasOnes: Bool) -> Matrix {
        let (count, channels) = (gram.rows, normalization.scale.count)
        let scale = (0..<count).map { Double(normalization.scale[$0 % channels]) }
        let offset = (0..<count).map { Double(normalization.offset[$0 % channels]) }
        let n = Double(positions.count)
        let means = (0..<count).map { scale[$0] * sums[$0] / n }
        var values: [Double] = []
        values.reserveCapacity((count + 1) * (count + 1))
        gram.withUnsafeValues { gram in
            for row in 0..<count {
                let (s, o, mean) = (scale[row] / n, offset[row], means[row])
                for column in 0..<count {
                    values.append(
                        s * scale[column] * gram[row * count + column] + o * means[column] + mean
                            * offset[column]
                            + o * offset[column])
                }
                if hasOnes { values.append(mean + o) }
            }
        }
        if hasOnes { values += zip(means, offset).map(+) + [1] }
        let size = count + (hasOnes ? 1 : 0)
        return Matrix(rows: size, columns: size, values: values)
    }
}
