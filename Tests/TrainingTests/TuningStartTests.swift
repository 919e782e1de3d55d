import Networks
import Parameters
import Tensors
import Testing

@testable import Training

@Suite("What fine-tuning begins with")
struct TuningStartTests {
    private let dataset = prototypes(train: 40)

    private func trained(_ rule: any OptimizerRule = SGD()) throws -> Network {
        try trainSeed(
            seedParameters(epochs: 2, optimizer: OptimizerParameters(rule: rule, rate: 0.01)),
            dataset: dataset)
    }

    private func tuned(_ network: Network, _ start: TuningStart, rule: any OptimizerRule = SGD()) throws
        -> Network
    {
        var training = TrainingParameters(epochs: 1, batch: 16)
        training.optimizer = OptimizerParameters(rule: rule, rate: 0.01)
        return try #require(
            try fineTune(
                TuneParameters(training: training, loss: LossParameters(), seed: 7, start: start),
                dataset: dataset, network: network))
    }

    @Test("all of the optimiser's state, none of it, or a share of its mean gradient stays")
    func momentum() throws {
        let sgd = try trained(), adam = try trained(AdamW())
        func begun(_ network: Network, _ momentum: KeptMomentum, _ rule: any OptimizerRule) -> Network {
            TuningStart(momentum: momentum).begin(network, rule: rule, seed: 7)
        }
        #expect(begun(sgd, .keep, SGD()) == sgd && begun(adam, .keep, AdamW()) == adam)
        #expect(begun(adam, .zero, AdamW()).optimizerState == [:])
        let cases: [(Network, any OptimizerRule, String)] = [
            (sgd, SGD(), "momentum"), (adam, AdamW(), "first_moment"),
        ]
        for (network, rule, slot) in cases {
            let half = begun(network, .scale(0.5), rule)
            for (name, tensor) in network.optimizerState {
                let share: Float = name.hasSuffix("/\(slot)") ? 0.5 : 1
                #expect(half.optimizerState[name]?.values == tensor.values.map { share * $0 }, "\(name)")
            }
            #expect(half.parameters == network.parameters)
        }
        let runs = try [KeptMomentum.keep, .scale(0.5), .zero].map {
            try tuned(sgd, TuningStart(momentum: $0))
        }
        #expect(runs[0].parameters != runs[1].parameters && runs[1].parameters != runs[2].parameters)
        // SGD has nothing but its momentum.
        #expect(try tuned(sgd, TuningStart(momentum: .scale(0))) == runs[2])
    }

    @Test("layers shrink and get a share of a fresh draw, normalisations stay, averages shrink along")
    func shrinkPerturb() throws {
        let architecture = try Architecture(
            inputShape: [9],
            nodes: [
                .init("one", Linear(width: 200), inputs: ["input"]),
                .init("norm", BatchNormalization(), inputs: ["one"]),
                .init("relu", Activation(.relu), inputs: ["norm"]),
                .init("two", Linear(width: 4), inputs: ["relu"]),
            ])
        var network = try Network(initializing: architecture, seed: 3)
        network.parameters["one/bias"] = Tensor(repeating: 2, shape: [200])
        network.lags["one/bias"] = Tensor(repeating: 1, shape: [200])
        network.lags["norm/weight"] = Tensor(repeating: 1, shape: [200])
        let choice = ShrinkPerturb(shrink: 0.5, noise: 0.25)
        let found = choice.applied(to: network, seed: 3)
        #expect(found.parameters["one/bias"] == Tensor(repeating: 1, shape: [200]))
        #expect(found.lags["one/bias"] == Tensor(repeating: 0.5, shape: [200]))
        for name in ["norm/weight", "norm/bias"] {
            #expect(found.parameters[name] == network.parameters[name])
            #expect(found.lags[name] == network.lags[name])
        }
        #expect(found.state == network.state)
        // What was added: a quarter of a draw of deviation √(2 / 9), of which there are 1800; five standard errors.
        let (before, after) = (network.parameters["one/weight"], found.parameters["one/weight"])
        let added = zip(try #require(after).values, try #require(before).values).map {
            Double($0) - 0.5 * Double($1)
        }
        let variance = added.reduce(0) { $0 + $1 * $1 } / 1800
        #expect(abs(variance / (2.0 / 9 / 16) - 1) < 5 * (2.0 / 1800).squareRoot())
        // Not the numbers that the network began with, and other ones for another seed or after more epochs.
        let first = try #require(before).values
        #expect(relativeDistance(added.map { 4 * Float($0) }, first) > 0.5)
        #expect(choice.applied(to: network, seed: 4).parameters != found.parameters)
        var older = network
        older.history.epochs = [
            .init(
                round: 0, loss: 1, accuracy: 0, validationLoss: nil, validationAccuracy: nil, rate: 1,
                parameters: 1, flops: 0)
        ]
        #expect(choice.applied(to: older, seed: 3).parameters != found.parameters)
        #expect(choice.applied(to: network, seed: 3) == found)
    }

    @Test("shrinking changes no other random number of a phase")
    func streams() throws {
        let network = try trained()
        var start = TuningStart()
        start.shrinkPerturb = ShrinkPerturb(shrink: 0.4, noise: 0.1)
        let begun = start.begin(network, rule: SGD(), seed: 7)
        #expect(begun.parameters != network.parameters)
        #expect(try tuned(network, start) == tuned(begun, TuningStart()))
    }

    @Test(
        "each form is read as it is written",
        arguments: [
            ("momentum: keep", TuningStart()), ("momentum: zero", TuningStart(momentum: .zero)),
            ("momentum: {scale: 0.5}", TuningStart(momentum: .scale(0.5))),
            (
                "shrink-perturb: {shrink: 0.4, noise: 0.1}",
                TuningStart(shrinkPerturb: ShrinkPerturb(shrink: 0.4, noise: 0.1))
            ),
        ])
    func forms(yaml: String, expected: TuningStart) throws {
        func read(_ yaml: String) throws -> TuningStart {
            try TuneParameters(tree: Tree(yaml: yaml, file: "x"), file: "x").start
        }
        #expect(try read(yaml) == expected)
        #expect(try TuneParameters(tree: TuneParameters(start: expected).tree, file: "x").start == expected)
    }

    @Test(
        "what is no form, or has another name, is refused",
        arguments: [
            ("momentum: half", "momentum: \"half\" is not allowed"), ("momentum: {scale: 2}", "{scale: 0…1}"),
            ("momentum: {scale: 0.5, by: 2}", "keep, zero, or"), ("momentum: 0.5", "keep, zero, or"),
            ("reset-optimizer: true", "reset-optimizer: is called momentum: zero for true, keep for false"),
            ("shrink-perturb: {shrink: 1.5}", "shrink-perturb.shrink"),
        ])
    func refusals(yaml: String, message: String) {
        let error = #expect(throws: ParameterError.self) {
            try TuneParameters(tree: Tree(yaml: yaml, file: "x"), file: "x")
        }
        #expect("\(error.map(\.description) ?? "")".contains(message))
    }
}
