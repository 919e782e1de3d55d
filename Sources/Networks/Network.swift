package import Tensors
internal import Foundation

/// A network as it is stored: its graph, the values of its parameters, and where they come from.
package struct Network: Equatable, Sendable {
    package var architecture: Architecture
    /// By "node/parameter"; linear weights are [out, in], as in PyTorch.
    package var parameters: [String: Tensor]
    /// By "node/parameter/slot", e.g. "hidden1/weight/momentum"; what is absent is zero.
    package var optimizerState: [String: Tensor] = [:]
    /// How many updates the optimiser state has seen (AdamW's bias correction).
    package var optimizerSteps = 0
    package var history = History()
    package var cost = Cost()
    package var growth: [GrowthRecord] = []

    /// - Throws: `NetworkError` where the parameters are not those of the architecture, or not finite.
    package init(_ architecture: Architecture, parameters: [String: Tensor], source: String = "network")
        throws
    {
        self.architecture = architecture
        self.parameters = parameters
        try validate(source: source)
    }

    /// Freshly drawn parameters: normal with variance gain² / inputs, biases zero; the last layer has gain 1.
    ///
    /// The draw of a parameter depends on the seed and its position alone.
    package init(initializing architecture: Architecture, seed: Int) throws {
        var parameters: [String: Tensor] = [:]
        for (index, entry) in ParameterLayout(architecture).entries.enumerated() {
            let specification = entry.specification
            switch specification.initialization {
            case .zero:
                parameters[entry.name] = Tensor(repeating: 0, shape: specification.shape)
            case .one:
                parameters[entry.name] = Tensor(repeating: 1, shape: specification.shape)
            case .scaledNormal(let inputs):
                var random = Philox(seed: seed, purpose: .initialization, index: index)
                let deviation =
                    architecture.initializationGain(after: entry.node) / Double(max(inputs, 1)).squareRoot()
                parameters[entry.name] = Tensor(
                    shape: specification.shape, values: random.normal(entry.count, deviation: deviation))
            }
        }
        try self.init(architecture, parameters: parameters)
    }

    /// Checks that parameters and optimiser state fit the architecture and are finite.
    package func validate(source: String) throws {
        let entries = ParameterLayout(architecture).entries
        let expected = Set(entries.map(\.name))
        let found = Set(parameters.keys)
        guard expected == found else {
            throw NetworkError.parameterNames(
                missing: expected.subtracting(found).sorted(),
                unexpected: found.subtracting(expected).sorted(),
                source: source)
        }
        for entry in entries {
            let tensors =
                [(entry.name, parameters[entry.name])]
                + OptimizerSlot.allCases.map { slot in
                    ("\(entry.name)/\(slot.rawValue)", optimizerState["\(entry.name)/\(slot.rawValue)"])
                }
            for case (let name, let tensor?) in tensors {
                guard tensor.shape == entry.specification.shape else {
                    throw NetworkError.parameterShape(
                        name: name, found: tensor.shape, expected: entry.specification.shape, source: source)
                }
                guard tensor.values.allSatisfy(\.isFinite) else {
                    throw NetworkError.notFinite(name: name, source: source)
                }
            }
        }
    }

    /// How many trainable values there are.
    package var parameterCount: Int { parameters.values.reduce(0) { $0 + $1.count } }
}

/// What an optimiser keeps for each parameter.
package enum OptimizerSlot: String, CaseIterable, Sendable {
    case momentum
    case firstMoment = "first_moment"
    case secondMoment = "second_moment"
}

extension Architecture {
    /// The gain of the first activation after a node; 1 where another layer, or the end, comes before one.
    package func initializationGain(after name: String) -> Double {
        for consumer in consumers(of: name) {
            if let activation = consumer.operation as? Activation {
                return activation.function.initializationGain
            }
            if consumer.operation.widthRole == .keeps { return initializationGain(after: consumer.name) }
        }
        return 1
    }
}
