import Foundation
import Networks
import Parameters
import Tensors
import Testing

@testable import Training

/// An optimiser and the same rule in Float64, written from PyTorch's documentation of SGD and AdamW.
struct OptimizerCase: Sendable, CustomTestStringConvertible {
    var name: String
    var parameters: OptimizerParameters

    var testDescription: String { name }

    init(_ name: String, _ rule: any OptimizerRule, decay: Double = 0) {
        self.name = name
        parameters = OptimizerParameters(rule: rule, rate: 0.1, weightDecay: decay)
    }

    static let all = [
        OptimizerCase("sgd without momentum", SGD(momentum: 0)),
        OptimizerCase("sgd with momentum", SGD()),
        OptimizerCase("sgd with momentum and decay", SGD(), decay: 0.02),
        OptimizerCase("nesterov", SGD(nesterov: true)),
        OptimizerCase("nesterov with decay", SGD(nesterov: true), decay: 0.02),
        OptimizerCase("adamw", AdamW()),
        OptimizerCase("adamw with decay", AdamW(), decay: 0.3),
        OptimizerCase("adamw with other betas", AdamW(beta1: 0.5, beta2: 0.99, epsilon: 1e-3), decay: 0.01),
        OptimizerCase("adamw with a long memory", AdamW(beta2: 0.99999)),
    ]
}

/// One number's weight and state in Float64.
struct ReferenceOptimizer {
    var parameters: OptimizerParameters
    var weight: Double
    var first = 0.0, second = 0.0
    var steps = 0

    mutating func update(_ gradient: Double, rate: Double) {
        steps += 1
        if let sgd = parameters.rule as? SGD {
            let slope = gradient + parameters.weightDecay * weight
            first = steps == 1 ? slope : sgd.momentum * first + slope
            weight -= rate * (sgd.nesterov ? slope + sgd.momentum * first : first)
        } else if let adam = parameters.rule as? AdamW {
            weight -= rate * parameters.weightDecay * weight
            first = adam.beta1 * first + (1 - adam.beta1) * gradient
            second = adam.beta2 * second + (1 - adam.beta2) * gradient * gradient
            let mean = first / (1 - pow(adam.beta1, Double(steps)))
            let square = second / (1 - pow(adam.beta2, Double(steps)))
            weight -= rate * mean / (square.squareRoot() + adam.epsilon)
        }
    }
}

@Suite("Optimisers")
struct OptimizerTests {
    private static let architecture = try? NetworkParameters(widths: [5])
        .architecture(sample: [3], outputs: 2)

    @Test(
        "twelve steps agree with Float64, state carried over in the middle, where some weights join",
        arguments: OptimizerCase.all)
    func steps(given: OptimizerCase) throws {
        let architecture = try #require(Self.architecture)
        var network = try Network(initializing: architecture, seed: 4)
        let layout = ParameterLayout(architecture)
        let weights = ParameterArena(layout, network.parameters), gradients = ParameterArena(layout)
        let places = layout.entries.flatMap { Array($0.offset..<$0.offset + $0.count) }
        var references = places.map {
            ReferenceOptimizer(parameters: given.parameters, weight: Double(weights.buffer.pointer[$0]))
        }
        var optimizer = Optimizer(given.parameters, layout: layout, network: network, stepsPerEpoch: 1)
        var begun = 0
        for step in 0..<12 {
            var random = Philox(seed: 2, purpose: .growth, index: step)
            let rate = 0.1 / Double(1 + step)
            for index in places.indices {
                let gradient = Float(random.uniform() - 0.3) * Float(pow(10, Double(index % 5) - 2))
                gradients.buffer.pointer[places[index]] = gradient
                references[index].update(Double(gradient), rate: rate)
            }
            // In two ranges, as two workers would.
            for range in [0..<17, 17..<layout.count] {
                optimizer.update(
                    weights, gradient: gradients, range: range, optimizer.step(step - begun, rate: rate))
            }
            for (index, place) in places.enumerated() {
                let expected = references[index].weight
                #expect(
                    abs(Double(weights.buffer.pointer[place]) - expected) < 2e-5 * (1 + abs(expected)),
                    "step \(step), element \(index)")
            }
            guard [3, 5].contains(step) else { continue }
            network.optimizerState = optimizer.tensors(after: step + 1 - begun)
            begun = step + 1
            // Some weights join here: what the state holds of them is zero.
            for (index, place) in places.enumerated() where (index + step) % 7 < 2 {
                let entry = try #require(
                    layout.entries.first { ($0.offset..<$0.offset + $0.count).contains(place) })
                for slot in network.optimizerSlots {
                    network.optimizerState["\(entry.name)/\(slot)"]?.values[place - entry.offset] = 0
                }
                references[index] = ReferenceOptimizer(
                    parameters: given.parameters, weight: references[index].weight)
            }
            optimizer = Optimizer(given.parameters, layout: layout, network: network, stepsPerEpoch: 1)
        }
    }

    @Test("another optimiser begins anew: AdamW after SGD corrects its bias from the first step")
    func otherKind() throws {
        let dataset = prototypes(train: 40)
        let first = try trainSeed(seedParameters(epochs: 3), dataset: dataset)
        var training = TrainingParameters(epochs: 1, batch: 40, shards: 1)
        training.optimizer = OptimizerParameters(rule: AdamW(), rate: 0.01)
        func tuned(_ network: Network) throws -> Network {
            try #require(
                try fineTune(
                    TuneParameters(training: training, loss: LossParameters(), seed: 7), dataset: dataset,
                    network: network))
        }
        let second = try tuned(first)
        #expect(counts(second) == [1])
        #expect(
            Set(second.optimizerState.keys.compactMap { $0.split(separator: "/").last })
                == ["first_moment", "second_moment", "steps"])
        // The first corrected step of AdamW moves every weight with a gradient by the rate.
        let moves = zip(flat(second.parameters), flat(first.parameters)).map { abs($0 - $1) }
        #expect(moves.allSatisfy { abs($0 - 0.01) < 1e-4 })
        // The same optimiser goes on counting.
        #expect(counts(try tuned(second)) == [2])
    }

    /// The updates that the moments of a network's weights have seen.
    private func counts(_ network: Network) -> Set<Float> {
        Set(network.optimizerState.filter { $0.key.hasSuffix("/steps") }.flatMap(\.value.values))
    }

    @Test("resetting forgets state and counts", arguments: OptimizerParameters.rules.all)
    func reset(rule: any OptimizerRule) throws {
        let dataset = prototypes(train: 40)
        let optimizer = OptimizerParameters(rule: rule, rate: 0.01)
        let start = try trainSeed(seedParameters(optimizer: optimizer), dataset: dataset)
        var training = TrainingParameters(epochs: 1, batch: 16)
        training.optimizer = optimizer
        var forgetful = TuneParameters(
            training: training, loss: LossParameters(), seed: 7, start: TuningStart(momentum: .zero))
        let reset = try #require(try fineTune(forgetful, dataset: dataset, network: start))
        forgetful.start.momentum = .keep
        let carried = try #require(try fineTune(forgetful, dataset: dataset, network: start))
        #expect(rule is SGD || counts(reset) == [3] && counts(carried) == [9])
        #expect(reset.parameters != carried.parameters)
    }

    @Test("counts end where Float32 counts no further")
    func manySteps() throws {
        let architecture = try #require(Self.architecture)
        let network = try Network(initializing: architecture, seed: 4)
        let optimizer = Optimizer(
            OptimizerParameters(rule: AdamW()), layout: ParameterLayout(architecture), network: network,
            stepsPerEpoch: 1)
        var old = network
        old.optimizerState = optimizer.tensors(after: .max / 2)
        #expect(counts(old) == [Float(OptimizerSlot.mostSteps)])
        try old.validate(source: "here")
    }
}

@Suite("Learning-rate schedules")
struct ScheduleTests {
    private func shares(_ schedule: ScheduleParameters, epochs: Int, perEpoch: Int = 4) -> [Double] {
        (0..<epochs * perEpoch).map { schedule.share(step: $0, stepsPerEpoch: perEpoch, epochs: epochs) }
    }

    @Test("constant is 1, and warm-up rises linearly to it, from the first step on")
    func warmUp() {
        #expect(shares(ScheduleParameters(), epochs: 2) == [Double](repeating: 1, count: 8))
        let found = shares(ScheduleParameters(warmUp: 1.5), epochs: 2)
        let expected: [Double] = [1, 2, 3, 4, 5, 6, 6, 6].map { $0 / 6 }
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    @Test("a warm-up longer than training just rises, a shorter one than a step does nothing")
    func warmUpCorners() {
        let found = shares(ScheduleParameters(rule: CosineDecay(), warmUp: 10), epochs: 2)
        #expect(zip(found, 1...8).allSatisfy { abs($0 - Double($1) / 40) < 1e-12 })
        #expect(shares(ScheduleParameters(warmUp: 0.1), epochs: 1) == [1, 1, 1, 1])
    }

    @Test("steps drop by the factor every step-epochs, at the epoch's first step")
    func step() {
        var schedule = ScheduleParameters(rule: StepDecay(stepEpochs: 2, factor: 0.5))
        #expect(
            shares(schedule, epochs: 5, perEpoch: 3)
                == [1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25])
        schedule.rule = StepDecay(stepEpochs: 2, factor: 0)
        #expect(shares(schedule, epochs: 3, perEpoch: 1) == [1, 1, 0])
    }

    @Test("the cosine starts at 1, is halfway in the middle and ends near the final fraction")
    func cosine() {
        var schedule = ScheduleParameters(rule: CosineDecay(finalFraction: 0.2))
        let found = shares(schedule, epochs: 10, perEpoch: 100)
        #expect(found[0] == 1)
        #expect(abs(found[500] - 0.6) < 1e-12)
        #expect(abs(found[999] - 0.2) < 1e-4 && found[999] > 0.2)
        #expect(zip(found, found.dropFirst()).allSatisfy { $0 > $1 })
        schedule.warmUp = 2
        let warmed = shares(schedule, epochs: 10, perEpoch: 100)
        #expect(abs(warmed[199] - 1) < 1e-12 && warmed[200] == 1)
        #expect(abs(warmed[600] - 0.6) < 1e-12)
    }

    @Test(
        "wsd holds the rate, then falls straight to the final fraction; a triangle rises and falls straight")
    func straight() {
        let wsd = ScheduleParameters(rule: WarmupStableDecay(decay: 0.5, finalFraction: 0.2), warmUp: 2)
        let found = shares(wsd, epochs: 10, perEpoch: 10)
        #expect(found[20..<60].allSatisfy { $0 == 1 })
        #expect(abs(found[80] - 0.6) < 1e-12 && abs(found[99] - 0.22) < 1e-12)
        let triangle = shares(ScheduleParameters(rule: Triangular(peak: 0.25)), epochs: 4, perEpoch: 4)
        #expect(abs(triangle[2] - 0.5) < 1e-12 && triangle[4] == 1 && abs(triangle[10] - 0.5) < 1e-12)
    }

    @Test(
        "a phase that takes its piece of a schedule goes on where the one before ended",
        arguments: [0.0, 1.5])
    func pieces(warmUp: Double) {
        for rule in [CosineDecay(), WarmupStableDecay(), Triangular(), StepDecay(stepEpochs: 2)]
            as [any ScheduleRule]
        {
            let whole = shares(ScheduleParameters(rule: rule, warmUp: warmUp), epochs: 6)
            let first = ScheduleParameters(rule: rule, warmUp: warmUp, begin: 0, length: 6)
            let rest = ScheduleParameters(rule: rule, warmUp: warmUp, begin: 2, length: 6)
            #expect(shares(first, epochs: 2) + shares(rest, epochs: 4) == whole)
        }
    }

    @Test(
        "zero epochs, one epoch and a share beyond the end stay in [0, 1]",
        arguments: ScheduleParameters.rules.all, [0.0, 1])
    func corners(rule: any ScheduleRule, warmUp: Double) {
        let schedule = ScheduleParameters(rule: rule, warmUp: warmUp)
        for epochs in 0...1 {
            for step in 0..<5 {
                let share = schedule.share(step: step, stepsPerEpoch: 2, epochs: epochs)
                #expect((0...1).contains(share), "\(share)")
            }
        }
    }
}
