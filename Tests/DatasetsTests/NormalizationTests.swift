import Testing

@testable import Datasets

extension Split {
    fileprivate static func colours(_ images: [UInt8], channels: Int) -> Split {
        let shape = ImageShape(height: 1, width: 1, channels: channels)
        return Split(
            shape: shape, images: images, labels: [Int32](repeating: 0, count: images.count / channels))
    }
}

@Suite("Normalisation")
struct NormalizationTests {
    @Test("mean and deviation are per channel, of x / 255")
    func channels() {
        let measured = Normalization(measuring: .colours([0, 51, 255, 102, 0, 51, 255, 102], channels: 2))
        // Channel 0: 0, 255, 0, 255. Channel 1: 51, 102, 51, 102, that is 0.2 and 0.4.
        #expect(measured.mean == [0.5, 0.3])
        #expect(measured.standardDeviation == [0.5, 0.1])
    }

    @Test("what scale and offset make of the samples has mean 0 and deviation 1", arguments: [1, 3])
    func standardises(channels: Int) {
        var state: UInt32 = 12345
        let images = (0..<3000 * channels).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 25)
        }
        let measured = Normalization(measuring: .colours(images, channels: channels))
        for channel in 0..<channels {
            let values = stride(from: channel, to: images.count, by: channels).map {
                Double(measured.scale[channel]) * Double(images[$0]) + Double(measured.offset[channel])
            }
            let mean = values.reduce(0, +) / 3000
            let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 3000
            #expect(abs(mean) < 1e-6)
            #expect(abs(variance - 1) < 1e-6)
        }
    }

    @Test("a constant channel has deviation 0 and becomes 0", arguments: [UInt8(0), 255])
    func constant(value: UInt8) {
        let measured = Normalization(measuring: .colours([value, value, value], channels: 1))
        #expect(measured.standardDeviation == [0])
        #expect(abs(measured.scale[0] * Float(value) + measured.offset[0]) < 1e-6)
    }
}
