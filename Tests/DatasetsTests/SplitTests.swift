import TestSupport
import Testing

@testable import Datasets

@Suite("Splits")
struct SplitTests {
    let folder: TemporaryFolder

    init() throws { folder = TemporaryFolder() }

    /// n images of 1x2x1 that carry their position.
    private func numbered(_ n: Int) -> Split {
        Split(
            shape: ImageShape(height: 1, width: 2, channels: 1),
            images: (0..<n).flatMap { [UInt8($0), UInt8(255 - $0)] }, labels: (0..<n).map { Int32($0 % 10) })
    }

    @Test(
        "a part spreads evenly over the split",
        arguments: [(10, 4, [0, 2, 5, 7]), (3, 3, [0, 1, 2]), (2, 5, [0, 1]), (3, 0, [0, 1, 2])])
    func spread(count: Int, asked: Int, expected: [Int]) {
        let part = numbered(count).spread(asked)
        #expect(part.images == expected.flatMap { [UInt8($0), UInt8(255 - $0)] })
        #expect(part.labels == expected.map { Int32($0 % 10) })
    }

    @Test("exchanging rows and columns of images, twice, gives them back")
    func transposed() {
        let split = Split(
            shape: ImageShape(height: 2, width: 3, channels: 2), images: (0..<24).map { UInt8($0) },
            labels: [0, 1])
        let turned = split.transposed()
        #expect(turned.shape == ImageShape(height: 3, width: 2, channels: 2) && turned.labels == [0, 1])
        #expect(turned.images.prefix(12) == [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11])
        #expect(turned.transposed() == split)
    }

    @Test("what is held out and what is left are the whole, in order", arguments: [1, 17, 50, 99])
    func partition(count: Int) throws {
        let whole = numbered(100)
        let (rest, heldOut) = try whole.holdingOut(count, seed: 7)
        #expect(heldOut.count == count && rest.count == 100 - count)
        let restNumbers = stride(from: 0, to: rest.images.count, by: 2).map { rest.images[$0] }
        let heldOutNumbers = stride(from: 0, to: heldOut.images.count, by: 2).map { heldOut.images[$0] }
        #expect(restNumbers == restNumbers.sorted() && heldOutNumbers == heldOutNumbers.sorted())
        #expect((restNumbers + heldOutNumbers).sorted() == (0..<100).map { UInt8($0) })
        for split in [rest, heldOut] {
            for sample in 0..<split.count {
                #expect(split.images[2 * sample + 1] == 255 - split.images[2 * sample])
                #expect(split.labels[sample] == Int32(split.images[2 * sample]) % 10)
            }
        }
    }

    @Test("the seed decides what is held out, and nothing else does")
    func seeds() throws {
        let whole = numbered(100)
        #expect(try whole.holdingOut(20, seed: 1) == whole.holdingOut(20, seed: 1))
        #expect(try whole.holdingOut(20, seed: 1).heldOut != whole.holdingOut(20, seed: 2).heldOut)
    }

    @Test("every sample is held out about equally often")
    func uniform() throws {
        let whole = numbered(20)
        var counts = [Int](repeating: 0, count: 20)
        for seed in 0..<2000 {
            let heldOut = try whole.holdingOut(5, seed: seed).heldOut
            for sample in 0..<heldOut.count { counts[Int(heldOut.images[2 * sample])] += 1 }
        }
        // Binomial(2000, 1/4): mean 500, standard deviation 19.4; five of them.
        for count in counts { #expect((403...597).contains(count)) }
    }

    @Test("nothing held out leaves the split as it is")
    func none() throws {
        let whole = numbered(10)
        let (rest, heldOut) = try whole.holdingOut(0, seed: 3)
        #expect(rest == whole && heldOut == .empty(whole.shape))
    }

    @Test("something must be left to train on", arguments: [10, 11, 1_000_000, -1])
    func tooMany(count: Int) {
        #expect(throws: DatasetError.validationTooLarge(requested: count, available: 10)) {
            try numbered(10).holdingOut(count, seed: 0)
        }
    }
}
