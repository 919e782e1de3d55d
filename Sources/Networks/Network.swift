package import Tensors
internal import Foundation

/// A network as it is stored: its graph, the values of its parameters, and where they come from.
package struct Network: Equatable, Sendable {
    package var architecture: Architecture
    /// By "node/parameter"; linear weights are [out, in], as in PyTorch.
    package var parameters: [String: Tensor]
    /// By "node/name", e.g. "norm1/running_mean": what was measured in training and is read in evaluation.
    package var state: [String: Tensor]
    /// By "node/parameter/slot", e.g. "hidden1/weight/momentum"; what is absent is zero.
    package var optimizerState: [String: Tensor] = [:]
    /// By "node/name" of parameters and states: how much the running average is above the value; empty where none is kept,
    /// else what is absent is zero.
    package var lags: [String: Tensor] = [:]
    /// By node: when its weights joined. A round of growth notes it at its end: `noteBirths(in:)`.
    package var births: [String: Births] = [:]
    package var history = History()
    package var cost = Cost()
    package var growth: [GrowthRecord] = []
    /// By round and node.
    package var parity: [GradientParity] = []
    /// Of the dataset it was trained on; nil before that.
    package var data: DataConvention?

    /// All weights are born in round 0.
    ///
    /// - Throws: `NetworkError` where parameters or state are not those of the architecture, or not finite.
    package init(
        _ architecture: Architecture, parameters: [String: Tensor], state: [String: Tensor] = [:],
        source: String = "network"
    ) throws {
        self.architecture = architecture
        self.parameters = parameters
        self.state = state
        noteBirths(in: 0)
        try validate(source: source)
    }

    /// Freshly drawn parameters: normal with variance gain² / inputs, biases zero; the last layer has gain 1.
    package init(initializing architecture: Architecture, seed: Int) throws {
        try self.init(
            architecture, parameters: architecture.drawn(ParameterLayout(architecture), seed: seed),
            state: architecture.drawn(ParameterLayout.state(architecture), seed: seed))
    }

    /// The network with the running averages of its parameters and its state in place of these; itself where none are kept.
    package var averaged: Network {
        var result = self
        func add(_ lag: Tensor, to tensor: inout Tensor?) {
            for (index, value) in lag.values.enumerated() { tensor?.values[index] += value }
        }
        for (name, lag) in lags {
            add(lag, to: &result.parameters[name])
            add(lag, to: &result.state[name])
        }
        result.lags = [:]
        return result
    }

    /// Checks that parameters, state, averages and optimiser state fit the architecture and are finite.
    package func validate(source: String) throws {
        let entries = ParameterLayout(architecture).entries
        let stateEntries = ParameterLayout.state(architecture).entries
        try Self.check(names: parameters, entries, source)
        try Self.check(names: state, stateEntries, source)
        for entry in entries {
            try Self.check(parameters[entry.name], entry.name, entry, source)
            for slot in optimizerSlots.sorted() {
                let name = "\(entry.name)/\(slot)"
                try Self.check(optimizerState[name], name, entry, source)
            }
            try Self.checkSteps(optimizerState, entry, source)
        }
        for entry in stateEntries { try Self.check(state[entry.name], entry.name, entry, source) }
        for entry in entries + stateEntries {
            try Self.check(lags[entry.name], "lag/\(entry.name)", entry, source)
        }
    }

    private static func check(
        names tensors: [String: Tensor], _ entries: [ParameterLayout.Entry], _ source: String
    ) throws {
        let expected = Set(entries.map(\.name))
        let found = Set(tensors.keys)
        guard expected == found else {
            throw NetworkError.parameterNames(
                missing: expected.subtracting(found).sorted(),
                unexpected: found.subtracting(expected).sorted(),
                source: source)
        }
    }

    /// An absent tensor passes.
    private static func check(
        _ tensor: Tensor?, _ name: String, _ entry: ParameterLayout.Entry, _ source: String
    ) throws {
        guard let tensor else { return }
        guard tensor.shape == entry.specification.shape else {
            throw NetworkError.parameterShape(
                name: name, found: tensor.shape, expected: entry.specification.shape, source: source)
        }
        guard tensor.values.allSatisfy(\.isFinite) else {
            throw NetworkError.notFinite(name: name, source: source)
        }
    }

    private static func checkSteps(
        _ state: [String: Tensor], _ entry: ParameterLayout.Entry, _ source: String
    ) throws {
        let name = "\(entry.name)/\(OptimizerSlot.steps)"
        let allowed = 0...Float(OptimizerSlot.mostSteps)
        for value in state[name]?.values ?? [] where !allowed.contains(value) || value != value.rounded() {
            throw NetworkError.invalidFile(
                file: source, path: "optimizer/\(name)",
                problem: "\(value) is not a count of updates in 0...\(OptimizerSlot.mostSteps)")
        }
    }

    /// The names of the optimiser's arrays, as in `node/parameter/slot`.
    package var optimizerSlots: Set<String> {
        Set(optimizerState.keys.compactMap { $0.split(separator: "/").last.map(String.init) })
    }

    /// How many trainable values there are.
    package var parameterCount: Int { parameters.values.reduce(0) { $0 + $1.count } }
}

/// What an optimiser keeps for each parameter; the names of its slots are its own, but for one.
package enum OptimizerSlot {
    /// How many updates the other slots of each value have seen (AdamW's bias correction): what joined later has seen fewer.
    package static let steps = "steps"

    /// Whole numbers are exact in Float32 up to here, where every correction is long 1; more updates are not counted.
    package static let mostSteps = 1 << 24
}

extension Architecture {
    /// First values of parameters or states, by name.
    ///
    /// The draw of a parameter depends on seed, purpose, epoch and on its number alone, which counts parameters in the
    /// order of their nodes' identities.
    ///
    /// - Parameter layout: of this architecture.
    package func drawn(
        _ layout: ParameterLayout, seed: Int, purpose: RandomPurpose = .initialization, epoch: Int = 0
    ) -> [String: Tensor] {
        let identities = Dictionary(uniqueKeysWithValues: zip(nodes.map(\.name), identities))
        let numbered = layout.entries.sorted {
            (identities[$0.node] ?? 0, $0.offset) < (identities[$1.node] ?? 0, $1.offset)
        }
        return numbered.enumerated().reduce(into: [:]) { tensors, item in
            var random = Philox(seed: seed, purpose: purpose, epoch: epoch, index: item.offset)
            tensors[item.element.name] = initialTensor(item.element, &random)
        }
    }

    /// The first values of a parameter or a state.
    private func initialTensor(_ entry: ParameterLayout.Entry, _ random: inout Philox) -> Tensor {
        let specification = entry.specification
        switch specification.initialization {
        case .zero: return Tensor(repeating: 0, shape: specification.shape)
        case .one: return Tensor(repeating: 1, shape: specification.shape)
        case .scaledNormal(let inputs), .dirac(let inputs):
            let deviation = initializationGain(after: entry.node) / Double(max(inputs, 1)).squareRoot()
            let drawn = Tensor(
                shape: specification.shape, values: random.normal(entry.count, deviation: deviation))
            return specification.initialization == .dirac(inputs: inputs) ? drawn.passingChannels : drawn
        }
    }

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

extension Tensor {
    /// A kernel [out, in, rows, columns] whose first outputs are the inputs, as many as there are of both.
    fileprivate var passingChannels: Tensor {
        var result = self
        let (inputs, rows, columns) = (shape[1], shape[2], shape[3])
        for channel in 0..<min(shape[0], inputs) {
            for tap in 0..<inputs * rows * columns {
                result.values[channel * inputs * rows * columns + tap] = 0
            }
            result.values[((channel * inputs + channel) * rows + rows / 2) * columns + columns / 2] = 1
        }
        return result
    }
}
