import Parameters

@testable import Networks

/// Fully connected layers, each half as wide as the one before.
struct Funnel: NetworkFamily {
    static let kind = "funnel"

    var width = 64
    var layers = 3

    static let schema = Schema(
        Self(),
        .field("width", \.width, .integer(in: 1...65_536), "the width of the first layer"),
        .field("layers", \.layers, .integer(in: 1...16), "hidden layers"))

    func architecture(sample: [Int], outputs: Int) throws -> Architecture {
        var chain = NodeChain()
        for layer in 0..<layers {
            chain.append("hidden\(layer + 1)", Linear(width: max(1, width >> layer)))
            chain.append("activation\(layer + 1)", .selu)
        }
        chain.append("output", Linear(width: outputs))
        return try Architecture(inputShape: [sample.reduce(1, *)], nodes: chain.nodes)
    }
}
