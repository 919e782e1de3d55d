import Datasets
import Networks
import Parameters
import Tensors
import Testing

@testable import Training

/// What one sample's random words say, read off in plain Swift.
private struct ReferenceDraw {
    var down: Int
    var right: Int
    var isMirrored: Bool
    var holeRow: Int
    var holeColumn: Int

    init(_ draw: AugmentationDraw, sample: Int32, shape: ImageShape) {
        func words(_ block: UInt32, epoch: Int? = nil) -> [UInt32] {
            let bits = UInt64(draw.seed)
            let words = Philox.block(
                counter: (
                    block, 0, UInt32(epoch ?? draw.epoch) | RandomPurpose.augmentation.rawValue << 24,
                    UInt32(sample)
                ),
                key: (UInt32(truncatingIfNeeded: bits), UInt32(bits >> 32)))
            return [words.0, words.1, words.2, words.3]
        }
        func below(_ word: UInt32, _ bound: Int) -> Int { Int(Double(word) / 0x1p32 * Double(bound)) }
        let pad = draw.parameters.pad, move = words(0), hole = words(1)
        down = below(move[0], 2 * pad + 1) - pad
        right = below(move[1], 2 * pad + 1) - pad
        isMirrored =
            switch draw.parameters.flip {
            case .off: false
            case .random: move[2] >= 1 << 31
            case .alternating: (words(0, epoch: 0)[2] >= 1 << 31) != (draw.epoch % 2 == 1)
            }
        holeRow = below(hole[0], shape.height)
        holeColumn = below(hole[1], shape.width)
    }
}

/// `rows` [n, h, w, c], gathered as they are, augmented pixel by pixel.
private func reference(
    _ rows: [Float], _ positions: [Int32], _ draw: AugmentationDraw, _ shape: ImageShape, fill: [Float]
) -> [Float] {
    let (height, width, channels) = (shape.height, shape.width, shape.channels)
    var result: [Float] = []
    for (row, position) in positions.enumerated() {
        let by = ReferenceDraw(draw, sample: position, shape: shape)
        let side = draw.parameters.cutout
        let hole = (
            rows: by.holeRow - side / 2..<by.holeRow - side / 2 + side,
            columns: by.holeColumn - side / 2..<by.holeColumn - side / 2 + side
        )
        for y in 0..<height {
            for x in 0..<width {
                let fromRow = y + by.down
                let fromColumn = (by.isMirrored ? width - 1 - x : x) + by.right
                let isInside = (0..<height).contains(fromRow) && (0..<width).contains(fromColumn)
                let isCut = hole.rows.contains(y) && hole.columns.contains(x)
                for channel in 0..<channels {
                    let source = row * shape.count + (fromRow * width + fromColumn) * channels + channel
                    result.append(isInside && !isCut ? rows[source] : fill[channel])
                }
            }
        }
    }
    return result
}

/// One augmentation of one kind of image.
struct AugmentationCase: Sendable, CustomTestStringConvertible {
    var parameters: AugmentationParameters
    var channels: Int

    var testDescription: String { "\(parameters), \(channels) channels" }

    static let all = [1, 2, 3].flatMap { channels in
        [
            AugmentationParameters(pad: 4), .init(flip: true), .init(cutout: 4),
            .init(cutout: 3, fill: .zero),
            .init(pad: 2, flip: true), .init(pad: 3, flip: true, cutout: 2),
            .init(pad: 1, flip: true, cutout: 1, fill: .zero), .init(flip: .alternating),
            .init(pad: 2, flip: .alternating, cutout: 2),
        ].map { AugmentationCase(parameters: $0, channels: channels) }
    }
}

@Suite("Augmentation")
struct AugmentationTests {
    private let positions = (0..<60).map { Int32($0 * 7 % 40) }

    @Test("every pixel is the one that a plain loop takes, in both orders", arguments: AugmentationCase.all)
    func matches(given: AugmentationCase) {
        let split = randomSplit(40, channels: given.channels)
        let normalization = Normalization(measuring: split)
        let plain = gathered(Batches(split, normalization), positions).rows
        let draw = AugmentationDraw(given.parameters, seed: 1 << 40 + 5, epoch: 3)
        let black = gathered(
            Batches(
                Split(shape: split.shape, images: .init(repeating: 0, count: split.shape.count), labels: [0]),
                normalization), [0]
        ).rows
        let expected = reference(
            plain, positions, draw, split.shape,
            fill: (0..<given.channels).map { given.parameters.fill == .zero ? black[$0] : 0 })
        let found = gathered(Batches(split, normalization), positions, draw)
        #expect(found.rows == expected)
        #expect(found.rows != plain)
        #expect(found.labels == positions.map { split.labels[Int($0)] })
        let separate = gathered(Batches(images: split, normalization), positions, draw)
        #expect(separate.rows == planes(expected, split.shape))
    }

    @Test("a sample's augmentation depends on seed, epoch and sample, not on its row")
    func streams() {
        let split = randomSplit(40, channels: 3)
        let batches = Batches(split, Normalization(measuring: split))
        func rows(_ positions: [Int32], seed: Int = 1, epoch: Int = 0) -> [Float] {
            let parameters = AugmentationParameters(pad: 3, flip: true, cutout: 3)
            return gathered(batches, positions, AugmentationDraw(parameters, seed: seed, epoch: epoch)).rows
        }
        let whole = rows([1, 2, 3, 4])
        #expect(whole == rows([1]) + rows([2, 3]) + rows([4]))
        #expect(whole.prefix(split.shape.count) == rows([4, 1]).suffix(split.shape.count))
        #expect(whole != rows([1, 2, 3, 4], epoch: 1))
        #expect(whole != rows([1, 2, 3, 4], seed: 2))
        #expect(whole != rows([1, 2, 3, 4], seed: 1 + 1 << 32))
    }

    @Test("every crop, both mirrors and every place of the square come up equally often")
    func uniform() {
        // One image whose pixels are all different, and none of which is the fill.
        let shape = ImageShape(height: 5, width: 5, channels: 1)
        let split = Split(shape: shape, images: (0..<25).map { UInt8(10 * $0 + 3) }, labels: [0])
        let batches = Batches(split, Normalization(measuring: split))
        let plain = gathered(batches, [0]).rows
        var crops: [Int: Int] = [:], mirrored = 0, holes: [Int: Int] = [:]
        let epochs = 10_000
        for epoch in 0..<epochs {
            func row(_ parameters: AugmentationParameters) -> [Float] {
                gathered(batches, [0], AugmentationDraw(parameters, seed: 4, epoch: epoch)).rows
            }
            // The pixel in the middle tells where the crop was.
            crops[plain.firstIndex(of: row(.init(pad: 2))[12]) ?? -1, default: 0] += 1
            mirrored += row(.init(flip: true))[0] == plain[4] ? 1 : 0
            holes[row(.init(cutout: 1)).firstIndex(of: 0) ?? -1, default: 0] += 1
        }
        // Binomial(10000, 1/25): mean 400, standard deviation 19.6; five of them. Binomial(10000, 1/2): 5000, 50.
        #expect(Set(crops.keys) == Set(0..<25) && crops.values.allSatisfy { (302...498).contains($0) })
        #expect(Set(holes.keys) == Set(0..<25) && holes.values.allSatisfy { (302...498).contains($0) })
        #expect((4750...5250).contains(mirrored))
    }

    @Test("alternating mirrors one half in even epochs and the other in odd ones, for all of them")
    func alternating() {
        let split = randomSplit(40, channels: 1)
        let batches = Batches(split, Normalization(measuring: split))
        let all = (0..<40).map(Int32.init)
        func rows(_ flip: AugmentationParameters.Flip, epoch: Int) -> [[Float]] {
            let values = gathered(
                batches, all, AugmentationDraw(AugmentationParameters(flip: flip), seed: 4, epoch: epoch)
            ).rows
            return all.indices.map { Array(values[$0 * split.shape.count..<($0 + 1) * split.shape.count]) }
        }
        let plain = rows(.off, epoch: 0), even = rows(.alternating, epoch: 0),
            odd = rows(.alternating, epoch: 1)
        #expect(even == rows(true, epoch: 0))
        #expect(rows(.alternating, epoch: 6) == even && rows(.alternating, epoch: 7) == odd)
        for index in plain.indices {
            #expect((even[index] == plain[index]) == (odd[index] != plain[index]), "\(index)")
        }
        #expect((10...30).contains(plain.indices.count { even[$0] == plain[$0] }))
    }

    @Test("training has the same bits with any number of threads", arguments: [1, 2, 5])
    func threads(shards: Int) throws {
        let dataset = prototypes(train: 50, validation: 9)
        var parameters = seedParameters(epochs: 2, shards: shards)
        let plain = try trainSeed(parameters, dataset: dataset)
        parameters.training.augmentation = AugmentationParameters(pad: 1, flip: true, cutout: 1)
        let runs = try (1...3).map {
            try trainSeed(parameters, dataset: dataset, environment: TrainingEnvironment(threads: $0))
        }
        #expect(runs[1] == runs[0] && runs[2] == runs[0])
        #expect(runs[0].parameters != plain.parameters)
    }

    @Test("shards change nothing but the rounding of the gradient", arguments: [2, 3, 23])
    func shards(count: Int) throws {
        let dataset = prototypes(train: 23)
        func parameters(_ shards: Int) throws -> [Float] {
            var parameters = seedParameters(epochs: 2, batch: 23, shards: shards)
            parameters.training.augmentation = AugmentationParameters(pad: 2, flip: true, cutout: 1)
            return flat(try trainSeed(parameters, dataset: dataset).parameters)
        }
        #expect(try relativeDistance(parameters(count), parameters(1)) < 1e-5)
    }

    @Test("what is off changes no bit, and validation never sees any of it")
    func off() throws {
        let dataset = prototypes(train: 50, validation: 9)
        var parameters = seedParameters(epochs: 1)
        let plain = try trainSeed(parameters, dataset: dataset)
        parameters.training.augmentation = AugmentationParameters(fill: .zero)
        #expect(try trainSeed(parameters, dataset: dataset) == plain)
        // With a rate of 0 the network stays as it was drawn, so only the images could make a difference.
        parameters.training.optimizer.rate = 0
        let still = try trainSeed(parameters, dataset: dataset).history.epochs[0]
        parameters.training.augmentation = AugmentationParameters(pad: 2, flip: true, cutout: 2)
        let augmented = try trainSeed(parameters, dataset: dataset).history.epochs[0]
        #expect(augmented.validationLoss == still.validationLoss)
        #expect(augmented.loss != still.loss)
    }

    @Test(
        "a border or square as large as the images is refused before anything is computed",
        arguments: [("pad", 5), ("pad", 900), ("cutout", 5)])
    func tooLarge(field: String, value: Int) {
        var parameters = seedParameters()
        parameters.training.augmentation =
            field == "pad" ? AugmentationParameters(pad: value) : AugmentationParameters(cutout: value)
        let split = randomSplit(3, channels: 1)
        let dataset = Dataset(
            identity: .init(name: "x", title: "x", licence: "x", citation: "x"),
            classes: (0..<10).map { "\($0)" }, train: split, validation: .empty(split.shape), test: split)
        let refusal = TrainingError.augmentationTooLarge(field: field, value: value, height: 5, width: 7)
        #expect(throws: refusal) { try trainSeed(parameters, dataset: dataset) }
        #expect(refusal.description.contains("augmentation.\(field) is \(value)"))
        #expect(refusal.description.contains("5 x 7; it must be at most 4"))
        #expect(refusal.exitCode == 65)
    }

    @Test("the section is read strictly and encoded with every default")
    func parameters() throws {
        func read(_ yaml: String) throws -> AugmentationParameters {
            try TrainingParameters(tree: Tree(yaml: yaml, file: "x.yaml"), file: "x.yaml").augmentation
        }
        #expect(try read("epochs: 2") == AugmentationParameters())
        #expect(
            try read("augmentation: {pad: 4, flip: true, cutout: 8, fill: zero}")
                == AugmentationParameters(pad: 4, flip: true, cutout: 8, fill: .zero))
        #expect(try read("augmentation: {flip: alternating}") == AugmentationParameters(flip: .alternating))
        #expect(AugmentationParameters(flip: .alternating).tree["flip"]?.text == "alternating")
        #expect(
            AugmentationParameters(pad: 4).tree.canonicalJSON
                == #"{"cutout":0,"fill":"mean","flip":false,"pad":4}"#)
        for wrong in [
            "{pad: -1}", "{padding: 4}", "{fill: grey}", "{flip: 1}", "{flip: sometimes}", "{cutout: 1.5}",
        ] {
            #expect(throws: ParameterError.self) { try read("augmentation: \(wrong)") }
        }
    }
}
