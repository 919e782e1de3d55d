import Parameters
import Datasets
import Networks
import Tensors
@testable import Training

@testable import Growth

/// A small dataset that a network can learn something about: labels follow from the pixels.
enum SampleDataset {
    static func make(
        train: Int = 700, validation: Int = 200, side: Int = 4, channels: Int = 1, classes: Int = 3,
        seed: Int = 5
    ) -> Datasets.Dataset {
        var random = Philox(seed: seed, purpose: .initialization)
        let shape = ImageShape(height: side, width: side, channels: channels)
        func split(_ count: Int) -> Split {
            var images: [UInt8] = []
            var labels: [Int32] = []
            for _ in 0..<count {
                let pixels = (0..<shape.count).map { _ in
                    UInt8(truncatingIfNeeded: random.integer(below: 256))
                }
                // Products of pixels: no linear map can follow them.
                let score = (0..<shape.count / 2).reduce(0) {
                    $0 + (Int(pixels[2 * $1]) - 128) * (Int(pixels[2 * $1 + 1]) - 128)
                }
                labels.append(Int32(score < -9000 ? 0 : score < 9000 ? 1 : min(2, classes - 1)))
                images += pixels
            }
            return Split(shape: shape, images: images, labels: labels)
        }
        return Datasets.Dataset(
            identity: .init(name: "sample", title: "Sample", licence: "none", citation: "none"),
            classes: (0..<classes).map { "class \($0)" }, train: split(train), validation: split(validation),
            test: split(50))
    }

    static func network(
        _ activation: Activation.Function, widths: [Int] = [5, 4], dataset: Datasets.Dataset,
        bias: Bool = true,
        dropout: Double = 0, seed: Int = 1
    ) throws -> Network {
        let parameters = NetworkParameters(
            widths: widths, activation: activation, dropout: dropout, bias: bias)
        return try Network(
            initializing: parameters.architecture(
                sample: dataset.shape.planes, outputs: dataset.classes.count),
            seed: seed)
    }

    /// X, H and G of a site in Float64, computed from the network's values by these tests' own code.
    static func exact(
        _ site: Width, _ network: Network, _ dataset: Datasets.Dataset, _ positions: [Int]
    ) throws -> (x: Matrix, h: Matrix, g: Matrix) {
        let count = dataset.shape.count
        let scale = Double(dataset.normalization.scale[0])
        let offset = Double(dataset.normalization.offset[0])
        let samples = Matrix(
            rows: positions.count, columns: count,
            values: positions.flatMap { position in
                dataset.train.images[position * count..<(position + 1) * count].map {
                    Double($0) * scale + offset
                }
            })
        let linear = network.architecture.nodes.filter { $0.operation is Linear }.map(\.name)
        let function = network.architecture.nodes.compactMap { ($0.operation as? Activation)?.function }.first
        guard let activation = ReferenceActivation(rawValue: function?.rawValue ?? ""),
            let index = linear.firstIndex(of: site.consumer)
        else { preconditionFailure("the reference knows relu, selu and tanh") }
        let layers = Width.plain(in: network.architecture).map {
            ReferenceNetwork.Layer(extended: $0.producerWeights(of: network), hasBias: $0.producerHasBias)
        }
        let last = Width.plain(in: network.architecture)[layers.count - 1]
        let reference = ReferenceNetwork(
            layers: layers + [
                .init(extended: last.consumerWeights(of: network), hasBias: last.consumerHasBias)
            ],
            activation: activation)
        return reference.site(index, samples, .classes(positions.map { Int(dataset.train.labels[$0]) }))
    }
}
