import Datasets
import Tensors
import Testing

@testable import Training

/// Random images whose every value counts, 5 high and 7 wide unless said otherwise.
func randomSplit(_ count: Int, channels: Int, height: Int = 5, width: Int = 7) -> Split {
    var random = Philox(seed: 31, purpose: .growth, index: channels)
    let shape = ImageShape(height: height, width: width, channels: channels)
    return Split(
        shape: shape, images: (0..<count * shape.count).map { _ in UInt8(random.integer(below: 256)) },
        labels: (0..<count).map { _ in Int32(random.integer(below: 10)) })
}

/// Rows and labels as `Batches.gather` writes them.
func gathered(
    _ batches: Batches, _ positions: [Int32], _ augmentation: AugmentationDraw? = nil
) -> (rows: [Float], labels: [Int32]) {
    var rows = [Float](repeating: .nan, count: positions.count * batches.split.shape.count)
    var labels = [Int32](repeating: -1, count: positions.count)
    batches.gather(positions[...], rows: &rows, labels: &labels, augmentation: augmentation)
    return (rows, labels)
}

/// [n, h, w, c] as [n, c, h, w].
func planes(_ rows: [Float], _ shape: ImageShape) -> [Float] {
    let pixels = shape.height * shape.width
    return rows.indices.map { index in
        let (sample, element) = index.quotientAndRemainder(dividingBy: shape.count)
        let (channel, pixel) = element.quotientAndRemainder(dividingBy: pixels)
        return rows[sample * shape.count + pixel * shape.channels + channel]
    }
}

@Suite("Batches")
struct BatchesTests {
    private let positions: [Int32] = [3, 0, 5, 5, 1]

    @Test("rows are the images asked for, normalised, with their labels", arguments: [1, 2, 3, 4])
    func normalised(channels: Int) {
        let split = randomSplit(6, channels: channels)
        let normalization = Normalization(measuring: split)
        let (rows, labels) = gathered(Batches(split, normalization), positions)
        #expect(labels == positions.map { split.labels[Int($0)] })
        for (row, position) in positions.enumerated() {
            for element in 0..<split.shape.count {
                let channel = element % channels
                let value = Double(split.images[Int(position) * split.shape.count + element]) / 255
                let exact =
                    (value - Double(normalization.mean[channel]))
                    / Double(normalization.standardDeviation[channel])
                #expect(abs(Double(rows[row * split.shape.count + element]) - exact) < 1e-6)
            }
        }
    }

    @Test("planes hold the same bits, channel by channel", arguments: [1, 2, 3, 4])
    func order(channels: Int) {
        let split = randomSplit(6, channels: channels, height: 9, width: 11)
        let normalization = Normalization(measuring: split)
        let interleaved = gathered(Batches(split, normalization), positions)
        let separate = gathered(Batches(split, normalization, order: .planes), positions)
        #expect(separate.rows == planes(interleaved.rows, split.shape))
        #expect(separate.labels == interleaved.labels)
        #expect((separate.rows == interleaved.rows) == (channels == 1))
    }

    @Test("nothing asked for writes nothing", arguments: SampleOrder.allCases)
    func empty(order: SampleOrder) {
        let split = randomSplit(2, channels: 3)
        let draw = AugmentationDraw(.init(pad: 1), seed: 0, epoch: 0)
        #expect(gathered(Batches(split, .init(measuring: split), order: order), [], draw).rows.isEmpty)
    }
}
