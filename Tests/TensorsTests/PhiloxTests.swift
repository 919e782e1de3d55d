import CKernels
import Testing

@testable import Tensors

/// One published answer of Random123 (kat_vectors, philox4x32 with 10 rounds).
struct KnownAnswer: Sendable, CustomTestStringConvertible {
    var name: String
    var counter: [UInt32]
    var key: [UInt32]
    var answer: [UInt32]

    var testDescription: String { name }

    static let all = [
        KnownAnswer(
            name: "zeros", counter: [0, 0, 0, 0], key: [0, 0],
            answer: [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        KnownAnswer(
            name: "ones", counter: [UInt32](repeating: .max, count: 4), key: [.max, .max],
            answer: [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        KnownAnswer(
            name: "digits of pi", counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            key: [0xa409_3822, 0x299f_31d0], answer: [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]),
    ]
}

@Suite("Random numbers")
struct PhiloxTests {
    @Test("the generator gives the published answers", arguments: KnownAnswer.all)
    func knownAnswers(known: KnownAnswer) {
        var words = [UInt32](repeating: 0, count: 4)
        philox4x32(known.counter, known.key, &words)
        #expect(words == known.answer)
        let block = Philox.block(
            counter: (known.counter[0], known.counter[1], known.counter[2], known.counter[3]),
            key: (known.key[0], known.key[1]))
        #expect([block.0, block.1, block.2, block.3] == known.answer)
    }

    @Test("a stream's words are the blocks 0, 1, … of its name")
    func streamLayout() {
        let seed = 0x0123_4567_89ab_cdef
        var random = Philox(seed: seed, purpose: .dataOrder, epoch: 7, index: 9)
        for block: UInt32 in 0..<3 {
            let words = Philox.block(
                counter: (block, 0, 7 | RandomPurpose.dataOrder.rawValue << 24, 9),
                key: (0x89ab_cdef, 0x0123_4567))
            #expect(random.next() == UInt64(words.0) | UInt64(words.1) << 32)
            #expect(random.next() == UInt64(words.2) | UInt64(words.3) << 32)
        }
    }

    @Test("a stream depends on every part of its name and on nothing else")
    func streamsDiffer() {
        func first(_ seed: Int, _ purpose: RandomPurpose, _ epoch: Int, _ index: Int) -> UInt64 {
            var random = Philox(seed: seed, purpose: purpose, epoch: epoch, index: index)
            return random.next()
        }
        let same = first(1, .growth, 2, 3)
        #expect(same == first(1, .growth, 2, 3))
        let others = [
            first(2, .growth, 2, 3), first(1 << 32, .growth, 2, 3), first(1, .dropout, 2, 3),
            first(1, .growth, 3, 3), first(1, .growth, 2, 4),
        ]
        #expect(Set(others + [same]).count == 6)
    }

    @Test("a permutation holds every position once", arguments: [0, 1, 2, 3, 17, 1000])
    func permutationIsOne(count: Int) {
        var random = Philox(seed: 5, purpose: .dataOrder)
        let order = random.permutation(count)
        #expect(order.sorted() == (0..<count).map(Int32.init))
        if count == 1000 { #expect(order != order.sorted()) }
    }

    @Test("all 24 orders of four are equally likely")
    func permutationIsUniform() {
        let draws = 24_000
        var counts: [[Int32]: Int] = [:]
        for epoch in 0..<draws {
            var random = Philox(seed: 11, purpose: .dataOrder, epoch: epoch)
            counts[random.permutation(4), default: 0] += 1
        }
        #expect(counts.count == 24)
        // 23 degrees of freedom: above 49.7 once in 1,000 seeds.
        #expect(chiSquared(Array(counts.values), expected: Double(draws) / 24) < 49.7)
    }

    @Test("bounded integers stay in range and are equally likely", arguments: [1, 2, 3, 7, 10])
    func integers(bound: Int) {
        var random = Philox(seed: 3, purpose: .growth)
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<7000 { counts[random.integer(below: bound)] += 1 }
        // At most 9 degrees of freedom: above 27.9 once in 1,000 seeds.
        #expect(chiSquared(counts, expected: 7000 / Double(bound)) < 27.9)
    }

    @Test("uniform numbers lie in [0, 1) with mean 1/2 and variance 1/12")
    func uniform() {
        var random = Philox(seed: 4, purpose: .growth)
        let values = (0..<20_000).map { _ in random.uniform() }
        #expect(values.allSatisfy { (0..<1).contains($0) })
        let (mean, variance) = moments(values)
        #expect(abs(mean - 0.5) < 0.008 && abs(variance - 1.0 / 12) < 0.003)
    }

    @Test("normal numbers have the mean, deviation and tails of a normal", arguments: [0, 1, 5, 20_001])
    func normal(count: Int) {
        var random = Philox(seed: 6, purpose: .initialization)
        let values = random.normal(count, deviation: 3)
        #expect(values.count == count && values.allSatisfy { $0.isFinite })
        guard count > 1000 else { return }
        let (mean, variance) = moments(values.map(Double.init))
        #expect(abs(mean) < 0.1 && abs(variance.squareRoot() - 3) < 0.06)
        let inside = Double(values.count { abs($0) < 3 }) / Double(count)
        #expect(abs(inside - 0.6827) < 0.014)
    }

    private func chiSquared(_ counts: [Int], expected: Double) -> Double {
        counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    }

    private func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
    }
}

@Suite("Dropout masks")
struct DropoutMaskTests {
    private let key: [UInt32] = [12, 34]

    /// Masks of `rows` samples of `count` elements, the first of which is sample `first`, [rows, count].
    private func mask(_ rows: Int, _ count: Int, rate: Float, first: UInt32) -> [Float] {
        let result = Lanes(repeating: -1, rows: rows, count: count)
        dropout_mask(result.pointer, result.blocks, count, rate, key, 5, 6, first)
        return result.values
    }

    @Test(
        "element i of a sample is word i mod 4 of the sample's block i / 4",
        arguments: [1, 4, 11], [0, 7, .max - 40] as [UInt32])
    func words(count: Int, first: UInt32) {
        let found = mask(18, count, rate: 0.4, first: first)
        for (offset, value) in found.enumerated() {
            let (row, element) = offset.quotientAndRemainder(dividingBy: count)
            let words = Philox.block(
                counter: (UInt32(element / 4), first + UInt32(row), 5, 6), key: (12, 34))
            let word = [words.0, words.1, words.2, words.3][element % 4]
            #expect(value == (Float(word >> 8) * 0x1p-24 < 0.4 ? 0 : 1 / (1 - 0.4)))
        }
    }

    @Test("a sample's mask does not depend on how samples are cut", arguments: [1, 2, 15, 16, 17, 40])
    func cuts(piece: Int) {
        let whole = mask(50, 9, rate: 0.3, first: 7)
        var parts: [Float] = []
        while parts.count < whole.count {
            let row = parts.count / 9
            parts += mask(min(piece, 50 - row), 9, rate: 0.3, first: 7 + UInt32(row))
        }
        #expect(parts == whole)
    }

    @Test("the share dropped is the rate, the mean stays 1", arguments: [0, 0.1, 0.5, 0.999] as [Float])
    func share(rate: Float) {
        let values = mask(200, 200, rate: rate, first: 0)
        let dropped = Double(values.count { $0 == 0 }) / 40_000
        #expect(abs(dropped - Double(rate)) < 0.01)
        #expect(values.allSatisfy { $0 == 0 || $0 == 1 / (1 - rate) })
    }
}
