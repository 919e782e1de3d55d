import Parameters
import Correlations
import Foundation
import GrowthMath
import GrowthReference
import HDF5
import Networks
import Tensors
import Testing

@testable import Growth

/// One convolutional case of Tests/Oracle, with all taps of the consumer or its centre alone.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    let name: String
    let scheme: SiteGeometry.Scheme

    var testDescription: String { "\(name), \(scheme)" }

    static let all = [
        "conv_relu_ce", "conv_tanh_mse_act2", "conv_relu_ce_nobias", "conv_relu_ce_stride2_first",
        "conv_relu_ce_stride2_second", "conv_relu_ce_1x1_second", "conv_relu_ce_1x1_first",
        "conv_selu_ce_nonsquare_nopad", "conv_relu_ce_1x1_second_stride2",
    ].flatMap { name in SiteGeometry.Scheme.allCases.map { ConvolutionCase(name: name, scheme: $0) } }

    func open() throws -> ConvolutionOracle { try ConvolutionOracle(self) }
}

/// conv1 - σ - conv2 - [σ2] - mean over positions - linear, in Float64.
struct ReferenceConvolution {
    /// Extended by the bias as the last column.
    var producer: Matrix
    var consumer: Matrix
    var output: Matrix
    var hasBias: Bool
    var windows: (producer: Window, consumer: Window)
    var activation: ReferenceActivation
    var second: ReferenceActivation?

    func forward(_ images: Planes) -> (hidden: Planes, consumer: Planes, output: Matrix) {
        let hidden = images.convolved(producer, windows.producer).mapping { activation($0) }
        let found = hidden.convolved(consumer, windows.consumer)
        let means = found.mapping { second?($0) ?? $0 }.pooled(.global)
        return (hidden, found, means.rows.appendingOnes.timesTransposed(output))
    }

    /// −dL_i/d(conv2's output), a row per sample and position.
    func functionalGradient(_ images: Planes, _ target: ReferenceTarget) -> Matrix {
        let found = forward(images)
        let features = output.selecting(columns: 0..<output.columns - 1)
        let back = target.lossAndGradient(found.output).gradient.times(features)
        let (count, rows) = (found.consumer.extent.count, found.consumer.rows)
        var result = Matrix(rows: rows.rows, columns: rows.columns)
        for row in 0..<rows.rows {
            for column in 0..<rows.columns {
                let slope = second?.derivative(rows[row, column]) ?? 1
                result[row, column] = -back[row / count, column] / Double(count) * slope
            }
        }
        return result
    }

    /// Neurons appended last at amplitude γ, conv2 moved by γ δW.
    func grown(_ neurons: NewNeurons, update: Matrix?, amplitude: Double) -> ReferenceConvolution {
        var result = self
        let taps = windows.consumer.taps
        var scaled = neurons.scaled(by: amplitude)
        if scaled.taps != taps, scaled.count > 0 {
            let kernel = windows.consumer.kernel
            scaled = scaled.placed(at: kernel.height / 2 * kernel.width + kernel.width / 2, of: taps)
        }
        result.producer = producer.appending(rows: scaled.fanIn)
        let moved = update.map { consumer + amplitude * $0 } ?? consumer
        let inputs = producer.rows * taps
        result.consumer = moved.selecting(columns: 0..<inputs).appending(columns: scaled.fanOut)
            .appending(columns: moved.selecting(columns: inputs..<moved.columns))
        return result
    }

    func meanLoss(_ images: Planes, _ target: ReferenceTarget) -> Double {
        target.meanLoss(forward(images).output)
    }
}

/// A case's file, opened, with its network and samples.
final class ConvolutionOracle {
    private let file: File
    let scheme: SiteGeometry.Scheme
    let network: ReferenceConvolution
    let images: Planes
    let target: ReferenceTarget
    let geometry: SiteGeometry

    init(_ named: ConvolutionCase) throws {
        file = try openOracle(named.name)
        scheme = named.scheme
        let hasBias = try file.integer("use_bias") == 1
        let x = try file.float64("X", shape: [nil, nil, nil, nil])
        images = Planes(
            samples: x.shape[0], channels: x.shape[1], extent: Extent(x.shape[2], x.shape[3]),
            values: x.values)
        let (first, firstWindow) = try Self.layer(file, "1", hasBias)
        let (second, secondWindow) = try Self.layer(file, "2", hasBias)
        let last = try Self.matrix(file, "Wl")
        let bias = try file.float64("bl", shape: [nil]).values
        network = ReferenceConvolution(
            producer: first, consumer: second,
            output: last.appending(columns: Matrix(rows: bias.count, columns: 1, values: bias)),
            hasBias: hasBias, windows: (firstWindow, secondWindow),
            activation: try #require(ReferenceActivation(rawValue: file.text("activation"))),
            second: ReferenceActivation(rawValue: try file.text("activation2")))
        target =
            try file.text("loss") == "ce"
            ? .classes(try file.int64("target", shape: [nil]).values.map(Int.init))
            : .values(try Self.matrix(file, "target"))
        geometry = SiteGeometry(
            inChannels: images.channels, image: images.extent, producer: firstWindow,
            producerHasBias: hasBias, width: first.rows, consumer: secondWindow, consumerHasBias: hasBias,
            outChannels: second.rows, scheme: named.scheme)
    }

    private static func layer(_ file: borrowing File, _ index: String, _ hasBias: Bool) throws -> (
        Matrix, Window
    ) {
        let weight = try file.float64("W\(index)", shape: [nil, nil, nil, nil])
        let window = Window(
            kernel: Extent(weight.shape[2], weight.shape[3]),
            stride: Extent(square: try file.integer("stride\(index)")),
            padding: Extent(square: try file.integer("pad\(index)")))
        let rows = weight.shape[0]
        let matrix = Matrix(
            rows: rows, columns: weight.values.count / rows, values: weight.values)
        guard hasBias else { return (matrix, window) }
        let bias = try file.float64("b\(index)", shape: [nil]).values
        return (matrix.appending(columns: Matrix(rows: rows, columns: 1, values: bias)), window)
    }

    private static func matrix(_ file: borrowing File, _ path: String) throws -> Matrix {
        let found = try file.float64(path, shape: [nil, nil])
        return Matrix(rows: found.shape[0], columns: found.shape[1], values: found.values)
    }

    private func path(_ name: String) -> String { "conv2/\(scheme)/\(name)" }

    /// Of the case, or of its scheme.
    func shared(_ name: String) throws -> Matrix { try Self.matrix(file, name) }
    func sharedNumber(_ name: String) throws -> Double { try file.float64(name, shape: []).values[0] }
    func matrix(_ name: String) throws -> Matrix { try Self.matrix(file, path(name)) }
    func numbers(_ name: String) throws -> [Double] { try file.float64(path(name), shape: [nil]).values }
    func number(_ name: String) throws -> Double { try file.float64(path(name), shape: []).values[0] }
    func has(_ name: String) -> Bool { (try? file.has(path(name))) ?? false }

    /// A tensor [samples, columns, positions…] as a matrix with a row per sample and position.
    func rows(_ name: String, rank: Int) throws -> Matrix {
        let found = try file.float64(name, shape: Array(repeating: nil, count: rank))
        let (samples, columns) = (found.shape[0], found.shape[1])
        let extent = Extent(1, found.shape.dropFirst(2).reduce(1, *))
        return Planes(samples: samples, channels: columns, extent: extent, values: found.values).rows
    }

    /// The overlap of every tap: C is stored [E, a, b], or [a, b] in the restricted scheme.
    func overlaps() throws -> [Matrix] {
        guard scheme == .full else { return [try matrix("C")] }
        let found = try file.float64(path("C"), shape: [nil, nil, nil])
        let size = found.shape[1] * found.shape[2]
        return (0..<found.shape[0]).map { tap in
            Matrix(
                rows: found.shape[1], columns: found.shape[2],
                values: Array(found.values[tap * size..<(tap + 1) * size]))
        }
    }

    var producerPatches: Planes {
        let patches = images.patches(network.windows.producer)
        return Planes(
            rows: network.hasBias ? patches.appendingOnes : patches, samples: images.samples,
            extent: geometry.hidden)
    }
    /// X_e for the taps of the scheme.
    var readings: [Matrix] {
        let all = producerPatches.readings(network.windows.consumer)
        return scheme == .full ? all : [all[geometry.consumerTap(0)]]
    }
    var consumerInput: Matrix {
        let patches = network.forward(images).hidden.patches(network.windows.consumer)
        return network.hasBias ? patches.appendingOnes : patches
    }
    var gradient: Matrix { network.functionalGradient(images, target) }

    /// X, H and G as the streaming sums take them.
    var samples: SiteSamples {
        SiteSamples(
            count: images.samples, x: images.rows.narrowed,
            h: network.forward(images).hidden.rows.narrowed, g: gradient.narrowed)
    }

    var slopes: SlopesAtZero {
        switch network.activation {
        case .relu: .relu
        case .selu: .selu
        case .tanh: .unit
        }
    }

    func statistics() throws -> SiteStatistics {
        try SiteStatistics(
            geometry, readings: readings, consumerInput: consumerInput, functionalGradient: gradient)
    }

    /// The files keep a singular value if it is at least min(1e-3, the largest), made relative here.
    ///
    /// In the restricted scheme they take S over all hidden positions, also those that the centre does not read.
    func problem(largest: Double, published: Bool = true) throws -> SiteProblem {
        var found = try statistics()
        if scheme == .restricted, published { found.inputCovariance = try matrix("S_growth") }
        return SiteProblem(
            statistics: found, producerWeights: network.producer, consumerWeights: network.consumer,
            consumerTaps: network.windows.consumer.taps, slopes: slopes,
            thresholds: Thresholds(singularValue: largest > 0 ? min(1e-3 / largest, 1) : 0))
    }

    func propose(_ method: some GrowthMethod, _ group: String = "") throws -> Proposal {
        let largest = try numbers("\(group)singular_values_all").max() ?? 0
        return try method.propose(for: problem(largest: largest), limit: .max)
    }

    /// F = [φ(z) | φ(−z)] for the taps of the scheme, and the moments of it.
    func moments(_ neurons: NewNeurons) throws -> CandidateMoments {
        let z = producerPatches.rows.timesTransposed(neurons.fanIn)
        let features = z.mapping { slopes($0) }.appending(columns: z.mapping { slopes(-$0) })
        let planes = Planes(rows: features, samples: images.samples, extent: geometry.hidden)
        let all = planes.readings(network.windows.consumer)
        return CandidateMoments(
            features: byTap(scheme == .full ? all : [all[geometry.consumerTap(0)]]),
            consumerInput: consumerInput, functionalGradient: gradient, taps: geometry.taps,
            samples: images.samples)
    }
}
