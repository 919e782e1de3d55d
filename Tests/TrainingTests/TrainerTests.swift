import Datasets
import Foundation
@testable import Networks
import Parameters
import Synchronization
import Tensors
import Testing

@testable import Training

@Suite("Training")
struct TrainerTests {
    @Test(
        "the loss falls on a learnable problem, with every optimiser",
        arguments: OptimizerParameters.rules.all, losses)
    func learns(rule: any OptimizerRule, loss: LossParameters) throws {
        let dataset = prototypes(train: 120, validation: 40)
        let optimizer = OptimizerParameters(rule: rule, rate: rule is SGD ? 0.02 : 0.01)
        let network = try trainSeed(
            seedParameters(epochs: 8, optimizer: optimizer, loss: loss), dataset: dataset)
        let epochs = network.history.epochs
        #expect(epochs.count == 8)
        #expect(epochs[7].loss < 0.7 * epochs[0].loss)
        #expect(epochs[7].accuracy > 0.9)
        #expect(try #require(epochs[7].validationAccuracy) > 0.85)
        #expect(epochs.allSatisfy { $0.round == 0 && $0.rate == optimizer.rate })
    }

    @Test("history and cost follow from samples, epochs and FLOPs")
    func records() throws {
        let dataset = prototypes(train: 50)
        let parameters = seedParameters(epochs: 3, batch: 16)
        let network = try trainSeed(parameters, dataset: dataset)
        #expect(network.cost[.seed] == network.architecture.flopsPerSample.training * 50 * 3)
        #expect(
            network.history.epochs.allSatisfy { $0.validationLoss == nil && $0.validationAccuracy == nil })
    }

    @Test("zero epochs leave the parameters as they were drawn")
    func noEpochs() throws {
        let parameters = seedParameters(epochs: 0)
        let network = try trainSeed(parameters, dataset: prototypes(train: 20))
        let drawn = try Network(initializing: network.architecture, seed: parameters.seed)
        #expect(network.parameters == drawn.parameters)
        #expect(network.history.epochs.isEmpty && network.cost.total == 0)
        #expect(flat(network.optimizerState).allSatisfy { $0 == 0 })
    }

    @Test("progress grows to the number of samples, and tells the end of every epoch")
    func progress() throws {
        let seen = Mutex<[TrainingProgress]>([])
        let environment = TrainingEnvironment(threads: 2) { state in seen.withLock { $0.append(state) } }
        _ = try trainSeed(
            seedParameters(epochs: 2, batch: 1), dataset: prototypes(train: 70), environment: environment)
        let states = seen.withLock { $0 }
        #expect(states.map(\.done) == [32, 64, 70, 102, 134, 140])
        #expect(states.map(\.isEpochEnd) == [false, false, true, false, false, true])
        #expect(states.map { $0.epoch == nil } == [true, true, false, false, false, false])
        #expect(states.allSatisfy { $0.total == 140 })
    }

    @Test(
        "a loss that becomes NaN stops training with its place", arguments: [1, 3],
        Activation.Function.allCases)
    func diverges(threads: Int, activation: Activation.Function) throws {
        let network = NetworkParameters(widths: [6, 5], activation: activation)
        let parameters = seedParameters(
            network, epochs: 50, shards: 3,
            optimizer: OptimizerParameters(rule: SGD(momentum: 0.99), rate: 1000),
            loss: LossParameters(function: SquaredError()))
        do {
            _ = try trainSeed(
                parameters, dataset: prototypes(train: 50), environment: TrainingEnvironment(threads: threads)
            )
            Issue.record("nothing was thrown")
        } catch let error as TrainingError {
            guard case .lossNotFinite(let epoch, let step, let rate) = error else {
                Issue.record("\(error)")
                return
            }
            #expect((0..<50).contains(epoch) && (0..<4).contains(step) && rate == 1000)
            #expect(error.exitCode == 65)
            #expect(
                "\(error)".contains("epoch \(epoch + 1), step \(step + 1)") && "\(error)".contains("1000"))
            #expect("\(error)".contains("optimizer.rate"))
        }
    }

    @Test("a NaN in any layer reaches the loss", arguments: Activation.Function.allCases)
    func hiddenNaN(activation: Activation.Function) throws {
        let architecture = try NetworkParameters(widths: [3, 3], activation: activation)
            .architecture(sample: [2], outputs: 2)
        let layout = ParameterLayout(architecture)
        let arena = ParameterArena(layout, try Network(initializing: architecture, seed: 0).parameters)
        arena.buffer.pointer[0] = .nan
        let executor = Executor(architecture, parameters: arena, capacity: 1)
        executor.writeRows(of: Architecture.inputName, rows: 1, from: [1, 1])
        executor.forward(rows: 1)
        let sums = LossParameters().evaluate(executor.output, labels: [0], rows: 1)
        #expect(sums.loss.isNaN)
    }

    @Test("a network of another dataset is refused before anything is computed")
    func mismatches() throws {
        let dataset = prototypes(train: 20)
        func network(_ inputs: Int, _ outputs: Int) throws -> Network {
            try Network(
                initializing: NetworkParameters(widths: [2]).architecture(sample: [inputs], outputs: outputs),
                seed: 0)
        }
        let tune = TuneParameters(training: TrainingParameters(), loss: LossParameters(), seed: 0)
        let inputs = TrainingError.datasetMismatch(what: "number of inputs", network: 8, dataset: 9)
        let outputs = TrainingError.datasetMismatch(what: "number of outputs", network: 3, dataset: 4)
        #expect(throws: inputs) { try fineTune(tune, dataset: dataset, network: network(8, 4)) }
        #expect(throws: outputs) { try fineTune(tune, dataset: dataset, network: network(9, 3)) }
        let measure = EvaluationParameters(loss: LossParameters())
        #expect(throws: inputs) { try evaluate(measure, dataset: dataset, network: network(8, 4)) }
        #expect(throws: outputs) { try evaluate(measure, dataset: dataset, network: network(9, 3)) }
        #expect(inputs.exitCode == 65 && "\(inputs)".contains("8") && "\(inputs)".contains("9"))
        // As many values in another shape are another image.
        let planes = dataset.shape.planes
        let turned = try Network(
            initializing: NetworkParameters(ResNet(depth: 8, width: 1))
                .architecture(sample: [planes[0], 1, planes[1] * planes[2]], outputs: 4), seed: 0)
        let image = TrainingError.imageMismatch(network: [1, 1, 9], dataset: [1, 3, 3])
        #expect(throws: image) { try fineTune(tune, dataset: dataset, network: turned) }
        #expect(throws: image) { try evaluate(measure, dataset: dataset, network: turned) }
        #expect(image.exitCode == 65)
    }

    @Test("a seed needs an architecture, from the parameters or an input")
    func architecture() throws {
        let dataset = prototypes(train: 20)
        var parameters = seedParameters(NetworkParameters(widths: [3]), epochs: 1)
        parameters.network = nil
        #expect(throws: TrainingError.noArchitecture) { try trainSeed(parameters, dataset: dataset) }
        let given = try NetworkParameters(widths: [4]).architecture(sample: [9], outputs: 4)
        #expect(try trainSeed(parameters, dataset: dataset, architecture: given).architecture == given)
    }

    @Test(
        "a budget makes as many whole epochs as spend it, at least one; each epoch says what the chain has cost",
        arguments: [(0.0, 1), (1, 1), (2.5, 3), (3, 3)])
    func budget(epochs: Double, expected: Int) throws {
        let dataset = prototypes(train: 20)
        let parameters = seedParameters(epochs: 7)
        let one = try trainSeed(seedParameters(epochs: 1), dataset: dataset).cost.total
        let network = try trainSeed(
            parameters, dataset: dataset, budget: Int(Double(one) * epochs))
        #expect(network.history.epochs.map(\.flops) == (1...expected).map { $0 * one })
        #expect(network.cost.total == expected * one)
        #expect(network.history.epochs.allSatisfy { $0.parameters == network.parameterCount })
    }

    @Test(
        "fine-tuning trains after a round that added neurons, and passes through one that did not",
        arguments: [(0, true), (1, true), (2, false), (3, false)])
    func passesThrough(round: Int, trains: Bool) throws {
        let dataset = prototypes(train: 20)
        var network = try trainSeed(seedParameters(), dataset: dataset)
        func record(_ round: Int, _ neurons: Int) -> GrowthRecord {
            GrowthRecord(
                round: round, width: "hidden1", change: neurons > 0 ? .widen : nil, method: "tiny",
                neurons: neurons, amplitude: 0,
                predictedDecrease: 0,
                realizedDecrease: 0, lossBefore: 0, bottleneck: 0, gradientNorm: 0)
        }
        network.growth = [record(1, 0), record(1, 2), record(2, 0)]
        let tune = TuneParameters(
            training: TrainingParameters(epochs: 1), loss: LossParameters(), seed: 0, round: round)
        let tuned = try fineTune(tune, dataset: dataset, network: network)
        #expect((tuned != nil) == trains)
        if let tuned { #expect(tuned.history.epochs.last?.round == 2 && tuned.cost[.tune] > 0) }
    }

    @Test(
        "parameters out of range are refused",
        arguments: [
            "epochs: -1", "batch: 0", "shards: 65", "optimizer: {rate: .nan}", "optimizer: {kind: adam}",
            "optimizer: {momentum: 1}", "optimizer: {kind: adamw, nesterov: true}",
            "optimizer: {momentum: 0, nesterov: true}", "schedule: {kind: linear}", "schedule: {warm-up: -1}",
            "schedule: {step-epochs: 0}", "rates: 1",
        ])
    func ranges(yaml: String) {
        #expect(throws: ParameterError.self) {
            try TrainingParameters(tree: Tree(yaml: yaml, file: "x.yaml"), file: "x.yaml")
        }
    }

    @Test("parameters read back from their own tree are the same")
    func parametersRoundTrip() throws {
        var parameters = seedParameters(optimizer: OptimizerParameters(rule: AdamW(), rate: 0.003))
        parameters.training.schedule = ScheduleParameters(rule: CosineDecay(), warmUp: 1.5)
        #expect(try SeedParameters(tree: parameters.tree, file: "x") == parameters)
        parameters.network = nil
        #expect(try SeedParameters(tree: parameters.tree, file: "x") == parameters)
    }
}
