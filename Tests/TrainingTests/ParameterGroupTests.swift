import Networks
import Parameters
import Tensors
import Testing

@testable import Training

@Suite("Groups of parameters")
struct ParameterGroupTests {
    /// A convolution, a normalisation and a layer that reads their image, 5 channels of which one is a round old
    /// and one newborn.
    private func network() throws -> Network {
        let window = Window(kernel: Extent(3, 3), padding: Extent(1, 1))
        let architecture = try Architecture(
            inputShape: [2, 4, 4],
            nodes: [
                .init("hidden", Convolution(width: 5, window: window), inputs: ["input"]),
                .init("norm", BatchNormalization(), inputs: ["hidden"]),
                .init("flatten", Flatten(), inputs: ["norm"]),
                .init("output", Linear(width: 3), inputs: ["flatten"]),
            ])
        var network = try Network(initializing: architecture, seed: 4)
        network.births["hidden"]?.rows = Self.births
        network.births["norm"]?.rows = Self.births
        network.births["output"]?.columns = Self.births.flatMap { Array(repeating: $0, count: 16) }
        network.growth = [
            GrowthRecord(
                round: 3, width: "hidden", change: .widen, method: "tiny", neurons: 1, amplitude: 1,
                predictedDecrease: nil,
                realizedDecrease: 0, lossBefore: 1, bottleneck: 1, gradientNorm: 1)
        ]
        return network
    }

    private static let births = [0, 0, 0, 2, 3]

    /// The age of a value, in the third round.
    private func age(_ name: String, _ index: Int) -> Int {
        switch name {
        case "hidden/weight": 3 - Self.births[index / 18]
        case "hidden/bias", "norm/weight", "norm/bias": 3 - Self.births[index]
        case "output/weight": 3 - Self.births[index % 80 / 16]
        default: 3
        }
    }

    private func groups(_ yaml: String) throws -> [ParameterGroup] {
        try OptimizerParameters(tree: Tree(yaml: "{groups: [\(yaml)]}", file: "x"), file: "x").groups
    }

    @Test(
        "twelve steps agree with Float64: each value has the rate, decay and warm-up of its kind and age, frozen ones stay",
        arguments: OptimizerCase.all)
    func steps(given: OptimizerCase) throws {
        var parameters = given.parameters
        parameters.groups = try groups(
            """
            {of: [weights], ages: [0, 0], rate-factor: 4, warm-up: 1.5}, {of: [weights], ages: [1, 2], rate-factor: 0},
            {of: [biases, normalization], decay-factor: 0, rate-factor: 0.5}
            """)
        let network = try network()
        let layout = ParameterLayout(network.architecture)
        let weights = ParameterArena(layout, network.parameters), gradients = ParameterArena(layout)
        let optimizer = Optimizer(parameters, layout: layout, network: network, stepsPerEpoch: 4)
        /// A value's place, its reference, and the step's share of the rate; nil if it is frozen.
        let values = layout.entries.flatMap { entry in
            (0..<entry.count).map { index in (entry: entry, index: index, age: age(entry.name, index)) }
        }
        var references = values.map { value in
            var own = given.parameters
            if value.entry.name != "hidden/weight" && value.entry.name != "output/weight" {
                own.weightDecay = 0
            }
            return ReferenceOptimizer(
                parameters: own, weight: Double(weights.buffer.pointer[value.entry.offset + value.index]))
        }
        func share(_ number: Int, _ step: Int) -> Double? {
            guard ["hidden/weight", "output/weight"].contains(values[number].entry.name) else { return 0.5 }
            switch values[number].age {
            case 0: return 4 * min(1, Double(step + 1) / 6)
            case 1, 2: return nil
            default: return 1
            }
        }
        for step in 0..<12 {
            var random = Philox(seed: 2, purpose: .growth, index: step)
            let rate = 0.02 / Double(1 + step)
            for number in values.indices {
                let gradient = Float(random.uniform() - 0.3) * Float([0.01, 0.1, 1, 10][number % 4])
                gradients.buffer.pointer[values[number].entry.offset + values[number].index] = gradient
                guard let share = share(number, step) else { continue }
                references[number].update(Double(gradient), rate: rate * share)
            }
            // In ranges, as workers would.
            let cuts = [0, 17, 100, 101, layout.count]
            for (begin, end) in zip(cuts, cuts.dropFirst()) {
                optimizer.update(
                    weights, gradient: gradients, range: begin..<end, optimizer.step(step, rate: rate))
            }
            for (number, value) in values.enumerated() {
                let (found, expected) = (
                    weights.buffer.pointer[value.entry.offset + value.index], references[number].weight
                )
                let isFrozen = share(number, step) == nil
                #expect(
                    isFrozen
                        ? found == Float(expected)
                        : abs(Double(found) - expected) < 2e-5 * (1 + abs(expected)),
                    "step \(step), \(value.entry.name) \(value.index)")
            }
        }
        let state = optimizer.tensors(after: 12)
        for (number, value) in values.enumerated() {
            let isFrozen = share(number, 0) == nil
            let slots = type(of: given.parameters.rule).slots
            for slot in slots where isFrozen {
                #expect(state["\(value.entry.name)/\(slot)"]?.values[value.index] == 0)
            }
            if let steps = state["\(value.entry.name)/steps"] {
                #expect(steps.values[value.index] == (isFrozen ? 0 : 12))
            }
        }
    }

    @Test("groups that change nothing change no bit", arguments: [SGD() as any OptimizerRule, AdamW()])
    func identity(rule: any OptimizerRule) throws {
        let dataset = prototypes(train: 60)
        var optimizer = OptimizerParameters(rule: rule, rate: 0.01, weightDecay: 0.001)
        let expected = try trainSeed(seedParameters(optimizer: optimizer), dataset: dataset)
        optimizer.groups = try groups("{of: [weights], ages: [0, 0]}, {of: [biases]}")
        let found = try trainSeed(seedParameters(optimizer: optimizer), dataset: dataset)
        #expect(found.parameters == expected.parameters)
        #expect(found.optimizerState == expected.optimizerState)
    }

    @Test("with a rate of 0 for what is older than the last round, training moves newborn weights alone")
    func frozen() throws {
        let dataset = prototypes(train: 60)
        var start = try trainSeed(seedParameters(), dataset: dataset)
        start.births["hidden1"]?.rows = [0, 0, 0, 0, 0, 1]
        start.births["hidden2"]?.columns = [0, 0, 0, 0, 0, 1]
        start.growth = try network().growth
        start.growth[0].round = 1
        var training = TrainingParameters(epochs: 2, batch: 16)
        training.optimizer.groups = try groups("{ages: [1, 10000], rate-factor: 0}")
        let tuned = try #require(
            try fineTune(
                TuneParameters(training: training, loss: LossParameters(), seed: 7), dataset: dataset,
                network: start))
        for (name, before) in start.parameters {
            let after = try #require(tuned.parameters[name])
            for index in before.values.indices {
                let isNew =
                    switch name {
                    case "hidden1/weight": index / 9 == 5
                    case "hidden1/bias": index == 5
                    case "hidden2/weight": index % 6 == 5
                    default: false
                    }
                #expect((before.values[index] != after.values[index]) == isNew, "\(name) \(index)")
            }
        }
    }

    @Test(
        "what selects nothing, twice, or backwards is refused with its line and key",
        arguments: [
            ("{of: [weight]}", "p.yaml:3", "optimizer.groups[0].of", "weights"),
            ("{of: []}", "p.yaml:3", "optimizer.groups[0].of", "weights"),
            ("{rate-factor: -1}", "p.yaml:3", "optimizer.groups[0].rate-factor", "0"),
            ("{ages: [2, 1]}", "p.yaml:3", "optimizer.groups[0].ages", "first age"),
            ("{ages: [1]}", "p.yaml:3", "optimizer.groups[0].ages", "2 integers"),
            ("{warmup: 1}", "p.yaml:3", "optimizer.groups[0].warmup", "warm-up"),
            ("{of: [biases]}\n  - {ages: [3, 4]}", "p.yaml:4", "optimizer.groups[1]", "groups[0]"),
        ])
    func refused(yaml: String, line: String, key: String, expected: String) {
        #expect {
            try TrainingParameters(
                tree: Tree(yaml: "optimizer:\n  groups:\n  - \(yaml)\n", file: "p.yaml"), file: "p.yaml")
        } throws: { error in
            [line, key, expected].allSatisfy { "\(error)".contains($0) }
        }
    }

    @Test("groups side by side are read, and written with every default")
    func roundTrip() throws {
        let found = try OptimizerParameters(
            tree: Tree(
                yaml:
                    "{groups: [{of: [normalization]}, {of: [weights], ages: [0, 1]}, {of: [weights], ages: [2, 9]}]}",
                file: "x"), file: "x")
        #expect(found.groups.map(\.ages) == [[0, 10_000], [0, 1], [2, 9]])
        #expect(try OptimizerParameters(tree: found.tree, file: "x") == found)
        #expect(
            found.tree["groups"]?.list?.first?.canonicalJSON
                == #"{"ages":[0,10000],"decay-factor":1,"of":["normalization"],"rate-factor":1,"warm-up":0}"#)
    }
}
