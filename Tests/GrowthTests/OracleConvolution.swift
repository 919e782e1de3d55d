import Foundation
import HDF5
import Networks
import Tensors
import Testing

@testable import Growth

/// A convolutional case of Tests/Oracle: two convolutions, of which the hidden width between grows.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    let name: String
    var testDescription: String { name }

    static let all = [
        "conv_relu_ce", "conv_relu_ce_1x1_first", "conv_relu_ce_1x1_second",
        "conv_relu_ce_1x1_second_stride2",
        "conv_relu_ce_nobias", "conv_relu_ce_stride2_first", "conv_relu_ce_stride2_second",
        "conv_selu_ce_nonsquare_nopad", "conv_tanh_mse_act2",
    ].map(ConvolutionCase.init)

    func open() throws -> ConvolutionOracle { try ConvolutionOracle(self) }
}

/// The file of a convolutional case, its geometry and its samples in Float32, nhwc.
final class ConvolutionOracle {
    private let file: File
    let samples: SiteSamples
    private let base: SiteGeometry

    init(_ named: ConvolutionCase) throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Oracle/\(named.name).h5").path
        file = try File(reading: path, limits: .foreign)
        let images = try file.float64("X", shape: [nil, nil, nil, nil])
        let first = try file.float64("W1", shape: [nil, nil, nil, nil]).shape
        let second = try file.float64("W2", shape: [nil, nil, nil, nil]).shape
        let bias = try file.integer("use_bias") == 1
        let steps = (try file.integer("stride1"), try file.integer("stride2"))
        let paddings = (try file.integer("pad1"), try file.integer("pad2"))
        base = SiteGeometry(
            inChannels: first[1], image: Extent(images.shape[2], images.shape[3]),
            producer: ConvolutionOracle.window(first, steps.0, paddings.0), producerHasBias: bias,
            width: first[0],
            consumer: ConvolutionOracle.window(second, steps.1, paddings.1), consumerHasBias: bias,
            outChannels: second[0])
        let hidden = try file.float64("conv2/H", shape: [nil, nil, nil, nil])
        let gradient = try file.float64("conv2/V_goal", shape: [nil, nil, nil, nil])
        samples = SiteSamples(
            count: images.shape[0], x: ConvolutionOracle.channelsLast(images.values, images.shape),
            h: ConvolutionOracle.channelsLast(hidden.values, hidden.shape),
            g: ConvolutionOracle.channelsLast(gradient.values, gradient.shape))
    }

    private static func window(_ weights: [Int], _ stride: Int, _ padding: Int) -> Window {
        Window(
            kernel: Extent(weights[2], weights[3]), stride: Extent(square: stride),
            padding: Extent(square: padding))
    }

    private static func channelsLast(_ values: [Double], _ shape: [Int]) -> [Float] {
        let (channels, places) = (shape[1], shape[2] * shape[3])
        return (0..<shape[0]).flatMap { sample in
            (0..<places).flatMap { place in
                (0..<channels).map { Float(values[(sample * channels + $0) * places + place]) }
            }
        }
    }

    func geometry(_ scheme: SiteGeometry.Scheme) -> SiteGeometry {
        var result = base
        result.scheme = scheme
        return result
    }

    /// A matrix of the group `conv2`.
    func matrix(_ name: String) throws -> Matrix {
        let found = try file.float64("conv2/\(name)", shape: [nil, nil])
        return Matrix(rows: found.shape[0], columns: found.shape[1], values: found.values)
    }

    func number(_ name: String) throws -> Double {
        try file.float64("conv2/\(name)", shape: []).values[0]
    }

    func numbers(_ name: String) throws -> [Double] {
        try file.float64("conv2/\(name)", shape: [nil]).values
    }

    /// C_e, one matrix per tap.
    func overlap(_ scheme: SiteGeometry.Scheme) throws -> [Matrix] {
        guard scheme == .full else { return [try matrix("restricted/C")] }
        let found = try file.float64("conv2/full/C", shape: [nil, nil, nil])
        let size = found.shape[1] * found.shape[2]
        return (0..<found.shape[0]).map { tap in
            Matrix(
                rows: found.shape[1], columns: found.shape[2],
                values: Array(found.values[tap * size..<(tap + 1) * size]))
        }
    }
}
