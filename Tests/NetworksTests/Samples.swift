import Tensors

@testable import Networks

/// Normal numbers that depend on `index` alone.
func randomValues(_ count: Int, index: Int, deviation: Double = 1) -> [Float] {
    var generator = Philox(seed: 8, purpose: .growth, index: index)
    return generator.normal(count, deviation: deviation)
}

/// How the samples of a network with so many outputs were normalised.
func convention(image: [Int], classes: Int) -> DataConvention {
    let channels = (0..<image[2]).map(Float.init)
    return DataConvention(
        image: image, mean: channels.map { 0.25 + $0 / 8 }, standardDeviation: channels.map { 0.5 - $0 / 2 },
        classes: (0..<classes).map { "class \($0)" })
}

/// A network with everything a file can hold: dropout, optimiser state, history with and without validation, growth.
func fullNetwork() throws -> Network {
    let architecture = try NetworkParameters(widths: [3, 5], activation: .gelu, dropout: 0.25)
        .architecture(sample: [4], outputs: 2)
    var network = try Network(initializing: architecture, seed: 3)
    for (index, name) in network.parameters.keys.sorted().enumerated() {
        guard let shape = network.parameters[name]?.shape else { continue }
        for slot in ["momentum", "first_moment", "second_moment", OptimizerSlot.steps] {
            let values = randomValues(shape.reduce(1, *), index: index)
            network.optimizerState["\(name)/\(slot)"] = Tensor(
                shape: shape,
                values: slot == OptimizerSlot.steps ? values.map { abs(40 * $0).rounded() } : values)
        }
    }
    network.data = convention(image: [1, 2, 2], classes: 2)
    network.history.epochs = [
        .init(
            round: 0, loss: 2.25, accuracy: 0.1, validationLoss: nil, validationAccuracy: nil, rate: 0.1,
            parameters: 26, flops: 1000),
        .init(
            round: 1, loss: 1.5, accuracy: 0.5, validationLoss: 1.75, validationAccuracy: 0.25, rate: 0.01,
            parameters: 26, flops: 1000),
    ]
    network.cost[.seed] = 1000
    network.cost[.tune] = 1 << 40
    network.parity = [GradientParity(round: 2, node: "output", gradient: 0.25, update: 0.5, steps: 100)]
    network.growth = [
        GrowthRecord(
            round: 2, width: "hidden1", change: nil, method: "tiny", neurons: 0, amplitude: 0,
            predictedDecrease: 0,
            realizedDecrease: 0, lossBefore: 1.5, bottleneck: 0.25, gradientNorm: 0.5, note: "nothing to gain"
        ),
        GrowthRecord(
            round: 10, width: "hidden2", change: .widen, method: "tiny-joint", neurons: 2, amplitude: 0.5,
            predictedDecrease: 0.125,
            realizedDecrease: 0.0625, lossBefore: 1.5, bottleneck: 0.25, gradientNorm: 0.5),
    ]
    network.births["hidden2"]?.rows = [0, 0, 0, 10, 10]
    network.births["output"]?.columns = [0, 0, 0, 10, 10]
    return network
}
