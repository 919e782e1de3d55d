import Correlations
import Datasets
import GrowthMath
import Networks
import Parameters
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Changes of a network besides wider widths")
struct ChangeTests: GrowsNetworks {
    let dataset = SampleNetworks.dataset(train: 150, validation: 60)

    private func grow(_ network: Network, _ yaml: String, round: Int = 1) throws -> GrowthOutcome {
        let plan = try GrowthPlan(
            tree: Tree(yaml: "{rounds: 4, samples: all, \(yaml)}", file: "x"), file: "x")
        let loss = LossParameters()
        let found = try computeBottlenecks(
            plan.bottleneckParameters(round: round, loss: loss, seed: 0), dataset: dataset, network: network)
        return try growNetwork(
            plan.growthParameters(round: round, loss: loss, seed: 0), dataset: dataset, network: network,
            bottlenecks: found)
    }

    private func outputs(_ network: Network, mode: ForwardMode = .evaluation) -> Matrix {
        NetworkRun(network, dataset.validation, dataset.normalization, mode: mode).outputs
    }

    private func tuned(_ network: Network, round: Int = 1) throws -> Network {
        var training = TrainingParameters(epochs: 2)
        training.optimizer = OptimizerParameters(rule: AdamW(), rate: 0.01)
        return try #require(
            try fineTune(
                TuneParameters(training: training, loss: LossParameters(), seed: 0, round: round),
                dataset: dataset, network: network))
    }

    private enum Family: CaseIterable {
        case mlp, vgg, classic, preActivated

        func network() throws -> Network {
            let architecture: Architecture
            switch self {
            case .mlp:
                architecture = try NetworkParameters(widths: [5, 4]).architecture(
                    sample: [2, 6, 6], outputs: 3)
            case .vgg: return try SampleNetworks.network(.batchNormalized)
            case .classic: return try ResidualNetworks.network(.classic)
            case .preActivated: return try ResidualNetworks.network(.preActivation)
            }
            return try Network(initializing: architecture, seed: 3)
        }
    }

    // MARK: Deeper

    @Test(
        "a block keeps the function, bit for bit, in evaluation and training, learns, and is a width like any other",
        arguments: Family.allCases)
    private func deeper(family: Family) throws {
        var network = try family.network()
        network.optimizerState = try tuned(try #require(grow(network, "method: net2net, neurons: 1").network))
            .optimizerState.filter { name, tensor in
                network.parameters[name.split(separator: "/").dropLast().joined(separator: "/")]?.shape
                    == tensor.shape
            }
        let outcome = try grow(
            network,
            "change: deepen, neurons: 3, residual-widths: \(family == .classic || family == .preActivated)")
        let deeper = try #require(outcome.network)
        try deeper.validate(source: "test")
        #expect(deeper.hasAllBirths)
        #expect(outputs(deeper) == outputs(network))
        #expect(
            outputs(deeper, mode: NetworkRun.training) == outputs(network, mode: NetworkRun.training))
        let done = outcome.records.filter { $0.change == .deepen }
        #expect(!done.isEmpty && done.allSatisfy { $0.neurons == 3 && $0.realizedDecrease == 0 })
        let blocks = Width.all(in: deeper.architecture).filter { $0.name.hasSuffix("-layer1") }
        #expect(blocks.count == done.count && blocks.allSatisfy { $0.count == 3 })
        #expect(deeper.births["block1-layer1"]?.rows == [1, 1, 1])

        let learned = try tuned(deeper)
        let second = try #require(learned.parameters["block1-layer2/weight"])
        #expect(second.values.contains { $0 != 0 })
        let wider = try #require(try grow(deeper, "method: tiny, neurons: {most: 2}", round: 2).network)
        let inner = Width.all(in: wider.architecture).filter { $0.name.hasSuffix("-layer1") }
        #expect(inner.contains { $0.count > 3 })
    }

    @Test("a second block stands behind the first, and random numbers of what was there stay")
    func again() throws {
        let network = try SampleNetworks.network(.normalizedLate)
        let once = try #require(try grow(network, "change: deepen, neurons: 2").network)
        let twice = try #require(try grow(once, "change: deepen, neurons: 2", round: 2).network)
        let names = twice.architecture.nodes.map(\.name)
        #expect(names.contains("block1-add") && names.count { $0.hasSuffix("-add") } > 2)
        let identities = { (network: Network) in
            network.architecture.nodes.reduce(into: [:]) { $0[$1.name] = $1.identity }
        }
        for (name, identity) in identities(network) { #expect(identities(twice)[name] == identity) }
    }

    // MARK: Running averages

    @Test(
        "running averages go along, and that of what is new is its value",
        arguments: Family.allCases, ChangeKind.allCases)
    private func averages(family: Family, change: ChangeKind) throws {
        var network = try family.network()
        var random = Philox(seed: 5, purpose: .growth)
        let tensors = network.parameters.merging(network.state) { $1 }
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            network.lags[name] = Tensor(
                shape: tensor.shape, values: random.normal(tensor.count, deviation: 0.1))
        }
        let grown = try #require(try grow(network, "change: \(change.rawValue), neurons: 2").network)
        try grown.validate(source: "test")
        let entries =
            ParameterLayout(grown.architecture).entries + ParameterLayout.state(grown.architecture).entries
        for entry in entries {
            let before = network.lags[entry.name]?.values ?? []
            let lag = grown.lags[entry.name]?.values ?? Array(repeating: 0, count: entry.count)
            var isNew: [Bool] = []
            grown.births[entry.node]?.forEachStretch(of: entry.specification) {
                isNew += Array(repeating: $1 == 1, count: $0)
            }
            #expect(zip(lag, isNew).allSatisfy { ($0 == 0) == $1 }, "\(entry.name)")
            let kept = lag.filter { $0 != 0 }
            if change == .shrink {
                var rest = before[...]
                let isInOrder = kept.allSatisfy { value in
                    guard let place = rest.firstIndex(of: value) else { return false }
                    rest = rest[(place + 1)...]
                    return true
                }
                #expect(isInOrder, "\(entry.name)")
            } else {
                #expect(kept == before, "\(entry.name)")
            }
        }
        #expect(grown.parameterCount != network.parameterCount)
    }

    // MARK: Narrower

    @Test(
        "neurons that nothing reads are the first to go, and nothing changes",
        arguments: SampleNetworks.Kind.allCases)
    func silent(kind: SampleNetworks.Kind) throws {
        var network = try SampleNetworks.network(kind, width: 4)
        let weight = try #require(network.parameters["second/weight"])
        let (outputs, taps) = (weight.shape[0], weight.count / weight.shape[0] / 4)
        for output in 0..<outputs {
            for tap in 0..<taps {
                network.parameters["second/weight"]?.values[(output * 4 + 1) * taps + tap] = 0
            }
        }
        for (name, tensor) in network.parameters {
            network.optimizerState["\(name)/momentum"] = tensor
        }
        let plan = "change: shrink, neurons: 1, widths: each"
        let position = try #require(
            Width.plain(in: network.architecture).firstIndex { $0.name == "first" })
        let outcome = try grow(network, plan, round: position + 1)
        let record = try #require(outcome.records.first)
        #expect(record.width == "first" && record.change == .shrink && record.neurons == -1)
        let smaller = try #require(outcome.network)
        try smaller.validate(source: "test")
        #expect(smaller.hasAllBirths)
        #expect(relativeDifference(self.outputs(smaller), self.outputs(network)) < 1e-6)
        #expect(abs(record.realizedDecrease) < 1e-6)
        #expect(abs(try #require(record.predictedDecrease)) < 1e-6)
        // The optimiser's state goes along.
        for (name, tensor) in smaller.parameters {
            #expect(smaller.optimizerState["\(name)/momentum"]?.shape == tensor.shape)
        }
        let first = try #require(network.parameters["first/weight"])
        let row = first.count / 4
        let kept = first.values[..<row] + first.values[(2 * row)...]
        #expect(smaller.parameters["first/weight"]?.values == Array(kept))
        #expect(smaller.optimizerState["first/weight/momentum"]?.values == Array(kept))
        #expect(
            try tuned(smaller, round: position + 1).parameters["first/weight"]?.count == first.count - row)
    }

    @Test("what copies did, those that stay make up for", arguments: Family.allCases)
    private func twins(family: Family) throws {
        let network = try family.network()
        let residual = "residual-widths: \(family == .classic || family == .preActivated)"
        let doubled = try #require(try grow(network, "method: net2net, neurons: 2, \(residual)").network)
        let outcome = try grow(doubled, "change: shrink, neurons: 2, \(residual)", round: 2)
        let again = try #require(outcome.network)
        #expect(
            Width.all(in: again.architecture).map(\.count) == Width.all(in: network.architecture).map(\.count)
        )
        #expect(relativeDifference(outputs(again), outputs(network)) < 0.02)
        // Left alone, those that stay would give less than before.
        let careless = try #require(
            try grow(doubled, "change: shrink, neurons: 2, update: false, \(residual)", round: 2).network)
        #expect(
            relativeDifference(outputs(again), outputs(network))
                < relativeDifference(outputs(careless), outputs(network)))
    }

    @Test("what a width is to shrink by, or to: one neuron stays")
    func numbers() throws {
        let network = try SampleNetworks.network(.plain, width: 4)
        func widths(_ neurons: String, round: Int = 1) throws -> [Int] {
            let grown = try grow(network, "change: shrink, neurons: \(neurons)", round: round).network
            return Width.all(in: try #require(grown).architecture).map(\.count)
        }
        #expect(try widths("{most: 9}") == [1, 1, 1])
        #expect(try widths("{fraction: 0.5}") == [2, 2, 2])
        #expect(try widths("{target: [1, 2, 3]}", round: 4) == [1, 2, 3])
        #expect(throws: GrowthError.noNeuronLeft(width: "stem", asked: 4, count: 4)) { try widths("4") }
        #expect(throws: GrowthError.targetAboveWidth(width: "first", target: 5, count: 4)) {
            try widths("{target: [4, 5, 4]}")
        }
        #expect(throws: GrowthError.notForChange(neurons: "auto", change: .shrink)) { try widths("auto") }
    }

    @Test(
        "what is predicted is the slope of the loss, also where a consumer has lost outputs",
        arguments: [true, false])
    func slope(update: Bool) throws {
        var network = try SampleDataset.network(.selu, widths: [6, 5], dataset: dataset)
        for (name, tensor) in network.parameters { network.optimizerState["\(name)/momentum"] = tensor }
        // The state goes along: it tells which neurons are left.
        for (node, width) in [("hidden1", 6), ("hidden2", 5)] {
            network.optimizerState["\(node)/bias/momentum"]?.values = (0..<width).map { Float($0) }
        }
        let outcome = try grow(network, "change: shrink, neurons: 2, update: \(update)")
        #expect(outcome.records.map(\.width) == ["hidden2", "hidden1"])
        let smaller = try #require(outcome.network)
        func left(_ node: String) throws -> [Int] {
            try #require(smaller.optimizerState["\(node)/bias/momentum"]).values.map { Int($0) }
        }
        let (inputs, outputs) = (try left("hidden1"), try left("hidden2"))
        #expect(inputs.count == 4 && outputs.count == 3)
        func loss(at amplitude: Float) throws -> Double {
            var moved = network
            for (row, output) in outputs.enumerated() {
                func move(_ name: String, _ index: Int, to value: Float) {
                    guard let old = network.parameters[name]?.values[index] else { return }
                    moved.parameters[name]?.values[index] = old + amplitude * (value - old)
                }
                for input in 0..<6 {
                    let place = inputs.firstIndex(of: input)
                    let weight = place.flatMap { smaller.parameters["hidden2/weight"]?.values[row * 4 + $0] }
                    move("hidden2/weight", output * 6 + input, to: weight ?? 0)
                }
                move("hidden2/bias", output, to: try #require(smaller.parameters["hidden2/bias"]).values[row])
            }
            return try self.loss(moved, dataset.train)
        }
        let slope = try (loss(at: 1 / 64) - loss(at: -1 / 64)) * 32
        let predicted = try #require(outcome.records[1].predictedDecrease)
        #expect(abs(slope) > 1e-4)
        #expect(abs(predicted + slope) < 0.02 * abs(slope) + 1e-5, "\(predicted), \(-slope)")
    }

    // MARK: Round by round

    @Test("a round does what the list says for it")
    func list() throws {
        var network = try SampleNetworks.network(.plain, width: 4)
        for round in 1...4 {
            network = try #require(
                grow(
                    network, "change: [widen, deepen, shrink, widen], method: net2net, neurons: {most: 2}",
                    round: round
                ).network)
        }
        let changes = (1...4).map { round in
            Set(network.growth.filter { $0.round == round }.compactMap(\.change))
        }
        #expect(changes == [[.widen], [.deepen], [.shrink], [.widen]])
    }

    @Test(
        "targets go by the widths that the network was made with, whatever was put in",
        arguments: ["widen", "shrink"])
    func targets(change: String) throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let deeper = try #require(try grow(network, "change: deepen, neurons: 3, widths: each").network)
        func widths(_ target: [Int], residual: Bool = true) throws -> [String: Int] {
            let plan =
                "change: \(change), method: net2net, neurons: {target: \(target)}, residual-widths: \(residual)"
            let grown = try grow(deeper, plan, round: 4).network
            return Width.all(in: try #require(grown).architecture).reduce(into: [:]) {
                $0[$1.name] = $1.count
            }
        }
        let pair = change == "widen" ? [7, 6] : [2, 3]
        let found = try widths(pair)
        #expect(found == ["hidden1": pair[0], "hidden2": pair[1], "block1-layer1": 3])
        let all = change == "widen" ? 8 : 1
        #expect(try Set(widths([all]).values) == [all])
        #expect(throws: GrowthError.targetCount(found: 3, widths: ["hidden1", "hidden2"])) {
            try widths([3, 3, 3])
        }
        // Two widths that are not residual are left, as many as were made, and hidden1 is none of them.
        let error = #expect(throws: GrowthError.self) { try widths(pair, residual: false) }
        #expect(error == .targetTied(width: "hidden1"))
        #expect(error?.description.contains("hidden1, one of them, is tied to the block behind it") == true)
    }

    @Test("both stages are told the same change, and a block needs an activation to stand behind")
    func refusals() throws {
        let network = try SampleNetworks.network(.plain)
        let found = try computeBottlenecks(BottleneckParameters(), dataset: dataset, network: network)
        var parameters = GrowthParameters()
        parameters.change = .shrink
        #expect(throws: GrowthError.otherChange(found: .widen, expected: .shrink)) {
            try growNetwork(parameters, dataset: dataset, network: network, bottlenecks: found)
        }
        let bare = try Network(
            initializing: Architecture(
                inputShape: [4],
                nodes: [
                    .init("one", Linear(width: 3), inputs: ["input"]),
                    .init("two", Linear(width: 3), inputs: ["one"]),
                ]), seed: 0)
        #expect(throws: GrowthError.noBlock(widths: ["one"])) {
            try parameters.proposal.widths(of: bare.architecture, for: .deepen)
        }
    }
}
