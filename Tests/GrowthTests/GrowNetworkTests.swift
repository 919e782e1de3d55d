import Parameters
import Datasets
import GrowthMath
import GrowthReference
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Growing a network")
struct GrowNetworkTests: GrowsNetworks {
    let dataset = SampleDataset.make()

    @Test(
        "a dataset that is normalised otherwise is neither measured on nor grown on; a grown network keeps its own"
    )
    func otherNormalization() throws {
        var network = try SampleDataset.network(.relu, dataset: dataset)
        network.data = dataset.convention
        let found = try computeBottlenecks(BottleneckParameters(), dataset: dataset, network: network)
        let grown = try growNetwork(
            GrowthParameters(), dataset: dataset, network: network, bottlenecks: found)
        #expect(try #require(grown.network).data == dataset.convention)
        let other = SampleDataset.make(seed: 6)
        let expected = TrainingError.dataDiffers(
            network: dataset.convention, dataset: other.convention)
        #expect(throws: expected) {
            try computeBottlenecks(BottleneckParameters(), dataset: other, network: network)
        }
        #expect(throws: expected) {
            try growNetwork(GrowthParameters(), dataset: other, network: network, bottlenecks: found)
        }
    }

    @Test("neurons that GradMax adds to a ReLU network learn")
    func gradMaxLearns() throws {
        let method = try #require(MethodParameters("gradmax"))
        let network = try SampleDataset.network(.relu, dataset: dataset)
        let grown = try #require(try grow(network) { $0.proposal.method = method }.outcome.network)
        let tuned = try #require(
            try fineTune(
                TuneParameters(training: TrainingParameters(epochs: 1), loss: LossParameters(), seed: 0),
                dataset: dataset, network: grown))
        let before = try #require(grown.parameters["hidden1/weight"])
        let after = try #require(tuned.parameters["hidden1/weight"])
        let added = 5 * before.shape[1]..<before.count
        #expect(before.values[added].allSatisfy { $0 == 0 })
        #expect(after.values[added].contains { $0 != 0 })
    }

    @Test(
        "every method widens every site, and what was recorded is what happened to the validation loss",
        arguments: MethodParameters.all, [Activation.Function.relu, .selu, .tanh, .gelu, .identity])
    func everyMethod(method: MethodParameters, activation: Activation.Function) throws {
        let network = try SampleDataset.network(activation, dataset: dataset)
        let outcome = try grow(network) { $0.proposal.method = method }.outcome
        #expect(outcome.records.map(\.width) == ["hidden2", "hidden1"])
        guard let grown = outcome.network else {
            return #expect(outcome.records.allSatisfy { $0.neurons == 0 && !$0.note.isEmpty })
        }
        try grown.validate(source: "test")
        let added = outcome.records.map(\.neurons)
        #expect(Width.plain(in: grown.architecture).map(\.count) == [5 + added[1], 4 + added[0]])
        #expect(grown.growth == outcome.records)
        let realised = outcome.records.reduce(0) { $0 + $1.realizedDecrease }
        let measured = try loss(network, dataset.validation) - loss(grown, dataset.validation)
        #expect(abs(realised - measured) < 1e-5)
        if method.method.placement == .searched {
            for record in outcome.records where record.neurons > 0 { #expect(record.realizedDecrease > 0) }
        }
        #expect(grown.cost[.bottlenecks] > 0 && grown.cost[.grow] > 0)
    }

    @Test(
        "function-preserving methods keep the outputs to 1e-5",
        arguments: ["gradmax", "random-zero-out", "net2net"])
    func functionIsKept(name: String) throws {
        for activation in [Activation.Function.relu, .selu, .tanh] {
            let network = try SampleDataset.network(activation, dataset: dataset)
            let method = try #require(MethodParameters(name))
            let grown = try #require(
                try grow(network) {
                    $0.proposal.method = method
                    $0.proposal.neurons = .most(3)
                }.outcome.network)
            let (before, after) = (
                try outputs(network, dataset.validation), try outputs(grown, dataset.validation)
            )
            let scale = before.map(abs).max() ?? 0
            #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
        }
    }

    @Test("new neurons stand last, old weights and optimiser state stay, new state is zero")
    func grafting() throws {
        var network = try SampleDataset.network(.selu, dataset: dataset)
        for (name, tensor) in network.parameters {
            network.optimizerState["\(name)/momentum"] = Tensor(repeating: 2, shape: tensor.shape)
        }
        let site = Width.plain(in: network.architecture)[1]
        let fanIn = Matrix([[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]])
        let fanOut = Matrix([[1, 2], [3, 4], [5, 6]])
        let update = Matrix(rows: 3, columns: 5, repeating: 0.5)
        let grown = try network.grafting(
            Extension(neurons: NewNeurons(fanIn: fanIn, fanOut: fanOut), update: update), at: site)
        let (producer, consumer) = (site.producerWeights(of: network), site.consumerWeights(of: network))
        #expect(site.producerWeights(of: grown) == producer.appending(rows: fanIn))
        let moved = site.consumerWeights(of: grown)
        #expect(moved.selecting(columns: [4, 5]) == fanOut)
        #expect(agrees(moved.selecting(columns: [0, 1, 2, 3, 6]), consumer + update, to: 1e-6))
        let momentum = try #require(grown.optimizerState["output/weight/momentum"])
        #expect(momentum.shape == [3, 6])
        #expect(momentum.values == (0..<3).flatMap { _ in [2, 2, 2, 2, 0, 0] as [Float] })
        #expect(grown.optimizerState["hidden2/bias/momentum"]?.values == [2, 2, 2, 2, 0, 0])
        #expect(
            grown.optimizerState["hidden1/weight/momentum"]
                == network.optimizerState["hidden1/weight/momentum"])
        #expect(grown.parameters["hidden1/weight"] == network.parameters["hidden1/weight"])
    }

    @Test(
        "the predicted decrease is the slope of the loss",
        arguments: [("tiny-joint", false), ("tiny-joint", true), ("tiny", false), ("fisher", false)])
    func prediction(name: String, refit: Bool) throws {
        // Measured and tried on the same samples, at an amplitude so small that the loss is a line.
        let same = Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: dataset.train,
            test: dataset.test)
        for activation in [Activation.Function.tanh, .relu, .selu, .gelu] {
            let network = try SampleDataset.network(activation, dataset: same)
            let method = try #require(MethodParameters(name))
            let outcome = try grow(
                network,
                {
                    $0.proposal.method = method
                    $0.proposal.widths = .each
                    // Neurons that are preconditioned by the gradient are larger by its inverse.
                    $0.placement.amplitude = .fixed(name == "fisher" ? 2e-5 : 1e-3)
                    $0.proposal.method.set(refit: refit)
                }, on: same
            ).outcome
            let record = try #require(outcome.records.first)
            #expect(record.neurons > 0)
            let predicted = try #require(record.predictedDecrease)
            let relative = abs(record.realizedDecrease / predicted - 1)
            #expect(relative < 0.08, "\(activation) \(predicted) \(record.realizedDecrease)")
        }
    }

    @Test(
        "an extension measured before other widths grew gets zeros for what it did not know, the bias stays last"
    )
    func fitting() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let sites = Width.plain(in: network.architecture)
        let first = Extension(
            neurons: NewNeurons(
                fanIn: Matrix(rows: 2, columns: 17, repeating: 1), fanOut: Matrix(rows: 4, columns: 2)),
            update: nil)
        let grown = try network.grafting(first, at: sites[0])
        let second = Extension(
            neurons: NewNeurons(fanIn: Matrix([[1, 2, 3, 4, 5, 6]]), fanOut: Matrix([[1], [2], [3]])),
            update: nil)
        let fitted = [second].fitted(to: Width.plain(in: grown.architecture)[1], of: grown, inputs: [6])[0]
        #expect(fitted.neurons.fanIn == Matrix([[1, 2, 3, 4, 5, 0, 0, 6]]))
        #expect(fitted.neurons.fanOut == second.neurons.fanOut)
        // A consumer that has grown itself gets zero rows.
        let both = try grown.grafting(fitted, at: Width.plain(in: grown.architecture)[1])
        let late = Extension(
            neurons: NewNeurons(
                fanIn: Matrix(rows: 1, columns: 17, repeating: 1), fanOut: Matrix([[1], [2], [3], [4]])),
            update: Matrix(rows: 4, columns: 8, repeating: 1))
        let padded = [late].fitted(to: Width.plain(in: both.architecture)[0], of: both, inputs: [17])[0]
        #expect(padded.neurons.fanOut == Matrix([[1], [2], [3], [4], [0]]))
        #expect(padded.update?.row(4) == Array(repeating: 0, count: 8))
    }

    @Test("the grown network has the same bits with any number of threads", arguments: [2, 3])
    func threads(count: Int) throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let one = try grow(network).outcome
        #expect(try grow(network, threads: count).outcome == one)
    }

    @Test("scaling rules give neurons the spread of the weights they join")
    func scaling() throws {
        let network = try SampleDataset.network(.tanh, dataset: dataset)
        let grown = try #require(
            try grow(network) {
                $0.proposal.widths = .each
                $0.placement.scaling = .matchExtendingLayer
                $0.placement.amplitude = .fixed(1)
            }.outcome.network)
        let site = Width.plain(in: network.architecture)[0]
        let added = site.producerWeights(of: grown).selecting(rows: [5, 6]).selecting(columns: 0..<16)
        let existing = site.producerWeights(of: network).selecting(columns: 0..<16)
        #expect(agrees(added.standardDeviation, existing.standardDeviation, to: 1e-5))
    }

    @Test("a network without a validation split grows on its training samples")
    func noValidation() throws {
        let bare = Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: .empty(dataset.shape), test: dataset.test)
        let network = try SampleDataset.network(.selu, dataset: bare)
        #expect(try grow(network, on: bare).outcome.network != nil)
    }
}
