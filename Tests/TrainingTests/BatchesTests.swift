import Datasets
import Networks
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

/// Rows and labels as `Batches.gather` writes them, each row in the order of its values in lanes.
func gathered(
    _ batches: Batches, _ positions: [Int32], _ augmentation: AugmentationDraw? = nil
) -> (rows: [Float], labels: [Int32]) {
    let (rows, count) = (positions.count, batches.split.shape.count)
    let values = AlignedBuffer(count: ValueLayout.filled(rows) * count)
    for index in 0..<values.count { values.pointer[index] = .nan }
    var labels = [Int32](repeating: -1, count: rows)
    batches.gather(positions[...], into: values.pointer, labels: &labels, augmentation: augmentation)
    func value(_ row: Int, _ element: Int) -> Float {
        values.pointer[(row / 16 * count + element) * 16 + row % 16]
    }
    for row in rows..<ValueLayout.filled(rows) {
        precondition((0..<count).allSatisfy { value(row, $0) == 0 }, "row \(row) is not empty")
    }
    return ((0..<rows).flatMap { row in (0..<count).map { value(row, $0) } }, labels)
}

extension Batches {
    /// For a network that reads rows of features.
    init(_ split: Split, _ normalization: Normalization) {
        self.init(split, normalization, shape: [split.shape.count])
    }

    /// For a network that reads images.
    init(images split: Split, _ normalization: Normalization) {
        self.init(split, normalization, shape: split.shape.planes)
    }
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
        let separate = gathered(Batches(images: split, normalization), positions)
        #expect(separate.rows == planes(interleaved.rows, split.shape))
        #expect(separate.labels == interleaved.labels)
        #expect((separate.rows == interleaved.rows) == (channels == 1))
    }

    @Test("nothing asked for writes nothing", arguments: [true, false])
    func empty(isImage: Bool) {
        let split = randomSplit(2, channels: 3)
        let draw = AugmentationDraw(.init(pad: 1), seed: 0, epoch: 0)
        let normalization = Normalization(measuring: split)
        let batches = isImage ? Batches(images: split, normalization) : Batches(split, normalization)
        #expect(gathered(batches, [], draw).rows.isEmpty)
    }

    @Test("any number of rows stands in the lanes it belongs to", arguments: [1, 15, 16, 17, 40])
    func lanes(count: Int) {
        let split = randomSplit(6, channels: 2)
        let batches = Batches(images: split, Normalization(measuring: split))
        let positions = (0..<Int32(count)).map { $0 * 5 % 6 }
        #expect(gathered(batches, positions).rows == positions.flatMap { gathered(batches, [$0]).rows })
    }
}
