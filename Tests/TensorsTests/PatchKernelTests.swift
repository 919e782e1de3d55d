import CKernels
import Testing

@testable import Tensors

@Suite("Kernels of patches")
struct PatchKernelTests {
    private func random(_ count: Int, index: Int) -> [Float] {
        var generator = Philox(seed: 3, purpose: .growth, index: index)
        return generator.normal(count, deviation: 1)
    }

    @Test("a patch holds what its sources say, zeros where there is none", arguments: [1, 3, 16, 35])
    func gather(channels: Int) {
        let (height, width) = (4, 5)
        let image = random(height * width * channels, index: channels)
        let rows: [Int32] = [-1, 0, 2, 3, 1, -1]
        let columns: [Int32] = [4, 0, -1, 2]
        var out = [Float](repeating: .nan, count: 3 * 2 * 2 * 2 * channels)
        patches_gather(image, width, channels, rows, 3, 2, columns, 2, 2, &out)
        for u in 0..<3 {
            for v in 0..<2 {
                for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let (y, x) = (Int(rows[2 * u + i]), Int(columns[2 * v + j]))
                    for channel in 0..<channels {
                        let expected = y < 0 || x < 0 ? 0 : image[(y * width + x) * channels + channel]
                        #expect(out[(((u * 2 + v) * 2 + i) * 2 + j) * channels + channel] == expected)
                    }
                }
            }
        }
    }

    @Test("sums of squares and of multiples agree with Float64", arguments: [0, 1, 15, 16, 33, 1000])
    func sums(count: Int) {
        let (x, y) = (random(count, index: 1), random(count, index: 2))
        let squares = x.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(vector_sum_of_squares(x, count) - squares) <= 1e-14 * squares)
        var sum = y
        vector_multiply_add(x, -1.5, &sum, count)
        for index in 0..<count {
            let exact = Double(y[index]) - 1.5 * Double(x[index])
            #expect(
                abs(Double(sum[index]) - exact) <= 1e-7
                    * (abs(Double(y[index])) + abs(1.5 * Double(x[index]))))
        }
    }

    @Test("rows are combined in pairs, with signs, at a stride", arguments: [1, 5, 64])
    func combine(channels: Int) {
        let rows = random(4 * channels, index: 4)
        let (first, second): ([Int32], [Int32]) = ([3, 0, 1], [2, 0, 3])
        let signs: [Float] = [1, -1, 2, 0, 0, 0.5]
        let stride = channels + 3
        var out = [Float](repeating: 7, count: 3 * stride)
        rows_combine(rows, channels, first, second, signs, 3, &out, stride)
        for row in 0..<3 {
            for channel in 0..<channels {
                let one = Double(signs[2 * row]) * Double(rows[Int(first[row]) * channels + channel])
                let two = Double(signs[2 * row + 1]) * Double(rows[Int(second[row]) * channels + channel])
                #expect(abs(Double(out[row * stride + channel]) - one - two) <= 1e-7 * (abs(one) + abs(two)))
            }
            for gap in channels..<stride { #expect(out[row * stride + gap] == 7) }
        }
    }
}
